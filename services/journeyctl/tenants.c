/* Organisations. */
#include "tenants.h"

#include "database.h"
#include "publish.h"
#include "setting.h"

#include <stdio.h>

#define NAMES_SHOWN "8"

const char *uuid_new(struct ctl *ctl)
{
    uint8_t bytes[16];
    char *text = arena_alloc(ctl->arena, UUID_TEXT_SIZE);
    entropy_system()->fill(entropy_system(), bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    if (text)
        uuid_format(text, bytes);
    return text;
}

static const char *text_hash(struct ctl *ctl, const char *text)
{
    uint8_t hash[32];
    if (!text)
        return NULL;
    hash_sha256(hash, slice_str(text));
    return database_bytea(ctl, hash, sizeof(hash));
}

int audit(struct ctl *ctl, const char *tenant_id, const char *action, const char *target,
          const char *before, const char *after)
{
    return database_run(ctl,
                        "insert into accounts.audit_logs (tenant_id, id, actor, action, target, "
                        "before_hash, after_hash) values ($1, $2, $3, $4, $5, $6, $7)",
                        7, tenant_id, uuid_new(ctl), ctl_actor(), action, target,
                        text_hash(ctl, before), text_hash(ctl, after));
}

static int not_found(struct ctl *ctl, const char *name)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status =
        database_query(ctl, &rows,
                       "select coalesce(string_agg(name, ', '), '') from (select name from "
                       "accounts.organizations where status = 'active' order by "
                       "created_at desc limit " NAMES_SHOWN ") newest",
                       0);
    if (status != CTL_DONE)
        return status;
    const char *names = PQgetvalue(rows, 0, 0);
    if (!*names)
        return ctl_fail(CTL_FAILED,
                        "there is no tenant yet\n  make one: journeyctl tenants create %s "
                        "--analytics-basis consent",
                        name);
    return ctl_fail(CTL_FAILED, "there is no tenant '%s'; there are: %s", name, names);
}

/* Sets *id when there is a tenant of that name. */
static int id_of_existing(struct ctl *ctl, const char *name, const char **id)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status = database_query(
        ctl, &rows,
        "select tenant_id from accounts.organizations where status = 'active' and name = $1", 1,
        name);
    if (status == CTL_DONE && PQntuples(rows) == 1)
        *id = arena_str(ctl->arena, slice_str(PQgetvalue(rows, 0, 0)));
    return status;
}

int tenant_find(struct ctl *ctl, const char *name, struct tenant *tenant)
{
    struct tenant found = {.name = name};
    int status = id_of_existing(ctl, name, &found.id);
    if (status != CTL_DONE)
        return status;
    if (!found.id)
        return not_found(ctl, name);
    if (uuid_parse(&found.uuid, slice_str(found.id)) < 0)
        return ctl_fail(CTL_FAILED, "the tenant's id '%s' is none", found.id);
    *tenant = found;
    return CTL_DONE;
}

/* ---- making one ---- */

static int tenant_insert(struct ctl *ctl, const struct tenant *tenant, const char *basis,
                         const char *reason, const char *rate)
{
    uint8_t hash_key[32];
    entropy_system()->fill(entropy_system(), hash_key, sizeof(hash_key));
    int status = database_run(ctl, "begin", 0);
    if (status == CTL_DONE)
        status = database_run(ctl,
                              "insert into accounts.organizations (tenant_id, name, hash_key, "
                              "analytics_basis, analytics_reason) values ($1, $2, $3, $4, $5)",
                              5, tenant->id, tenant->name,
                              database_bytea(ctl, hash_key, sizeof(hash_key)), basis, reason);
    if (status == CTL_FAILED && database_was_duplicate(ctl))
        status = ctl_fail(CTL_FAILED,
                          "there is a tenant '%s' already\n"
                          "  another key for it: journeyctl keys create --tenant %s --kind write",
                          tenant->name, tenant->name);
    if (status == CTL_DONE && rate)
        status = database_run(
            ctl,
            "insert into accounts.settings (tenant_id, key, value) values ($1, 'rate_limit', $2)",
            2, tenant->id, rate);
    if (status == CTL_DONE)
        status = audit(ctl, tenant->id, "tenant.create", tenant->name, NULL, basis);
    if (status == CTL_DONE)
        status = database_run(ctl, "commit", 0);
    if (status != CTL_DONE)
        database_rollback(ctl);
    return status;
}

