/* Jitsu's two forms. */
#include "fuzz/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct form_route routes[] = {
        {GW_CLIENT_JITSU_CLASSIC, gw_cut_jitsu_classic, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_JITSU, gw_cut_segment_one, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_JITSU, gw_cut_segment_batch, GW_EVENT_BY_BODY, NULL},
    };
    return form_input(routes, ARRAY_SIZE(routes), data, size);
}
