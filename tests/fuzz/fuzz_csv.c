/*
 * Any bytes as a file to import. First byte: lines or CSV, and how large the pieces are in which it is read: the records are
 * the same in whatever pieces. Of CSV the first is a header, and each other one becomes an event that is JSON.
 */
#include "domain/columns.h"
#include "domain/records.h"
#include "fuzz/check.h"

static struct arena *arena;

struct import {
    struct columns *columns; /* NULL: no header yet, or a bad one */
    uint64_t hash;
};

static void take_csv(struct import *import, struct records *records, struct record *record)
{
    static struct columns columns;
    struct slice cells[CSV_MAX_COLUMNS];
    _cleanup_(buf_deinit) struct buf row = {0}, event = {0};
    buf_append_slice(&row, record->text);
    if (record->line == 1) {
        if (row.size && columns_parse(&columns, (char *)row.data, row.size, NULL, arena, NULL) == 0)
            import->columns = &columns;
        return;
    }
    if (record->too_long || !row.size)
        return;
    int n = csv_record_parse(cells, (char *)row.data, row.size, NULL);
    check(n <= CSV_MAX_COLUMNS);
    if (n < 0)
        records_cut(records, record);
    else if (import->columns && columns_write(import->columns, cells, (unsigned)n, "messageId",
                                              "import-1", &event, NULL) == 0)
        check_object(buf_slice(&event));
}

static uint64_t read_records(struct slice text, bool csv, size_t piece)
{
    struct records records;
    struct record record;
    struct import import = {NULL, 0};
    size_t at = 0;
    records_init(&records, csv, 0, 1);
    for (bool last = false; !last;) {
        size_t n = text.size - at < piece ? text.size - at : piece;
        records_feed(&records, text.data + at, n);
        at += n;
        last = at == text.size;
        while (records_next(&records, last, &record)) {
            check(record.line >= 1 && record.line <= text.size + 1);
            if (csv)
                take_csv(&import, &records, &record);
            uint64_t of[] = {record.line, record.too_long, import.hash};
            import.hash =
                hash64(record.text.data, record.text.size, hash64(of, sizeof(of), records.offset));
        }
    }
    check(records.offset == text.size);
    records_deinit(&records);
    return import.hash;
}

static void read_table(struct slice text)
{
    struct csv_table table;
    char *copy = malloc(text.size + 1);
    check(copy);
    memcpy(copy, text.data, text.size);
    if (csv_table_parse(&table, copy, text.size, NULL) == 0) {
        check(table.n_columns > 0 && table.n_columns <= CSV_MAX_COLUMNS);
        size_t bytes = 0;
        for (size_t row = 0; row < table.n_rows; row++)
            for (unsigned c = 0; c < table.n_columns; c++)
                bytes += csv_cell(&table, row, c).size;
        check(bytes <= text.size);
        csv_table_deinit(&table);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned how = take_byte(&data, &size);
    struct slice text = slice_make(data, size);
    bool csv = how % 2;
    if (!size)
        return 0;
    if (!arena)
        arena = arena_create((size_t)16 << 20);
    arena_reset(arena);
    uint64_t whole = read_records(text, csv, size + 1);
    check(read_records(text, csv, how / 2 + 1) == whole);
    read_table(text);
    return 0;
}
