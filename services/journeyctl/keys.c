/* API keys: made here, shown once; the database has their hash. */
#include "database.h"
#include "tenants.h"

#include <stdio.h>

#define PREFIX_SHOWN      12 /* enough to tell keys apart, far too little to use one */
#define OVERLAP_DEFAULT_S INT64_C(86400)

/* At most a third of a key brought along is shown. */
static const char *key_prefix(struct ctl *ctl, const char *key)
{
    size_t size = strlen(key) / 3;
    return arena_str(ctl->arena, slice_make(key, size < PREFIX_SHOWN ? size : PREFIX_SHOWN));
}

static const char *key_hash(struct ctl *ctl, const char *key)
{
    uint8_t hash[32];
    hash_sha256(hash, slice_str(key));
    return database_bytea(ctl, hash, sizeof(hash));
}

static int key_insert(struct ctl *ctl, const struct tenant *tenant, const char *kind,
                      const char *key, const char *expires_s)
{
    const char *id = uuid_new(ctl);
    int status =
        database_run(ctl,
                     "insert into accounts.api_keys (tenant_id, id, prefix, key_hash, kind, "
                     "expires_at) values ($1, $2, $3, $4, $5, now() + $6::float8 * interval '1 s')",
                     6, tenant->id, id, key_prefix(ctl, key), key_hash(ctl, key), kind, expires_s);
    if (status == CTL_FAILED && database_was_duplicate(ctl))
        return ctl_fail(CTL_FAILED, "this key is registered already, here or with another tenant");
    if (status == CTL_DONE)
        status = audit(ctl, tenant->id, "key.create", id, NULL, kind);
    return status;
}

/* Keys of others are taken as they are, as long as they can travel in a header and are no typing error of ours. */
static int check_value(const char *value)
{
    size_t size = strlen(value);
    for (size_t i = 0; i < size; i++)
        if (value[i] <= ' ' || value[i] > '~')
            return ctl_fail(CTL_USAGE, "a key is made of visible ASCII without blanks");
    if (strncmp(value, "app:", 4) == 0)
        return ctl_fail(CTL_USAGE, "no key begins with app:");
    if (size < 8 || size > 200)
        return ctl_fail(CTL_USAGE, "a key has 8 to 200 characters, this one %zu", size);
    if (strncmp(value, "jm_", 3) == 0 && !apikey_valid(value))
        return ctl_fail(CTL_USAGE, "this looks like one of our keys, but its last six characters "
                                   "do not fit: is it complete?");
    return CTL_DONE;
}

/* What the gateway looks for when a tracker names its app: no other key begins so. */
static int app_key(struct ctl *ctl, const struct args *args, const char **value)
{
    const char *id = args_get(args, "app-id");
    if (!id)
        return CTL_DONE;
    if (*value)
        return ctl_fail(CTL_USAGE, "--value or --app-id, not both");
    if (apikey_kind(args_get(args, "kind")) != APIKEY_WRITE)
        return ctl_fail(CTL_USAGE, "an app id stands in every page: --kind write");
    for (const char *at = id; *at; at++)
        if (*at <= ' ' || *at > '~')
            return ctl_fail(CTL_USAGE, "an app id is taken in visible ASCII without blanks; others "
                                       "send to a path with a key: /KEY/com.snowplow...");
    if (!*id || strlen(id) > 190)
        return ctl_fail(CTL_USAGE, "an app id has 1 to 190 characters");
    *value = arena_printf(ctl->arena, "app:%s", id);
    return *value ? CTL_DONE : ctl_fail(CTL_FAILED, "no memory");
}

int key_create(struct ctl *ctl, const struct tenant *tenant, enum apikey_kind kind,
               const char *value, int64_t expires_s, const char **key)
{
    char made[APIKEY_SIZE];
    apikey_make(made, kind, entropy_system());
    const char *text = arena_str(ctl->arena, slice_str(value ? value : made));
    const char *expires =
        expires_s > 0 ? arena_printf(ctl->arena, "%lld", (long long)expires_s) : NULL;
    if (!text)
        return ctl_fail(CTL_FAILED, "no memory");
    int status = database_run(ctl, "begin", 0);
    if (status == CTL_DONE)
        status = key_insert(ctl, tenant, kind == APIKEY_WRITE ? "write" : "secret", text, expires);
    if (status == CTL_DONE)
        status = database_run(ctl, "commit", 0);
    if (status != CTL_DONE) {
        database_rollback(ctl);
        return status;
    }
    *key = text;
    return CTL_DONE;
}

/* "30d", or a time: as seconds from now. */
static int parse_expiry(const char *text, int64_t *seconds)
{
    int64_t time_us, now_us = clock_system()->now_us(clock_system());
    *seconds = 0;
    if (!text)
        return CTL_DONE;
    if (args_duration(text, seconds) < 0) {
        if (time_parse(&time_us, NULL, slice_str(text)) < 0)
            return ctl_fail(CTL_USAGE,
                            "--expires is a duration (30d, 12h) or a time "
                            "(2030-01-31T12:00:00Z), not '%s'",
                            text);
        *seconds = (time_us - now_us) / SECOND_US;
    }
    if (*seconds <= 0)
        return ctl_fail(CTL_USAGE, "--expires %s is past", text);
    return CTL_DONE;
}

