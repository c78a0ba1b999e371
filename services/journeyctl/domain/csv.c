/* One pass over the text; a quoted cell is moved together over its doubled quotes, so nothing is copied elsewhere. */
#include "csv.h"

#include <stdlib.h>

struct reader {
    char *at, *end;
    size_t line;
    bool single; /* one record alone, where NA is a text */
};

static int bad(const struct reader *r, struct err *err, const char *what)
{
    if (r->single)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s", what);
    return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "line %zu: %s", r->line, what);
}

static int take_quoted(struct reader *r, struct slice *cell, struct err *err)
{
    char *start = ++r->at, *out = start;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '"') {
            if (r->at + 1 == r->end || r->at[1] != '"')
                break;
            r->at++;
        } else if (*r->at == '\n') {
            r->line++;
        }
        *out++ = *r->at;
    }
    if (r->at == r->end)
        return bad(r, err, "a quote is not closed");
    r->at++;
    *cell = slice_make(start, (size_t)(out - start));
    if (r->at < r->end && *r->at != ',' && *r->at != '\n' && *r->at != '\r')
        return bad(r, err, "there is text after a closing quote");
    return 0;
}

static void take_plain(struct reader *r, struct slice *cell)
{
    char *start = r->at;
    while (r->at < r->end && *r->at != ',' && *r->at != '\n')
        r->at++;
    size_t size = (size_t)(r->at - start);
    if (size > 0 && start[size - 1] == '\r' && (r->at == r->end || *r->at == '\n'))
        size--;
    *cell = slice_make(start, size);
    if (!r->single && slice_equal_str(*cell, "NA"))
        *cell = slice_make(NULL, 0);
}

/* Returns how many cells the line has; 0: it is empty. */
static int take_line(struct reader *r, struct slice *cells, struct err *err)
{
    unsigned n = 0;
    for (;;) {
        if (n == CSV_MAX_COLUMNS)
            return bad(r, err, "there are too many columns");
        if (r->at < r->end && *r->at == '"') {
            int status = take_quoted(r, &cells[n], err);
            if (status < 0)
                return status;
        } else {
            take_plain(r, &cells[n]);
        }
        n++;
        if (r->at == r->end || *r->at != ',')
            break;
        r->at++;
    }
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end && *r->at != '\n')
        return bad(r, err, "a carriage return stands inside a line");
    r->at += r->at < r->end;
    return n == 1 && cells[0].data && cells[0].size == 0 ? 0 : (int)n;
}

static int table_grow(struct csv_table *table, size_t *capacity, struct err *err)
{
    size_t wanted = *capacity ? 2 * *capacity : 1024;
    struct slice *cells = reallocarray(table->cells, wanted * table->n_columns, sizeof(*cells));
    if (!cells)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for %zu rows", wanted);
    table->cells = cells;
    *capacity = wanted;
    return 0;
}

static int take_rows(struct csv_table *table, struct reader *r, struct err *err)
{
    struct slice cells[CSV_MAX_COLUMNS] = {{NULL, 0}};
    size_t capacity = 0;
    for (; r->at < r->end; r->line++) {
        int n = take_line(r, cells, err);
        if (n < 0)
            return n;
        if (n == 0)
            continue;
        if ((unsigned)n != table->n_columns)
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                           "line %zu has %d columns, the header has %u", r->line, n,
                           table->n_columns);
        int status = table->n_rows == capacity ? table_grow(table, &capacity, err) : 0;
        if (status < 0)
            return status;
        assert(table->cells);
        memcpy(table->cells + table->n_rows++ * table->n_columns, cells,
               table->n_columns * sizeof(*cells));
    }
    return 0;
}

int csv_table_parse(struct csv_table *table, char *text, size_t size, struct err *err)
{
    struct reader r = {text, text + size, 1, false};
    struct csv_table result = {0};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r.at += 3;
    int n = take_line(&r, result.header, err);
    if (n < 0)
        return n;
    if (n == 0)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "the first line names no columns");
    result.n_columns = (unsigned)n;
    r.line++;
    int status = take_rows(&result, &r, err);
    if (status < 0) {
        csv_table_deinit(&result);
        return status;
    }
    *table = result;
    return 0;
}

int csv_record_parse(struct slice cells[CSV_MAX_COLUMNS], char *text, size_t size, struct err *err)
{
    struct reader r = {text, text + size, 1, true};
    int n = take_line(&r, cells, err);
    if (n >= 0 && r.at != r.end)
        return bad(&r, err, "there is text behind the record's end");
    return n;
}

size_t csv_record_size(struct slice text)
{
    bool quoted = false, cell_begins = true;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (quoted) { /* a doubled quote ends the quoting and begins it again */
            quoted = c != '"';
            cell_begins = !quoted;
        } else if (c == '\n') {
            return i + 1;
        } else {
            quoted = c == '"' && cell_begins;
            cell_begins = c == ',';
        }
    }
    return 0;
}

void csv_table_deinit(struct csv_table *table)
{
    free(table->cells);
    *table = (struct csv_table){0};
}

int csv_column(const struct csv_table *table, const char *name)
{
    for (unsigned i = 0; i < table->n_columns; i++)
        if (slice_equal_str(table->header[i], name))
            return (int)i;
    return -1;
}
