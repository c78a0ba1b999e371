/* Snowplow's tp2: a list of flat objects, or a query; documents in base64 in some of their members. */
#include "fuzz/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct form_route routes[] = {
        {GW_CLIENT_SNOWPLOW, gw_cut_snowplow_post, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_SNOWPLOW, gw_cut_snowplow_get, GW_EVENT_BY_BODY, NULL},
    };
    return form_input(routes, ARRAY_SIZE(routes), data, size);
}
