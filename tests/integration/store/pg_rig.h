#pragma once
/* Two stores on a real Postgres in the schema store_test, made anew by each program. */
#include "conformance.h"
#include <event2/event.h>
#include <libpq-fe.h>

struct pg_rig {
    struct rig rig; /* first: the cases see only it */
    struct event_base *base;
};

#define PG_SCHEMA "store_test"

const char *pg_url(void);
extern const struct store_pg_options pg_options;

/* A folder with migrations/common and the tests' own, as store_pg_migrate wants them; the caller removes it. */
void pg_folder_make(char folder[32]);
void pg_folder_remove(const char *folder);

/* Group: schema dropped and migrated. Test: tables emptied, two stores connected. */
int pg_group_setup(void **state);
int pg_setup(void **state);
int pg_teardown(void **state);

struct store *pg_store(struct event_base *base, const struct store_pg_options *options);
void pg_wait_ready(struct pg_rig *pg, struct store *store);

/* On a connection of its own, as the owner, in the schema. */
void pg_exec(const char *format, ...) PRINTF(1, 2);
int64_t pg_number(const char *format, ...) PRINTF(1, 2);
