#pragma once
/* settings: one value of a tenant, stored with a new version and published. */
#include "tenants.h"

/* key and value are known to be good. A value equal to the default is stored like any other. */
int settings_set(struct ctl *ctl, const struct tenant *tenant, const char *key,
                 const char *value) MUST_CHECK;

int command_settings_get(struct ctl *ctl, const struct args *args);
int command_settings_set(struct ctl *ctl, const struct args *args);
int command_settings_publish(struct ctl *ctl, const struct args *args);
