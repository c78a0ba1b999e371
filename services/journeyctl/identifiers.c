/* Finding a person by an identifier, and reading what was sealed: for those who may, and never without a trace. */
#include "identifiers.h"
#include "database.h"
#include "operate.h"
#include "privacy.h"
#include "tenants.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES ((size_t)4 << 20)

/* The argument, or with "-" the next line of stdin, so that it does not show among the processes. NULL: there is none. */
static const char *argument(struct ctl *ctl, const char *text)
{
    char *line = NULL;
    size_t capacity = 0;
    if (strcmp(text, "-") != 0)
        return text;
    ssize_t size = getline(&line, &capacity, stdin);
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        size--;
    const char *copy = size < 0 || (size_t)size > LINE_MAX_BYTES
                           ? NULL
                           : arena_str(ctl->arena, slice_make(line, (size_t)size));
    free(line);
    return copy;
}

static int hash_key_of(struct ctl *ctl, const struct tenant *tenant, uint8_t key[32])
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status = database_query(
        ctl, &rows,
        "select encode(hash_key, 'hex') from accounts.organizations where tenant_id = $1", 1,
        tenant->id);
    if (status == CTL_DONE &&
        (PQntuples(rows) != 1 || hex_parse(key, 32, slice_str(PQgetvalue(rows, 0, 0))) < 0))
        return ctl_fail(CTL_FAILED, "%s has no key for identifiers", tenant->name);
    return status;
}

int command_hash(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    uint8_t key[32], hash[PRIVACY_HASH_SIZE];
    char hex[2 * PRIVACY_HASH_SIZE + 1];
    const char *kind = privacy_kind(slice_str(args->positional[1]));
    if (!kind)
        return ctl_fail(CTL_USAGE, "KIND is one of " PRIVACY_KINDS ", not '%s'",
                        args->positional[1]);
    const char *value = argument(ctl, args->positional[2]);
    if (!value || !*value)
        return ctl_fail(CTL_USAGE, "VALUE is empty");
    int status = tenant_find(ctl, args->positional[0], &tenant);
    if (status == CTL_DONE)
        status = hash_key_of(ctl, &tenant, key);
    if (status != CTL_DONE)
        return status;
    privacy_hash(hash, key, kind, slice_str(value));
    privacy_wipe(key, sizeof(key));
    hex_format(hex, hash, sizeof(hash));
    status = audit(ctl, tenant.id, "identifier.hash", kind, NULL, hex);
    if (status == CTL_DONE)
        printf("%s\n", hex);
    return status;
}

/* ---- unseal ---- */

int subject_key(struct ctl *ctl, const struct tenant *tenant, const uint8_t subject[16],
                uint8_t key[PRIVACY_KEY_SIZE])
{
    _cleanup_(database_free) PGresult *rows = NULL;
    uint8_t master[PRIVACY_KEY_SIZE], wrapped[PRIVACY_WRAPPED_SIZE];
    struct err err = {0};
    if (privacy_master_load(master, ctl->place.master_key, ctl->place.master_key_file, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    int status = database_query(
        ctl, &rows,
        "select encode(key, 'hex') from vault.keys where tenant_id = $1 and subject = $2", 2,
        tenant->id, database_bytea(ctl, subject, 16));
    if (status == CTL_DONE && PQntuples(rows) == 0)
        status = ctl_fail(CTL_FAILED, "the vault has no key of this subject");
    else if (status == CTL_DONE && !database_text(rows, 0, 0))
        status =
            ctl_fail(CTL_FAILED,
                     "this subject's key was destroyed: what was sealed can never be read again");
    else if (status == CTL_DONE &&
             (hex_parse(wrapped, sizeof(wrapped), slice_str(PQgetvalue(rows, 0, 0))) < 0 ||
              privacy_unwrap(key, master, tenant->uuid.bytes, subject,
                             slice_make(wrapped, sizeof(wrapped))) < 0))
        status = ctl_fail(CTL_FAILED, "the key was wrapped by another master key");
    privacy_wipe(master, sizeof(master));
    return status;
}

/* `tail` shows bytes as hex; base64 is what others' tools show. */
static int decode(struct buf *sealed, const char *text)
{
    size_t size = strlen(text);
    buf_reset(sealed);
    if (size % 2 == 0 && strspn(text, "0123456789abcdefABCDEF") == size) {
        uint8_t *out = buf_extend(sealed, size / 2);
        return out ? hex_parse(out, size / 2, slice_make(text, size)) : ERR_NO_MEMORY;
    }
    return base64_decode(sealed, slice_make(text, size));
}

static int open_one(struct ctl *ctl, const struct tenant *tenant, const uint8_t subject[16],
                    const uint8_t key[PRIVACY_KEY_SIZE], const char *text)
{
    _cleanup_(buf_deinit) struct buf sealed = {0};
    if (decode(&sealed, text) < 0 || sealed.size < PRIVACY_SEAL_OVERHEAD)
        return ctl_fail(CTL_USAGE, "SEALED is hex or base64 of a sealed part");
    size_t size = sealed.size - PRIVACY_SEAL_OVERHEAD;
    uint8_t *plain = arena_alloc(ctl->arena, size + 1);
    if (!plain)
        return ctl_fail(CTL_FAILED, "no memory");
    if (privacy_unseal(plain, key, tenant->uuid.bytes, subject, buf_slice(&sealed)) < 0)
        return ctl_fail(CTL_FAILED,
                        "it was not sealed for this tenant and subject, or it was changed");
    printf("%.*s\n", (int)size, (const char *)plain);
    privacy_wipe(plain, size);
    return CTL_DONE;
}

int command_unseal(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    uint8_t subject[16], key[PRIVACY_KEY_SIZE];
    int64_t day_us;
    struct slice name = slice_str(args->positional[1]);
    bool lines = strcmp(args->positional[2], "-") == 0;
    if (time_parse(&day_us, NULL, name) == 0)
        privacy_day(subject, day_us);
    else if (hex_parse(subject, sizeof(subject), name) < 0)
        return ctl_fail(
            CTL_USAGE,
            "SUBJECT is 32 hex digits (a user's hash, or a device's), or a day (2026-01-31)");
    int status = tenant_find(ctl, args->positional[0], &tenant);
    if (status == CTL_DONE)
        status = subject_key(ctl, &tenant, subject, key);
    if (status == CTL_DONE)
        status = audit(ctl, tenant.id, "sealed.open", args->positional[1], NULL, NULL);
    const char *text = status == CTL_DONE ? argument(ctl, args->positional[2]) : NULL;
    while (status == CTL_DONE && text) {
        status = open_one(ctl, &tenant, subject, key, text);
        text = lines ? argument(ctl, "-") : NULL;
    }
    privacy_wipe(key, sizeof(key));
    return status;
}