int command_keys_create(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    int64_t expires_s = 0;
    const char *key = NULL, *value = args_get(args, "value");
    int kind = apikey_kind(args_get(args, "kind"));
    if (kind < 0)
        return ctl_fail(CTL_USAGE, "--kind is write or secret, not '%s'", args_get(args, "kind"));
    int status = value ? check_value(value) : CTL_DONE;
    if (status == CTL_DONE)
        status = app_key(ctl, args, &value);
    if (status == CTL_DONE)
        status = parse_expiry(args_get(args, "expires"), &expires_s);
    if (status == CTL_DONE)
        status = tenant_find(ctl, args_get(args, "tenant"), &tenant);
    if (status == CTL_DONE)
        status = key_create(ctl, &tenant, (enum apikey_kind)kind, value, expires_s, &key);
    if (status == CTL_DONE)
        printf("%s\n", key);
    return status;
}

int command_keys_list(struct ctl *ctl, const struct args *args)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    struct tenant tenant = {0};
    int status = tenant_find(ctl, args_get(args, "tenant"), &tenant);
    if (status == CTL_DONE)
        status = database_query(
            ctl, &rows,
            args_has(args, "json")
                ? "select jsonb_build_object('id', id, 'prefix', prefix, 'kind', kind, 'project', "
                  "project, 'scopes', scopes, 'expires_at', expires_at, 'last_used_at', "
                  "last_used_at, 'created_at', created_at) from accounts.api_keys where tenant_id "
                  "= $1 order by created_at, id"
                : "select format('%s  %-6s  %-12s  made %s  %s', id, kind, prefix, "
                  "to_char(created_at, 'YYYY-MM-DD HH24:MI'), case when expires_at is null then "
                  "'does not expire' when expires_at <= now() then 'expired ' || "
                  "to_char(expires_at, 'YYYY-MM-DD HH24:MI') else 'expires ' || "
                  "to_char(expires_at, 'YYYY-MM-DD HH24:MI') end) from accounts.api_keys where "
                  "tenant_id = $1 order by created_at, id",
            1, tenant.id);
    for (int i = 0; status == CTL_DONE && i < PQntuples(rows); i++)
        printf("%s\n", PQgetvalue(rows, i, 0));
    return status;
}

/* ---- one key: by its text, its id or the beginning that `keys list` shows ---- */

struct found_key {
    const char *id, *kind;
};

static int key_find(struct ctl *ctl, const struct tenant *tenant, const char *what,
                    struct found_key *found)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status = database_query(
        ctl, &rows,
        "select id, kind from accounts.api_keys where tenant_id = $1 and (id::text = "
        "$2 or key_hash = $3 or prefix = $2) and (expires_at is null or expires_at > "
        "now()) order by created_at",
        3, tenant->id, what, key_hash(ctl, what));
    if (status != CTL_DONE)
        return status;
    if (PQntuples(rows) != 1)
        return ctl_fail(CTL_FAILED,
                        "%s of %s's keys are '%s'\n  which there are: journeyctl keys "
                        "list --tenant %s",
                        PQntuples(rows) == 0 ? "none" : "several", tenant->name, what,
                        tenant->name);
    found->id = arena_str(ctl->arena, slice_str(PQgetvalue(rows, 0, 0)));
    found->kind = arena_str(ctl->arena, slice_str(PQgetvalue(rows, 0, 1)));
    return CTL_DONE;
}

static int key_expire(struct ctl *ctl, const struct tenant *tenant, const char *id, int64_t after_s,
                      const char *action)
{
    int status =
        database_run(ctl,
                     "update accounts.api_keys set expires_at = least(expires_at, now() + "
                     "$3::float8 * interval '1 s') where tenant_id = $1 and id = $2",
                     3, tenant->id, id, arena_printf(ctl->arena, "%lld", (long long)after_s));
    return status == CTL_DONE ? audit(ctl, tenant->id, action, id, NULL, NULL) : status;
}

int command_keys_rotate(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    struct found_key old = {0};
    int64_t overlap_s = OVERLAP_DEFAULT_S;
    const char *key = NULL, *overlap = args_get(args, "overlap");
    if (overlap && args_duration(overlap, &overlap_s) < 0)
        return ctl_fail(CTL_USAGE, "--overlap is a duration (24h, 30m, 0s), not '%s'", overlap);
    int status = tenant_find(ctl, args_get(args, "tenant"), &tenant);
    if (status == CTL_DONE)
        status = key_find(ctl, &tenant, args->positional[0], &old);
    if (status == CTL_DONE)
        status = key_create(ctl, &tenant, (enum apikey_kind)apikey_kind(old.kind), NULL, 0, &key);
    if (status != CTL_DONE)
        return status;
    printf("%s\n", key);
    if (key_expire(ctl, &tenant, old.id, overlap_s, "key.rotate") != CTL_DONE)
        return ctl_fail(CTL_PARTLY,
                        "the new key works, but the old one still does not expire\n"
                        "  journeyctl keys revoke %s --tenant %s",
                        old.id, tenant.name);
    (void)fprintf(stderr, "the old key works for another %lld s\n", (long long)overlap_s);
    return CTL_DONE;
}

int command_keys_revoke(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    struct found_key key = {0};
    int status = tenant_find(ctl, args_get(args, "tenant"), &tenant);
    if (status == CTL_DONE)
        status = key_find(ctl, &tenant, args->positional[0], &key);
    if (status == CTL_DONE)
        status = key_expire(ctl, &tenant, key.id, 0, "key.revoke");
    if (status == CTL_DONE)
        (void)fprintf(stderr, "revoked; gateways forget it within a minute\n");
    return status;
}
