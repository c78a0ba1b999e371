/*
 * Bringing the index up to date.
 *
 *   positions ──► what the topics have beyond them ──► rows, and then the positions, in one transaction per so many
 *
 * Two who do it at once write the same rows, of which one stays, and move a position only from where they found it.
 */
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS_AT_ONCE     2000
#define RANGE_TIMEOUT_MS 3000
#define MAX_TEXT         500 /* of a reason; the rest of it stays with the letter */
#define MAX_COLUMN       250
#define PRUNE_EVERY_US   HOUR_US

struct indexing {
    struct letters *letters;
    struct bus_span *spans;
    int64_t *stored; /* by span: where its position stands in the database; -1: it has none */
    unsigned n;
    struct buf json;
    unsigned rows;
    struct err *err;
    int failed;
};

/* Topics whose messages some service takes. */
static bool has_letters(int topic)
{
    enum topic_kind kind = topic_info(topic)->kind;
    return kind != TOPIC_KIND_REPLIES && kind != TOPIC_KIND_COMPACTED;
}

/* Text columns hold neither NUL nor what is no UTF-8; control characters help nobody. Cut between two letters. */
static struct slice clean(struct slice s, size_t max, struct arena *arena)
{
    size_t size = 0;
    char *text = arena_alloc(arena, s.size + 1);
    for (size_t i = 0; text && i < s.size;) {
        size_t n = utf8_sequence(s.data + i, s.size - i);
        if (size + n > max)
            break;
        if (n == 0 || s.data[i] < ' ')
            text[size++] = '?';
        else
            memcpy(text + size, s.data + i, n);
        size += n && s.data[i] >= ' ' ? n : 0;
        i += n ? n : 1;
    }
    return slice_make(text, text ? size : 0);
}

static void put(struct json_writer *w, const char *name, struct slice text, size_t max,
                struct arena *arena)
{
    json_key(w, name);
    json_write_slice(w, clean(text, max, arena));
}

static void add_row(struct indexing *x, const struct letter *letter)
{
    struct arena *arena = x->letters->scratch;
    struct json_writer w = json_writer_make(&x->json);
    char tenant[UUID_TEXT_SIZE], time[TIME_TEXT_SIZE];
    uuid_format(tenant, letter->tenant.bytes);
    time_format(time, letter->time_us);
    buf_append_str(&x->json, x->rows ? "," : "[");
    json_begin_object(&w);
    put(&w, "tenant_id", slice_str(tenant), MAX_COLUMN, arena);
    put(&w, "topic", slice_str(topic_name(letter->topic)), MAX_COLUMN, arena);
    json_key(&w, "part");
    json_write_int(&w, letter->partition);
    json_key(&w, "record_offset");
    json_write_int(&w, letter->offset);
    put(&w, "record_time", slice_str(time), MAX_COLUMN, arena);
    put(&w, "code", letter->code, 100, arena);
    put(&w, "field", letter->field, MAX_COLUMN, arena);
    put(&w, "reason", letter->reason, MAX_TEXT, arena);
    put(&w, "service", letter->service, 50, arena);
    put(&w, "source", letter->source, MAX_COLUMN, arena);
    put(&w, "message_id", letter->message_id, MAX_COLUMN, arena);
    put(&w, "subject", letter->subject, MAX_COLUMN, arena);
    json_key(&w, "said");
    if (letter->said.size)
        json_write_slice(&w, clean(letter->said, MAX_COLUMN, arena));
    else
        json_write_null(&w);
    json_end_object(&w);
    x->rows++;
}

static int put_rows(struct indexing *x)
{
    if (!x->rows)
        return 0;
    buf_append_str(&x->json, "]");
    if (x->json.overflow)
        return err_set(x->err, ERR_NO_MEMORY, ERR_CLASS_TRANSIENT, "no memory for the index");
    const char *values[] = {(const char *)x->json.data};
    return letters_run(
        x->letters, x->err,
        "insert into accounts.dead_letters (tenant_id, topic, part, record_offset, record_time, "
        "code, field, reason, service, source, message_id, subject, said) "
        "select * from json_to_recordset($1::json) as r (tenant_id uuid, topic text, part int, "
        "record_offset bigint, record_time timestamptz, code text, field text, reason text, "
        "service text, source text, message_id text, subject text, said text) "
        "on conflict do nothing",
        1, values);
}

static int put_position(struct indexing *x, unsigned i)
{
    char part[12], next[24], stored[24];
    const struct bus_span *span = &x->spans[i];
    (void)snprintf(part, sizeof(part), "%d", span->partition);
    (void)snprintf(next, sizeof(next), "%lld", (long long)span->next);
    (void)snprintf(stored, sizeof(stored), "%lld", (long long)x->stored[i]);
    const char *values[] = {topic_name(span->topic), part, next, stored};
    return letters_run(x->letters, x->err,
                       "insert into accounts.dead_letter_positions as p (topic, part, next_offset) "
                       "values ($1, $2, $3) on conflict (topic, part) do update set next_offset = "
                       "excluded.next_offset where p.next_offset = $4::bigint",
                       4, values);
}

