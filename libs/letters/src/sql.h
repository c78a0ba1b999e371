#pragma once
/* libpq with texts in and out. */
#include "letters.h"

#include <libpq-fe.h>

struct letters {
    char *url, *name;
    PGconn *pg; /* NULL: not connected */
    struct bus *bus;
    struct arena *scratch; /* of one call */
    int64_t pruned_us;     /* when rows without a letter were last removed */
};

int letters_query(struct letters *letters, PGresult **rows, struct err *err, const char *sql, int n,
                  const char *const *values) MUST_CHECK;
int letters_run(struct letters *letters, struct err *err, const char *sql, int n,
                const char *const *values) MUST_CHECK;
int letters_begin(struct letters *letters, struct err *err) MUST_CHECK;
/* Commits, or rolls back what failed; returns r, or why it could not be committed. */
int letters_end(struct letters *letters, int r, struct err *err) MUST_CHECK;
