/* Our own form, and imports, which name theirs. */
#include "fuzz/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct form_route routes[] = {
        {GW_CLIENT_API, gw_cut_api_one, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_API, gw_cut_api_batch, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_API, gw_cut_import, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_SEGMENT, gw_cut_import, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_POSTHOG, gw_cut_import, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_JITSU_CLASSIC, gw_cut_import, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_SNOWPLOW, gw_cut_import, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_CLOUDEVENTS, gw_cut_import, GW_EVENT_BY_BODY, NULL},
    };
    return form_input(routes, ARRAY_SIZE(routes), data, size);
}
