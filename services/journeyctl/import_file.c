/* One file, record by record, as events. */
#include "import.h"
#include "json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

#define PIECE_BYTES ((size_t)128 * 1024)
#define ARENA_BYTES ((size_t)4 << 20)

struct reading {
    struct import *import;
    gzFile file;
    uint64_t size; /* of the file as it is on disk */
    bool csv, print;
    const char *map;
    struct records records;
    struct columns columns;
    struct buf row; /* of CSV, which is taken apart in place */
    struct slice cells[CSV_MAX_COLUMNS];
    struct err why; /* the last record is no event */
};

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- one record ---- */

/* The same for the same record of the same file, zipped or not. */
static void make_id(const struct import *import, const struct record *record, char id[48])
{
    const char *name = file_name(import->path);
    size_t size = strlen(name);
    if (size > 3 && strcmp(name + size - 3, ".gz") == 0)
        size -= 3;
    uint8_t hash[16];
    char line[24];
    (void)snprintf(line, sizeof(line), "%" PRIu64, record->line);
    const struct slice parts[] = {slice_make(name, size), slice_str(line), record->text};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    memcpy(id, "import-", 7);
    hex_format(id + 7, hash, sizeof(hash));
}

static int no_event(struct reading *reading, const char *why)
{
    return err_set(&reading->why, ERR_INVALID, ERR_CLASS_PERMANENT, "%s", why);
}

/* The id is put first: where the event has one of its own, the later one counts. */
static int write_json(struct reading *reading, struct slice text, const char *id)
{
    struct import *import = reading->import;
    struct json_reader r = json_reader_make(text, &reading->why);
    struct slice whole;
    int type = json_reader_type(&r), status = json_reader_value(&r, &whole);
    if (status < 0)
        return status;
    if (!json_reader_done(&r))
        return no_event(reading, "there is more text behind the event");
    if (type != JSON_OBJECT)
        return no_event(reading, "an event is a JSON object");
    struct json_reader inside = json_reader_make(slice_make(whole.data + 1, whole.size - 1), NULL);
    bool empty = json_reader_type(&inside) < 0 && *inside.at == '}';
    buf_printf(&import->events, "{\"%s\":\"%s\"%s", import->id_path, id, empty ? "" : ",");
    buf_append(&import->events, whole.data + 1, whole.size - 1);
    return 0;
}

/* Negative: the record is no event; `why` says why. */
static int write_event(struct reading *reading, struct record *record)
{
    struct import *import = reading->import;
    char id[48];
    make_id(import, record, id);
    if (!reading->csv)
        return write_json(reading, record->text, id);
    buf_reset(&reading->row);
    buf_append_slice(&reading->row, record->text);
    if (reading->row.overflow)
        return no_event(reading, "no memory");
    int n = csv_record_parse(reading->cells, (char *)reading->row.data, reading->row.size,
                             &reading->why);
    if (n < 0) {
        records_cut(&reading->records, record);
        return n;
    }
    return columns_write(&reading->columns, reading->cells, (unsigned)n, import->id_path, id,
                         &import->events, &reading->why);
}

static int take_record(struct reading *reading, struct record *record)
{
    struct import *import = reading->import;
    struct import_event event = {.at = import->events.size,
                                 .raw_at = import->raws.size,
                                 .raw_size = record->text.size,
                                 .line = record->line};
    bool blank = true;
    for (size_t i = 0; blank && i < record->text.size; i++)
        blank = record->text.data[i] <= ' ';
    if (blank)
        return CTL_DONE;
    if (record->too_long)
        return import_reject(import, record->line, "", "too_large",
                             reading->csv ? "a quote is not closed, or the record is too long"
                                          : "the line is too long",
                             record->text);
    if (write_event(reading, record) < 0) {
        import->events.size = event.at;
        return import_reject(import, record->line, "",
                             reading->csv ? "invalid_csv" : "invalid_json", reading->why.message,
                             record->text);
    }
    event.size = import->events.size - event.at;
    if (reading->print) {
        printf("%.*s\n", (int)event.size, (const char *)import->events.data + event.at);
        buf_reset(&import->events);
        return CTL_DONE;
    }
    buf_append_slice(&import->raws, record->text);
    import->list[import->n++] = event;
    return CTL_DONE;
}

/* ---- a file ---- */

/* All that was read so far is answered, and that is written down. */
static int settle(struct reading *reading)
{
    struct import *import = reading->import;
    if (reading->print)
        return CTL_DONE;
    if (reading->size && import->progress)
        import->progress->part = (double)gzoffset(reading->file) / (double)reading->size;
    int status = import_send(import);
    if (status != CTL_DONE)
        return status;
    import->state.offset = reading->records.offset;
    import->state.line = reading->records.line;
    return import_state_save(import);
}

