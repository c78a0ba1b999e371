/* A tenant's settings: the table of libs/setting, with what is stored. */
#include "settings.h"

#include "database.h"
#include "json.h"
#include "publish.h"
#include "setting.h"

#include <stdio.h>

/* Stored values by key, those in the tenant's own row among them. */
static int values_load(struct ctl *ctl, const struct tenant *tenant, PGresult **rows)
{
    return database_query(
        ctl, rows,
        "select key, value, version from (select key, value from accounts.settings where tenant_id "
        "= $1 union all select 'analytics_basis', analytics_basis from accounts.organizations "
        "where "
        "tenant_id = $1 union all select 'analytics_reason', analytics_reason from "
        "accounts.organizations where tenant_id = $1 and analytics_reason is not null) s, lateral "
        "(select settings_version as version from accounts.organizations where tenant_id = $1) v",
        1, tenant->id);
}

static const char *value_get(const PGresult *rows, const char *key)
{
    for (int i = 0; i < PQntuples(rows); i++)
        if (strcmp(PQgetvalue(rows, i, 0), key) == 0)
            return PQgetvalue(rows, i, 1);
    return NULL;
}

static void print_one(const struct setting *setting, const char *value, bool json)
{
    char range[100];
    if (!json) {
        printf("%-22s %-22s %s\n  %s (%s; default %s)\n", setting->key,
               value ? value : setting->fallback, value ? "" : "(default)", setting->meaning,
               setting_range(setting, range), *setting->fallback ? setting->fallback : "empty");
        return;
    }
    _cleanup_(buf_deinit) struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    json_begin_object(&w);
    json_key(&w, "key");
    json_write_str(&w, setting->key);
    json_key(&w, "value");
    json_write_str(&w, value ? value : setting->fallback);
    json_key(&w, "is_default");
    json_write_bool(&w, !value);
    json_key(&w, "default");
    json_write_str(&w, setting->fallback);
    json_key(&w, "range");
    json_write_str(&w, setting_range(setting, range));
    json_key(&w, "meaning");
    json_write_str(&w, setting->meaning);
    json_end_object(&w);
    printf("%s\n", (const char *)out.data);
}

static int unknown_setting(const char *key)
{
    return ctl_fail(CTL_USAGE,
                    "there is no setting '%s'\n  all of them: journeyctl settings get "
                    "--tenant NAME",
                    key);
}

int command_settings_get(struct ctl *ctl, const struct args *args)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    struct tenant tenant = {0};
    unsigned n;
    const struct setting *table = setting_table(&n);
    const char *key = args->n_positional > 0 ? args->positional[0] : NULL;
    if (key && !setting_find(key))
        return unknown_setting(key);
    int status = tenant_find(ctl, args_get(args, "tenant"), &tenant);
    if (status == CTL_DONE)
        status = values_load(ctl, &tenant, &rows);
    if (status != CTL_DONE)
        return status;
    if (key && !args_has(args, "json")) {
        const char *value = value_get(rows, key);
        printf("%s\n", value ? value : setting_find(key)->fallback);
        return CTL_DONE;
    }
    for (unsigned i = 0; i < n; i++)
        if (!key || strcmp(table[i].key, key) == 0)
            print_one(&table[i], value_get(rows, table[i].key), args_has(args, "json"));
    return CTL_DONE;
}

/* ---- changing ---- */

static int store_value(struct ctl *ctl, const struct tenant *tenant, const struct setting *setting,
                       const char *value)
{
    if (strcmp(setting->key, "analytics_basis") == 0)
        return database_run(
            ctl, "update accounts.organizations set analytics_basis = $2 where tenant_id = $1", 2,
            tenant->id, value);
    if (strcmp(setting->key, "analytics_reason") == 0)
        return database_run(ctl,
                            "update accounts.organizations set analytics_reason = nullif($2, '') "
                            "where tenant_id = $1",
                            2, tenant->id, value);
    return database_run(ctl,
                        "insert into accounts.settings (tenant_id, key, value) values ($1, $2, $3) "
                        "on conflict (tenant_id, key) do update set value = excluded.value, "
                        "updated_at = now()",
                        3, tenant->id, setting->key, value);
}

