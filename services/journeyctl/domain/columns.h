#pragma once
/*
 * columns: rows of CSV as events. A column is a path in the event ("properties.price", "anonymousId"); a map says which
 * path a column of another name is.
 *
 *   map    HEADER=PATH, by commas or line ends; HEADER= leaves a column out; HEADER=PATH:text keeps numbers as text
 *
 * A cell under properties or traits that is a JSON number, true, false, an object or a list stands in the event as such,
 * byte for byte; every other one is a text. An empty cell is no member at all.
 */
#include "base.h"
#include "csv.h"

struct column {
    const char *path; /* NULL: left out */
    unsigned cell;
    bool text;
};

struct columns {
    struct column list[CSV_MAX_COLUMNS]; /* by path, so that members of one object stand together */
    unsigned n, n_cells;
};

/* header: the file's first record, which is changed in place. map may be NULL. Paths live in the arena. */
int columns_parse(struct columns *columns, char *header, size_t size, const char *map,
                  struct arena *arena, struct err *err) MUST_CHECK;
/* Appends a JSON object; an id is added as its first member unless the row fills that path itself. ERR_INVALID: the row
 * has not as many cells as the header. */
int columns_write(const struct columns *columns, const struct slice *cells, unsigned n,
                  const char *id_path, const char *id, struct buf *out, struct err *err) MUST_CHECK;
