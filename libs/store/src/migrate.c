/*
 * Migrations: folder/<schema>/NNN_name.sql, each once, in order, in a transaction with the row that remembers it.
 * "common" comes first: functions that the others call. See migrations/README.md.
 */
#include "pg.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define COMMON        "common"
#define VAULT         "vault"
#define FILE_LIMIT    ((size_t)4 << 20)
#define NAME_LIMIT    48
#define PARTITIONS    "16"
#define PARTITIONS_AT "JOURNEY_PARTITIONS" /* every topic's count, set at installation */

struct migrate {
    PGconn *conn;
    const char *folder;
    char partitions[8];
    struct buf *report;
    struct err *err;
};

/* ---- folders ---- */

struct names {
    struct dirent **entries;
    int n;
};

static void names_free(struct names *names)
{
    for (int e = 0; e < names->n; e++)
        free(names->entries[e]);
    free((void *)names->entries);
}

static int is_schema(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size <= NAME_LIMIT &&
           strspn(entry->d_name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == size;
}

static int is_migration(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t size = strlen(name);
    return size > 8 && strspn(name, "0123456789") == 3 && name[3] == '_' &&
           strcmp(name + size - 4, ".sql") == 0;
}

/* By bytes, "common" before all others. */
static int name_order(const struct dirent **a, const struct dirent **b)
{
    bool common_a = strcmp((*a)->d_name, COMMON) == 0, common_b = strcmp((*b)->d_name, COMMON) == 0;
    return common_a != common_b ? common_b - common_a : strcmp((*a)->d_name, (*b)->d_name);
}

static int names_read(struct names *names, const char *path, int (*filter)(const struct dirent *),
                      struct err *err)
{
    int n = scandir(path, &names->entries, filter, name_order);
    if (n < 0)
        return err_set(err, ERR_NOT_FOUND, ERR_CLASS_FATAL, "store: no migrations in %.100s", path);
    names->n = n;
    return 0;
}

static void file_close(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static int file_read(const char *path, struct buf *text, struct err *err)
{
    FILE *file _cleanup_(file_close) = fopen(path, "re");
    if (!file)
        return err_set(err, ERR_NOT_FOUND, ERR_CLASS_FATAL, "store: cannot read %.150s", path);
    text->limit = FILE_LIMIT;
    char block[8192];
    size_t n;
    while ((n = fread(block, 1, sizeof(block), file)) > 0)
        buf_append(text, block, n);
    if (ferror(file) || text->overflow)
        return err_set(err, ERR_INVALID, ERR_CLASS_FATAL, "store: cannot read %.150s", path);
    return 0;
}

static bool is_folder(const char *folder, const char *name)
{
    char path[1024];
    struct stat status;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* ---- a schema ---- */

/* A role's name is the cluster's, so another database may have made it, even just now. */
static const char role_sql[] =
    "do $$ begin"
    "   create role \"%1$s\" nologin;"
    " exception when duplicate_object or unique_violation then null; end $$;"
    " do $$ begin if not pg_has_role(current_user, '%1$s', 'member') then"
    "   execute format('grant %%I to %%I', '%1$s', current_user); end if; end $$;";

/* Schemas that no service works in: their files say who may call their functions. */
static bool has_role(const char *schema)
{
    return strcmp(schema, COMMON) != 0 && strcmp(schema, VAULT) != 0;
}

static void role_name(char *out, size_t size, const char *schema)
{
    (void)snprintf(out, size, "journey_%.*s", (int)size - 9, schema);
    for (char *c = out; *c; c++)
        if (*c == '-')
            *c = '_';
}

static int schema_make(struct migrate *m, const char *schema)
{
    int rc = store_pg_sync_execf(
        m->conn, m->err,
        "create schema if not exists \"%s\"; create table if not exists \"%s\".migrations"
        " (name text primary key, hash text not null, applied_at timestamptz not null"
        " default now())",
        schema, schema);
    if (rc < 0 || !has_role(schema))
        return rc;
    char role[NAME_LIMIT + 16];
    role_name(role, sizeof(role), schema);
    return store_pg_sync_execf(m->conn, m->err, role_sql, role);
}

static int schema_grant(struct migrate *m, const char *schema)
{
    if (!has_role(schema))
        return 0;
    char role[NAME_LIMIT + 16];
    role_name(role, sizeof(role), schema);
    return store_pg_sync_execf(
        m->conn, m->err,
        "grant usage on schema \"%1$s\" to \"%2$s\";"
        " grant select, insert, update, delete on all tables in schema \"%1$s\" to \"%2$s\";"
        " grant usage on all sequences in schema \"%1$s\" to \"%2$s\";"
        " revoke insert, update, delete on \"%1$s\".migrations from \"%2$s\"",
        schema, role);
}

/* ---- a file ---- */

/* 1: applied before with this content. */
static int applied(struct migrate *m, const char *schema, const char *name, const char *hash)
{
    char sql[160];
    const char *const params[] = {name};
    PGresult *row _cleanup_(store_pg_result_clear) = NULL;
    (void)snprintf(sql, sizeof(sql), "select hash from \"%s\".migrations where name = $1", schema);
    int rc = store_pg_sync_query(m->conn, &row, sql, 1, params, m->err);
    if (rc < 0 || PQntuples(row) == 0)
        return rc;
    if (strcmp(PQgetvalue(row, 0, 0), hash) != 0)
        return err_set(m->err, ERR_CONFLICT, ERR_CLASS_FATAL,
                       "store: migration %s/%.100s was changed after it had been applied: restore "
                       "it, and put the "
                       "change into a new file",
                       schema, name);
    return 1;
}

static int file_run(struct migrate *m, const char *schema, const char *name, const char *sql,
                    const char *hash)
{
    int rc = store_pg_sync_execf(
        m->conn, m->err,
        "begin; set local search_path = \"%s\"; set local journey.partitions = '%s'", schema,
        m->partitions);
    if (rc == 0)
        rc = store_pg_sync_exec(m->conn, sql, m->err);
    if (rc == 0 && PQtransactionStatus(m->conn) != PQTRANS_INTRANS)
        rc = err_set(m->err, ERR_INVALID, ERR_CLASS_FATAL, "store: it ends the transaction itself");
    if (rc == 0)
        rc = store_pg_sync_execf(
            m->conn, m->err,
            "insert into \"%s\".migrations (name, hash) values ('%s', '%s'); commit", schema, name,
            hash);
    if (rc < 0) {
        struct err cause = m->err ? *m->err : (struct err){0};
        (void)!store_pg_sync_exec(m->conn, "rollback", NULL);
        return err_set(m->err, rc, cause.class, "store: migration %s/%.80s: %.120s", schema, name,
                       cause.message);
    }
    buf_printf(m->report, "applied %s/%s\n", schema, name);
    return 0;
}

static int file_apply(struct migrate *m, const char *schema, const char *name)
{
    char path[1024], hash[65];
    uint8_t digest[32];
    struct buf sql _cleanup_(buf_deinit) = {0};
    (void)snprintf(path, sizeof(path), "%s/%s/%s", m->folder, schema, name);
    int rc = file_read(path, &sql, m->err);
    if (rc < 0)
        return rc;
    if (strchr(name, '\''))
        return err_set(m->err, ERR_INVALID, ERR_CLASS_FATAL, "store: bad name of a migration in %s",
                       schema);
    hash_sha256(digest, buf_slice(&sql));
    hex_format(hash, digest, sizeof(digest));
    rc = applied(m, schema, name, hash);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return file_run(m, schema, name, sql.data ? (const char *)sql.data : "", hash);
}

static int schema_apply(struct migrate *m, const char *schema)
{
    char path[1024];
    struct names files _cleanup_(names_free) = {0};
    (void)snprintf(path, sizeof(path), "%s/%s", m->folder, schema);
    int rc = names_read(&files, path, is_migration, m->err);
    for (int f = 0; rc == 0 && f < files.n; f++)
        rc = file_apply(m, schema, files.entries[f]->d_name);
    return rc < 0 ? rc : schema_grant(m, schema);
}

/* ---- all of them ---- */

static int partitions_read(struct migrate *m)
{
    const char *text = getenv(PARTITIONS_AT);
    if (!text || !*text)
        text = PARTITIONS;
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || n < 1 || n > 1024)
        return err_set(m->err, ERR_INVALID, ERR_CLASS_FATAL, PARTITIONS_AT ": 1..1024 expected");
    (void)snprintf(m->partitions, sizeof(m->partitions), "%ld", n);
    return 0;
}

/* All schemas and roles before any file: a file may grant something to another schema's role. */
static int migrate_all(struct migrate *m)
{
    struct names schemas _cleanup_(names_free) = {0};
    int rc = names_read(&schemas, m->folder, is_schema, m->err);
    for (int s = 0; rc == 0 && s < schemas.n; s++)
        if (is_folder(m->folder, schemas.entries[s]->d_name))
            rc = schema_make(m, schemas.entries[s]->d_name);
    for (int s = 0; rc == 0 && s < schemas.n; s++)
        if (is_folder(m->folder, schemas.entries[s]->d_name))
            rc = schema_apply(m, schemas.entries[s]->d_name);
    return rc;
}

int store_pg_migrate(const char *url, const char *folder, struct buf *report, struct err *err)
{
    PGconn *conn _cleanup_(store_pg_sync_close) =
        store_pg_sync_connect(url, "journey-migrate", err);
    if (!conn)
        return ERR_UNAVAILABLE;
    struct migrate m = {.conn = conn, .folder = folder, .report = report, .err = err};
    int rc = partitions_read(&m);
    if (rc == 0)
        rc = store_pg_sync_lock(conn, "migrate", err);
    return rc < 0 ? rc : migrate_all(&m);
}