int tenant_create(struct ctl *ctl, const char *name, const char *basis, const char *reason,
                  const char *rate, struct tenant *tenant)
{
    struct tenant made = {.id = uuid_new(ctl), .name = name};
    if (!made.id || uuid_parse(&made.uuid, slice_str(made.id)) < 0)
        return ctl_fail(CTL_FAILED, "no memory");
    int status = publish_settings_lock(ctl, made.id);
    if (status == CTL_DONE)
        status = tenant_insert(ctl, &made, basis, reason, rate);
    if (status != CTL_DONE)
        return status;
    *tenant = made;
    return publish_settings(ctl, made.id, name);
}

static int check_basis(const char *basis, const char *reason)
{
    struct err err;
    if (setting_check(setting_find("analytics_basis"), basis, &err) < 0)
        return ctl_fail(CTL_USAGE, "--analytics-basis: %s", err.message);
    bool interest = strcmp(basis, "legitimate_interest") == 0;
    if (interest && (!reason || !*reason))
        return ctl_fail(CTL_USAGE, "legitimate_interest needs its reason: --reason 'fraud and "
                                   "service quality, see our privacy page'");
    if (!interest && reason)
        return ctl_fail(CTL_USAGE, "--reason belongs to --analytics-basis legitimate_interest");
    return CTL_DONE;
}

/* Nobody is to be surprised by ids that vanish. */
static void say_default_basis(void)
{
    (void)fprintf(stderr,
                  "analytics by consent: of visitors who have not agreed no ids are kept\n"
                  "  otherwise: --analytics-basis legitimate_interest --reason TEXT; it can be "
                  "changed later (settings set)\n");
}

int command_tenants_create(struct ctl *ctl, const struct args *args)
{
    struct err err;
    struct tenant tenant = {0};
    const char *name = args->positional[0];
    const char *rate = args_get(args, "rate");
    const char *basis = args_get(args, "analytics-basis"), *reason = args_get(args, "reason");
    if (!*name || strlen(name) > 255 || !utf8_valid(slice_str(name)))
        return ctl_fail(CTL_USAGE, "a tenant's name is 1 to 255 bytes of text");
    int status = check_basis(basis ? basis : "consent", reason);
    if (status != CTL_DONE)
        return status;
    if (rate && setting_check(setting_find("rate_limit"), rate, &err) < 0)
        return ctl_fail(CTL_USAGE, "--rate: %s", err.message);
    const char *existing = NULL;
    if (args_has(args, "if-missing"))
        status = id_of_existing(ctl, name, &existing);
    if (status == CTL_DONE && existing)
        printf("%s\n", existing);
    if (status != CTL_DONE || existing)
        return status;
    if (rate && strcmp(rate, "default") == 0)
        rate = NULL;
    if (!basis)
        say_default_basis();
    status = tenant_create(ctl, name, basis ? basis : "consent", reason, rate, &tenant);
    if (status == CTL_DONE || status == CTL_PARTLY)
        printf("%s\n", tenant.id);
    return status;
}

int command_tenants_list(struct ctl *ctl, const struct args *args)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status = database_query(
        ctl, &rows,
        args_has(args, "json")
            ? "select jsonb_build_object('tenant_id', tenant_id, 'name', name, 'status', status, "
              "'analytics_basis', analytics_basis, 'analytics_reason', analytics_reason, 'plan', "
              "plan, 'region', region, 'created_at', created_at) from accounts.organizations order "
              "by name"
            : "select format('%s  %-8s %-20s %s', tenant_id, status, analytics_basis, name) from "
              "accounts.organizations order by name",
        0);
    for (int i = 0; status == CTL_DONE && i < PQntuples(rows); i++)
        printf("%s\n", PQgetvalue(rows, i, 0));
    return status;
}