/* A basis of legitimate interest goes with its reason, whichever of the two changes. */
static int check_reason(struct ctl *ctl, const struct tenant *tenant, const char *key,
                        const char *value)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    if (strncmp(key, "analytics_", strlen("analytics_")) != 0)
        return CTL_DONE;
    int status = values_load(ctl, tenant, &rows);
    if (status != CTL_DONE)
        return status;
    bool of_basis = strcmp(key, "analytics_basis") == 0;
    const char *basis = of_basis ? value : value_get(rows, "analytics_basis");
    const char *reason = of_basis ? value_get(rows, "analytics_reason") : value;
    if (strcmp(basis, "legitimate_interest") != 0 || (reason && *reason))
        return CTL_DONE;
    return ctl_fail(CTL_FAILED,
                    "legitimate_interest needs its reason\n  first: journeyctl settings set "
                    "--tenant %s analytics_reason 'TEXT'",
                    tenant->name);
}

static int store_in_transaction(struct ctl *ctl, const struct tenant *tenant,
                                const struct setting *setting, const char *value)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status = database_run(ctl, "begin", 0);
    if (status == CTL_DONE)
        status = check_reason(ctl, tenant, setting->key, value);
    if (status == CTL_DONE)
        status = values_load(ctl, tenant, &rows);
    if (status == CTL_DONE)
        status = store_value(ctl, tenant, setting, value);
    if (status == CTL_DONE)
        status = database_run(ctl,
                              "update accounts.organizations set settings_version = "
                              "settings_version + 1, updated_at = now() where tenant_id = $1",
                              1, tenant->id);
    if (status == CTL_DONE)
        status = audit(ctl, tenant->id, "settings.set", setting->key, value_get(rows, setting->key),
                       value);
    if (status == CTL_DONE)
        status = database_run(ctl, "commit", 0);
    if (status != CTL_DONE)
        database_rollback(ctl);
    return status;
}

int settings_set(struct ctl *ctl, const struct tenant *tenant, const char *key, const char *value)
{
    int status = publish_settings_lock(ctl, tenant->id);
    if (status == CTL_DONE)
        status = store_in_transaction(ctl, tenant, setting_find(key), value);
    return status == CTL_DONE ? publish_settings(ctl, tenant->id, tenant->name) : status;
}

int command_settings_set(struct ctl *ctl, const struct args *args)
{
    struct err err;
    struct tenant tenant = {0};
    const char *key = args->positional[0], *value = args->positional[1];
    const struct setting *setting = setting_find(key);
    if (!setting)
        return unknown_setting(key);
    if (setting_check(setting, value, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    int status = tenant_find(ctl, args_get(args, "tenant"), &tenant);
    if (status == CTL_DONE)
        status = settings_set(ctl, &tenant, key, value);
    return status;
}

/* ---- publishing what was only stored ---- */

static int publish_behind(struct ctl *ctl, bool all, unsigned *n)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status = database_query(ctl, &rows,
                                all ? "select tenant_id, name from accounts.organizations"
                                    : "select tenant_id, name from accounts.organizations where "
                                      "settings_published < settings_version",
                                0);
    for (int i = 0; status == CTL_DONE && i < PQntuples(rows); i++, (*n)++) {
        status = publish_settings_lock(ctl, PQgetvalue(rows, i, 0));
        if (status == CTL_DONE)
            status = publish_settings(ctl, PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1));
    }
    return status;
}

int command_settings_publish(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    unsigned n = 0;
    const char *name = args_get(args, "tenant");
    int status;
    if (!name) {
        status = publish_behind(ctl, args_has(args, "all"), &n);
    } else {
        status = tenant_find(ctl, name, &tenant);
        if (status == CTL_DONE)
            status = publish_settings_lock(ctl, tenant.id);
        if (status == CTL_DONE)
            status = publish_settings(ctl, tenant.id, tenant.name);
        n = 1;
    }
    if (status == CTL_DONE)
        (void)fprintf(stderr, "published the settings of %u tenant%s\n", n, n == 1 ? "" : "s");
    return status;
}
