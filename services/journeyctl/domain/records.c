#include "records.h"
#include "csv.h"

void records_init(struct records *records, bool csv, uint64_t offset, uint64_t line)
{
    *records = (struct records){.csv = csv, .offset = offset, .line = line};
}

void records_deinit(struct records *records)
{
    buf_deinit(&records->buf);
}

void records_feed(struct records *records, const void *data, size_t size)
{
    size_t left = records->buf.size - records->at;
    if (left)
        memmove(records->buf.data, records->buf.data + records->at, left);
    records->buf.size = left;
    records->at = 0;
    buf_append(&records->buf, data, size);
}

static size_t line_size(struct slice text)
{
    const uint8_t *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
    return end ? (size_t)(end - text.data) + 1 : 0;
}

static void advance(struct records *records, struct slice taken)
{
    records->at += taken.size;
    records->offset += taken.size;
    for (size_t i = 0; i < taken.size; i++)
        records->line += taken.data[i] == '\n';
}

static struct slice without_end(struct slice text)
{
    if (text.size && text.data[text.size - 1] == '\n')
        text.size--;
    if (text.size && text.data[text.size - 1] == '\r')
        text.size--;
    return text;
}

bool records_next(struct records *records, bool last, struct record *record)
{
    while (records->at < records->buf.size) {
        struct slice rest =
            slice_make(records->buf.data + records->at, records->buf.size - records->at);
        size_t size = records->csv && !records->skipping ? csv_record_size(rest) : line_size(rest);
        bool ended = size > 0;
        if (!ended && !last && rest.size <= RECORD_MAX)
            return false;
        bool open = records->csv && !records->skipping && (!ended || size > RECORD_MAX) &&
                    line_size(rest) > 0;
        if (open)
            size = line_size(rest);
        else if (!ended)
            size = rest.size;
        struct slice text = slice_make(rest.data, size);
        bool skipped = records->skipping;
        records->skipping = !ended && !open && !last;
        *record = (struct record){.text = without_end(text),
                                  .line = records->line,
                                  .too_long = open || size > RECORD_MAX};
        advance(records, text);
        if (!skipped)
            return true;
    }
    return false;
}

void records_cut(struct records *records, struct record *record)
{
    size_t size = line_size(record->text);
    size_t at = (size_t)(record->text.data - records->buf.data) + size;
    if (!size)
        return;
    records->offset -= records->at - at;
    for (size_t i = at; i < records->at; i++)
        records->line -= records->buf.data[i] == '\n';
    records->at = at;
    record->text = without_end(slice_make(record->text.data, size));
}
