#pragma once
/*
 * csv: RFC 4180 text as a table of borrowed cells.
 *
 *   quoted cells may hold commas, line ends and doubled quotes; lines end with LF or CRLF; a byte-order mark and empty
 *   lines are passed over; NA without quotes is a missing value (data NULL), as R writes it
 */
#include "base.h"

#define CSV_MAX_COLUMNS 256

struct csv_table {
    struct slice *cells; /* row by row, n_columns each; quotes are resolved in place */
    size_t n_rows;
    unsigned n_columns;
    struct slice header[CSV_MAX_COLUMNS];
};

/* Reads all of text, which is changed in place and borrowed. err names the line. Cells are freed by csv_table_deinit. */
int csv_table_parse(struct csv_table *table, char *text, size_t size, struct err *err) MUST_CHECK;
void csv_table_deinit(struct csv_table *table);
/* One record alone, without its line end: how many cells it has; 0: it is empty. NA is a value like any other here. */
int csv_record_parse(struct slice cells[CSV_MAX_COLUMNS], char *text, size_t size,
                     struct err *err) MUST_CHECK;
/* How long the record is that text begins with, with its line end; 0: the end is not there yet. */
size_t csv_record_size(struct slice text);
/* -1: there is no such column */
int csv_column(const struct csv_table *table, const char *name);
static inline struct slice csv_cell(const struct csv_table *table, size_t row, unsigned column)
{
    return table->cells[row * table->n_columns + column];
}