static int take_records(struct reading *reading, bool last)
{
    struct import *import = reading->import;
    struct record record;
    int status = CTL_DONE;
    while (status == CTL_DONE && records_next(&reading->records, last, &record)) {
        status = take_record(reading, &record);
        if (status == CTL_DONE && (import->n == IMPORT_BATCH_EVENTS ||
                                   import->events.size > IMPORT_BATCH_BYTES - 2 * RECORD_MAX))
            status = settle(reading);
    }
    return status;
}

static int damaged(const struct reading *reading)
{
    return ctl_fail(CTL_FAILED, "%s is damaged, or ends too early", reading->import->path);
}

static int read_file(struct reading *reading)
{
    char *piece = malloc(PIECE_BYTES);
    int status = piece ? CTL_DONE : ctl_fail(CTL_FAILED, "no memory");
    int got = 0;
    while (status == CTL_DONE && (got = gzread(reading->file, piece, PIECE_BYTES)) > 0) {
        records_feed(&reading->records, piece, (size_t)got);
        status = take_records(reading, false);
    }
    free(piece);
    if (status == CTL_DONE && got < 0)
        status = damaged(reading);
    if (status == CTL_DONE)
        status = take_records(reading, true);
    return status == CTL_DONE ? settle(reading) : status;
}

/* The columns, which every start needs, and the place behind them. */
static int read_header(struct reading *reading)
{
    struct import *import = reading->import;
    struct err err;
    char *text = arena_alloc(import->arena, RECORD_MAX + 1);
    if (!text)
        return ctl_fail(CTL_FAILED, "no memory");
    int got = gzread(reading->file, text, RECORD_MAX);
    if (got < 0)
        return damaged(reading);
    size_t mark = got >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    size_t size = csv_record_size(slice_make(text + mark, (size_t)got - mark));
    size = size ? size : (size_t)got - mark;
    uint64_t line = 1;
    for (size_t i = 0; i < size; i++)
        line += text[mark + i] == '\n';
    if (columns_parse(&reading->columns, text + mark, size, reading->map, import->arena, &err) < 0)
        return ctl_fail(CTL_FAILED,
                        "%s: %s\n  --map says which path a column is: --map "
                        "'price=properties.price,customer=userId'",
                        import->path, err.message);
    if (import->state.offset == 0) {
        import->state.offset = mark + size;
        import->state.line = line;
    }
    return CTL_DONE;
}

static int open_file(struct reading *reading)
{
    struct import *import = reading->import;
    struct stat info;
    reading->file = gzopen(import->path, "rb");
    if (!reading->file || stat(import->path, &info) != 0)
        return ctl_fail(CTL_FAILED, "%s cannot be opened", import->path);
    reading->size = (uint64_t)info.st_size;
    int status = reading->csv ? read_header(reading) : CTL_DONE;
    if (status == CTL_DONE && gzseek(reading->file, (z_off_t)import->state.offset, SEEK_SET) !=
                                  (z_off_t)import->state.offset)
        status = damaged(reading);
    records_init(&reading->records, reading->csv, import->state.offset, import->state.line);
    return status;
}

static void say_outcome(const struct import *import)
{
    printf("%s: accepted %" PRIu64 ", rejected %" PRIu64 "%s%s%s\n", import->path,
           import->state.accepted, import->state.rejected, import->state.rejected ? ", see " : "",
           import->state.rejected ? import->path : "", import->state.rejected ? ".rejected" : "");
}

static int import_opened(struct reading *reading, bool restart)
{
    struct import *import = reading->import;
    import->arena = arena_create(ARENA_BYTES);
    int status = import->arena ? CTL_DONE : ctl_fail(CTL_FAILED, "no memory");
    if (status == CTL_DONE && !reading->print)
        status = import_state_open(import, restart);
    if (status == CTL_DONE && import->state.offset > 0)
        (void)fprintf(stderr, "%s: goes on at line %" PRIu64 " (--restart: from the beginning)\n",
                      import->path, import->state.line);
    if (status == CTL_DONE)
        status = open_file(reading);
    if (status == CTL_DONE)
        status = read_file(reading);
    if (import->progress->sent)
        import_progress_show(import->progress, true);
    if (!reading->print)
        say_outcome(import);
    if (reading->file)
        (void)gzclose_r(reading->file);
    import_state_close(import);
    records_deinit(&reading->records);
    buf_deinit(&import->events);
    buf_deinit(&import->raws);
    buf_deinit(&reading->row);
    arena_destroy(&import->arena);
    return status == CTL_DONE && import->state.rejected ? CTL_PARTLY : status;
}

int import_file(struct import *import, const struct import_options *options)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    if (!reading)
        return ctl_fail(CTL_FAILED, "no memory");
    reading->import = import;
    reading->csv = options->csv;
    reading->print = options->print;
    reading->map = options->map;
    int status = import_opened(reading, options->restart);
    free(reading);
    return status;
}
