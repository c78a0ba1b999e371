#pragma once
/* The twin's database: what the transactions of every store that shares it do to it. */
#include "internal.h"

struct store_mem_commit { /* a row of the commits table */
    int64_t n, epoch, done;
    int32_t tries;
    struct slice offsets, numbers, watermarks, outbox; /* malloc'ed */
};

struct store_mem_part {
    int32_t part;
    struct store_mem_commit *commits; /* ascending n, the newest last */
    unsigned n, capacity;
};

/* Rows in key order; each one malloc'ed block: the values, then what their slices point to. */
struct store_mem_table {
    const struct store_table *table;
    struct store_value **rows;
    unsigned n, capacity;
};

#define STORE_MEM_TABLES 128
#define STORE_MEM_LATE   256

struct store_mem_late { /* a transaction that nobody waits for any more */
    struct arena *arena;
    struct store_commit commit;
    bool own;
    int32_t part;
};

struct store_mem_db {
    struct store_mem_table tables[STORE_MEM_TABLES];
    unsigned n_tables;
    struct store_mem_part *parts;
    unsigned n_parts;
    struct store_mem_late late[STORE_MEM_LATE];
    unsigned n_late;
};

void *store_mem_alloc(size_t size); /* aborts when there is none: the twin is for tests */

/* mem_table.c */
struct store_mem_table *store_mem_table_get(struct store_mem_db *db,
                                            const struct store_table *table);
/* First row whose key is not less; *found: whether it is equal. */
unsigned store_mem_table_find(const struct store_mem_table *mem, const struct store_value *key,
                              bool *found);
void store_mem_table_insert(struct store_mem_table *mem, unsigned at, struct store_value *row);
void store_mem_table_take(struct store_mem_table *mem,
                          unsigned at); /* out of the table; the row is not freed */
struct store_value *store_mem_row_copy(const struct store_table *table,
                                       const struct store_value *values);
int store_mem_find(struct store_mem_db *db, struct store_load *load);

/* mem_commit.c: each is one transaction; they fill err, and what else the request returns */
int store_mem_own(struct store_mem_db *db, struct store_own *own);
int store_mem_commit(struct store_mem_db *db, struct store_commit *commit);
void store_mem_parts_free(struct store_mem_db *db);

/* mem_late.c */
void store_mem_late_commit(struct store_mem_db *db, const struct store_commit *commit);
void store_mem_late_own(struct store_mem_db *db, int32_t part);
void store_mem_late_free(struct store_mem_db *db);