/* What was read so far is kept. */
static int put_all(struct indexing *x)
{
    int r = letters_begin(x->letters, x->err);
    if (r < 0)
        return r;
    /* one writer at a time: two that add the same rows in different orders would wait for each other */
    r = letters_run(x->letters, x->err,
                    "select pg_advisory_xact_lock(hashtextextended('journey dead letters', 0))", 0,
                    NULL);
    if (r >= 0)
        r = put_rows(x);
    for (unsigned i = 0; r >= 0 && i < x->n; i++)
        if (x->spans[i].next != x->stored[i])
            r = put_position(x, i);
    r = letters_end(x->letters, r, x->err);
    for (unsigned i = 0; r >= 0 && i < x->n; i++)
        x->stored[i] = x->spans[i].next;
    buf_reset(&x->json);
    arena_reset(x->letters->scratch);
    x->rows = 0;
    return r;
}

static bool take(void *user, const struct bus_record *record)
{
    struct indexing *x = user;
    struct letter letter;
    letter_of_record(&letter, record, x->letters->scratch);
    add_row(x, &letter);
    if (x->rows >= ROWS_AT_ONCE || arena_used(x->letters->scratch) > (size_t)16 << 20)
        x->failed = put_all(x);
    return x->failed >= 0;
}

static void stored_positions(struct indexing *x, const PGresult *rows)
{
    for (unsigned i = 0; i < x->n; i++)
        x->stored[i] = -1;
    for (int row = 0; row < PQntuples(rows); row++) {
        int topic = topic_find(PQgetvalue(rows, row, 0));
        int64_t part = strtoll(PQgetvalue(rows, row, 1), NULL, 10);
        for (unsigned i = 0; i < x->n; i++)
            if (x->spans[i].topic == topic && x->spans[i].partition == part)
                x->stored[i] = strtoll(PQgetvalue(rows, row, 2), NULL, 10);
    }
}

/* What is new in each partition. A log that ends before the position was made anew; one that begins behind it has lost some. */
static int find_spans(struct indexing *x, int32_t partitions)
{
    PGresult *rows = NULL;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        for (int32_t p = 0; has_letters(topic) && p < partitions; p++)
            x->spans[x->n++] = (struct bus_span){.topic = topic_dlq(topic), .partition = p};
    int r = letters_query(x->letters, &rows, x->err,
                          "select topic, part, next_offset from accounts.dead_letter_positions", 0,
                          NULL);
    if (r >= 0)
        stored_positions(x, rows);
    PQclear(rows);
    if (r >= 0)
        r = bus_ranges(x->letters->bus, x->spans, x->n, RANGE_TIMEOUT_MS, x->err);
    unsigned n = 0;
    for (unsigned i = 0; r >= 0 && i < x->n; i++) {
        struct bus_span span = x->spans[i];
        int64_t stored = x->stored[i];
        span.next = stored > span.end ? span.next : max_i64(stored, span.next);
        if (span.next == stored && span.next >= span.end)
            continue;
        x->stored[n] = stored;
        x->spans[n++] = span;
    }
    x->n = n;
    return r;
}

/* Rows of letters that their topics no longer have. */
static int prune(struct letters *l, struct err *err)
{
    int64_t now_us = clock_system()->now_us(clock_system());
    char before[TIME_TEXT_SIZE];
    if (now_us - l->pruned_us < PRUNE_EVERY_US)
        return 0;
    time_format(before, now_us - (LETTERS_KEPT_DAYS + 1) * DAY_US);
    const char *values[] = {before};
    int r =
        letters_run(l, err, "delete from accounts.dead_letters where record_time < $1", 1, values);
    if (r >= 0)
        l->pruned_us = now_us;
    return r;
}

int letters_refresh(struct letters *l, int timeout_ms, struct err *err)
{
    int32_t partitions = bus_partitions(l->bus);
    size_t n = (size_t)TOPIC_COUNT * (size_t)partitions;
    struct indexing x = {.letters = l, .err = err};
    x.spans = calloc(n, sizeof(*x.spans));
    x.stored = calloc(n, sizeof(*x.stored));
    if (!x.spans || !x.stored) {
        free(x.spans);
        free(x.stored);
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_TRANSIENT, "no memory for the index");
    }
    int r = prune(l, err);
    if (r >= 0)
        r = find_spans(&x, partitions);
    int all = 1;
    if (r >= 0 && x.n)
        r = all = bus_scan(l->bus, x.spans, x.n, timeout_ms, take, &x, err);
    if (r >= 0)
        r = x.failed;
    if (r >= 0 && x.n)
        r = put_all(&x);
    arena_reset(l->scratch);
    buf_deinit(&x.json);
    free(x.spans);
    free(x.stored);
    return r < 0 ? r : all;
}
