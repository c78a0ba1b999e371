#pragma once
/* What the gateway reads of a tenant's settings: the table is that of libs/setting, the values are accounts.settings. */
#include "base.h"
#include "setting.h"

/* So many a second, and so many at once after a pause. per_s 0: without a limit. */
struct gw_rate {
    int64_t per_s, burst;
};

struct gw_tenant_settings {
    struct gw_rate write, secret; /* of each key of that kind */
    uint16_t personal_data_size;
    char personal_data_allowed[SETTING_MAX_PERSONAL]; /* names, separated by commas */
};

void gw_settings_init(struct gw_tenant_settings *settings); /* the defaults */
/* One stored value. One that is out of its range, or of a setting that is not the gateway's, changes nothing. */
void gw_settings_take(struct gw_tenant_settings *settings, const char *key, const char *value);
static inline struct slice gw_settings_personal(const struct gw_tenant_settings *settings)
{
    return slice_make(settings->personal_data_allowed, settings->personal_data_size);
}
