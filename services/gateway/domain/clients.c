#include "clients.h"

static const char *const segment_parameters[] = {"writeKey", NULL};
static const char *const posthog_parameters[] = {"api_key", "token", NULL};
static const char *const jitsu_headers[] = {"X-Write-Key", NULL};
static const char *const jitsu_parameters[] = {"writekey", "writeKey", NULL};
static const char *const jitsu_classic_headers[] = {"X-Auth-Token", NULL};
static const char *const jitsu_classic_parameters[] = {"token", "api_key", NULL};

const struct gw_client gw_clients[GW_CLIENT_COUNT] = {
    [GW_CLIENT_SEGMENT] = {&gw_segment_form, NULL, segment_parameters},
    [GW_CLIENT_API] = {&gw_segment_form, NULL, segment_parameters},
    [GW_CLIENT_SNOWPLOW] = {&gw_snowplow_form, NULL, NULL},
    [GW_CLIENT_CLOUDEVENTS] = {&gw_cloudevents_form, NULL, NULL},
    [GW_CLIENT_POSTHOG] = {&gw_posthog_form, NULL, posthog_parameters},
    [GW_CLIENT_JITSU] = {&gw_segment_form, jitsu_headers, jitsu_parameters},
    [GW_CLIENT_JITSU_CLASSIC] = {&gw_jitsu_classic_form, jitsu_classic_headers,
                                 jitsu_classic_parameters},
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
