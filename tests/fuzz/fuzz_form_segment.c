/* Segment's and RudderStack's form: one event, or a batch with a context of its own. */
#include "fuzz/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct form_route routes[] = {
        {GW_CLIENT_SEGMENT, gw_cut_segment_batch, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_SEGMENT, gw_cut_segment_one, GW_EVENT_TRACK, NULL},
        {GW_CLIENT_SEGMENT, gw_cut_segment_one, GW_EVENT_PAGE, NULL},
        {GW_CLIENT_SEGMENT, gw_cut_segment_one, GW_EVENT_IDENTIFY, NULL},
        {GW_CLIENT_SEGMENT, gw_cut_segment_one, GW_EVENT_GROUP, NULL},
        {GW_CLIENT_SEGMENT, gw_cut_segment_one, GW_EVENT_ALIAS, NULL},
    };
    return form_input(routes, ARRAY_SIZE(routes), data, size);
}
