#pragma once
/*
 * database: synchronous SQL for a person at a terminal; parameters and results as text.
 *
 *     _cleanup_(database_free) PGresult *rows = NULL;
 *     status = database_query(ctl, &rows, "select ... $1", 1, name);
 */
#include "ctl.h"

#include <libpq-fe.h>

/* Connects at first. Returns CTL_DONE and the result, or says the error. Parameters: n const char *, NULL is null. */
int database_query(struct ctl *ctl, PGresult **rows, const char *sql, int n, ...) MUST_CHECK;
/* The same where only the outcome matters. */
int database_run(struct ctl *ctl, const char *sql, int n, ...) MUST_CHECK;
/* Undoes what database_run(ctl, "begin", 0) began; says nothing. */
void database_rollback(struct ctl *ctl);
/* Makes sure that DATABASE_URL is known; says what to do otherwise. */
int database_place(struct ctl *ctl) MUST_CHECK;
/* Whether the last failed query broke a unique index. */
bool database_was_duplicate(struct ctl *ctl);
void database_close(struct ctl *ctl);

static inline void database_free(PGresult **rows)
{
    PQclear(*rows);
    *rows = NULL;
}
static inline const char *database_text(const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) ? NULL : PQgetvalue(rows, row, column);
}
/* n bytes as the text of a bytea. */
const char *database_bytea(struct ctl *ctl, const uint8_t *data, size_t size);
