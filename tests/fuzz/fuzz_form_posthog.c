/* PostHog's form: JSON, or a form or query whose data is JSON or its base64. */
#include "fuzz/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct form_route routes[] = {
        {GW_CLIENT_POSTHOG, gw_cut_posthog, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_POSTHOG, gw_cut_posthog, GW_EVENT_IDENTIFY, NULL},
    };
    return form_input(routes, ARRAY_SIZE(routes), data, size);
}
