#pragma once
/* tenants: finding one by name, and making one. Keys and audit, too, belong to a tenant. */
#include "ctl.h"
#include "domain/apikey.h"

struct tenant {
    const char *id; /* uuid text */
    struct uuid uuid;
    const char *name;
};

/* Says which tenants there are when there is none of that name. */
int tenant_find(struct ctl *ctl, const char *name, struct tenant *tenant) MUST_CHECK;
/* With its hash key, and published. CTL_FAILED when the name is taken. */
int tenant_create(struct ctl *ctl, const char *name, const char *basis, const char *reason,
                  const char *rate, struct tenant *tenant) MUST_CHECK;
/* A new key, or the one given; expires: seconds from now, 0: never. Its text is in the arena. */
int key_create(struct ctl *ctl, const struct tenant *tenant, enum apikey_kind kind,
               const char *value, int64_t expires_s, const char **key) MUST_CHECK;
/* One row of the audit log, in the caller's transaction if there is one. before, after: NULL or text that is hashed. */
int audit(struct ctl *ctl, const char *tenant_id, const char *action, const char *target,
          const char *before, const char *after) MUST_CHECK;
const char *uuid_new(struct ctl *ctl);

int command_tenants_create(struct ctl *ctl, const struct args *args);
int command_tenants_list(struct ctl *ctl, const struct args *args);
int command_keys_create(struct ctl *ctl, const struct args *args);
int command_keys_list(struct ctl *ctl, const struct args *args);
int command_keys_rotate(struct ctl *ctl, const struct args *args);
int command_keys_revoke(struct ctl *ctl, const struct args *args);
