#include "settings.h"

#include <stdlib.h>

/* Pages send in bursts, servers at a pace. */
#define WRITE_BURST_S  2
#define SECRET_BURST_S 1

static void set_rates(struct gw_tenant_settings *settings, int64_t write, int64_t secret)
{
    settings->write = (struct gw_rate){write, write * WRITE_BURST_S};
    settings->secret = (struct gw_rate){secret, secret * SECRET_BURST_S};
}

void gw_settings_init(struct gw_tenant_settings *settings)
{
    set_rates(settings, SETTING_RATE_WRITE, SETTING_RATE_SECRET);
    settings->personal_data_size = 0;
}

static void take_rate(struct gw_tenant_settings *settings, const char *value)
{
    int64_t per_s = strtoll(value, NULL, 10); /* of "none" 0 */
    if (strcmp(value, "default") == 0)
        set_rates(settings, SETTING_RATE_WRITE, SETTING_RATE_SECRET);
    else
        set_rates(settings, per_s, per_s);
}

void gw_settings_take(struct gw_tenant_settings *settings, const char *key, const char *value)
{
    bool rate = strcmp(key, "rate_limit") == 0;
    bool personal = strcmp(key, "personal_data_allowed") == 0;
    if ((!rate && !personal) || setting_check(setting_find(key), value, NULL) < 0)
        return;
    if (rate) {
        take_rate(settings, value);
    } else {
        settings->personal_data_size = (uint16_t)strlen(value);
        memcpy(settings->personal_data_allowed, value, settings->personal_data_size);
    }
}
