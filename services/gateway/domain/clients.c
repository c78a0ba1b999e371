#include "clients.h"

static const char *const segment_parameters[] = {"writeKey", NULL};

const struct gw_client gw_clients[GW_CLIENT_COUNT] = {
    [GW_CLIENT_SEGMENT] = {&gw_segment_form, NULL, segment_parameters},
    [GW_CLIENT_API] = {&gw_segment_form, NULL, segment_parameters},
    [GW_CLIENT_SNOWPLOW] = {&gw_snowplow_form, NULL, NULL},
    [GW_CLIENT_CLOUDEVENTS] = {&gw_cloudevents_form, NULL, NULL},
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

int gw_client_find(struct slice name)
{
    for (int i = 0; i < GW_CLIENT_COUNT; i++)
        if (slice_equal_str(name, gw_client_name((enum gw_client_id)i)))
            return i;
    return -1;
}
