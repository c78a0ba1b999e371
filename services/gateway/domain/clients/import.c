/* Events of the past, of whatever form: {"batch": [...]}, the form by its name in the query. */
#include "../clients.h"
#include "../query.h"

bool gw_cut_import(const struct gw_request *request, struct gw_cut *cut, struct gw_faults *faults)
{
    struct gw_list events = {.max = request->max_events};
    struct gw_wanted batch[1] = {{.name = "batch", .list = &events}};
    struct slice query = request->query, name, value;
    while (gw_query_next(&query, &name, &value, request->arena)) {
        if (!slice_equal_str(name, "form"))
            continue;
        cut->client = gw_client_find(value);
        if (cut->client < 0) {
#define GW_CLIENT_WORD(id, name) " " name
            gw_fault_add(faults, "form", "not_allowed",
                         "must be one of:" GW_CLIENT_TABLE(GW_CLIENT_WORD));
#undef GW_CLIENT_WORD
            return false;
        }
    }
    cut->broken = !gw_cut_members(request->body, batch, 1, request->arena);
    return gw_cut_list(request, &batch[0], cut, faults);
}
