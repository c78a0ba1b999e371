#include "clients.h"

static const char *const segment_parameters[] = {"writeKey", NULL};

const struct gw_client gw_clients[GW_CLIENT_COUNT] = {
    [GW_CLIENT_SEGMENT] = {&gw_segment_form, NULL, segment_parameters},
    [GW_CLIENT_API] = {&gw_segment_form, NULL, segment_parameters},
};

const char *gw_client_name(enum gw_client_id id)
{
    static const char *const names[] = {
#define GW_CLIENT_NAME(id, name) [GW_CLIENT_##id] = (name),
        GW_CLIENT_TABLE(GW_CLIENT_NAME)
#undef GW_CLIENT_NAME
    };
    return names[id];
}
