#pragma once
/*
 * records: a file's records one after the other, out of pieces as they are read: lines, or records of CSV, whose quoted
 * cells may hold line ends.
 *
 * A record that grows over the limit is given back marked. In CSV a quote that is not closed would take what follows
 * with it: there the line where it begins is given back alone, and the next one begins a record again.
 */
#include "base.h"

#define RECORD_MAX ((size_t)64 * 1024) /* the gateway takes events of 32 KB */

struct records {
    bool csv;
    struct buf buf;
    size_t at;       /* where the next record begins in buf */
    uint64_t offset; /* and in the file */
    uint64_t line;   /* and its line, from 1 */
    bool skipping;   /* what is left of a line that was too long */
};

struct record {
    struct slice text; /* without its line end; borrowed until the next call */
    uint64_t line;
    bool too_long; /* or, in CSV, with a quote that is not closed: text is how it begins */
};

void records_init(struct records *records, bool csv, uint64_t offset, uint64_t line);
void records_deinit(struct records *records);
void records_feed(struct records *records, const void *data, size_t size);
/* false: more is needed; when `last`, there is none left. */
bool records_next(struct records *records, bool last, struct record *record);
/* The record's quotes are no quotes: it is its first line alone, and the next one begins behind that. */
void records_cut(struct records *records, struct record *record);
