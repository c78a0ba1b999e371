/*
 * GET /api/v1/events/recent. Nothing is kept for it while events come in; who asks pays:
 *
 *   journey.accepted.v1, the last records of each partition, then those before them, ... ──┐
 *                                                                                          ├─► newest first
 *   the index of dead letters ─────────────────────────────────────────────────────────────┘
 *
 * Reading goes back until what was asked for is found, or a budget is spent; the answer says how far.
 */
#include "recent.h"
#include "accepted.h"
#include "ask.h"
#include "domain/identity.h"

#include <stdlib.h>

#define FIRST_RECORDS    200 /* of each partition; then five times as many, again and again */
#define MAX_RECORDS      100000
#define MAX_READING_US   INT64_C(1500000)
#define RANGE_TIMEOUT_MS 2000
#define REFRESH_MS       2000

struct item {
    int64_t received_us;
    struct slice json;
};

struct window {
    int64_t begin, low, end; /* read: [low, end) */
    int64_t oldest_us;       /* of the record at low */
};

struct recent {
    struct ask ask;
    unsigned limit, asked; /* asked: of enum accepted_status */
    const char *message_id;
    uint8_t device[GW_HASH_SIZE], user[GW_HASH_SIZE];
    bool by_device, by_user;
    /* the thread's */
    struct item *items; /* the newest so far, in no order */
    unsigned n, oldest; /* oldest: which of them */
    struct window *windows;
    struct arena *scratch;
    struct buf json;
    char key[UUID_TEXT_SIZE + 1]; /* "<tenant>/" */
    size_t records;
    int64_t back_to_us; /* everything since was seen; INT64_MIN: everything that is kept */
    bool accepted_late, refused_late;
};

/* ---- the newest ---- */

static void find_oldest(struct recent *q)
{
    q->oldest = 0;
    for (unsigned i = 1; i < q->n; i++)
        if (q->items[i].received_us < q->items[q->oldest].received_us)
            q->oldest = i;
}

static bool wanted(const struct recent *q, int64_t received_us)
{
    return q->n < q->limit || received_us > q->items[q->oldest].received_us;
}

static void keep(struct recent *q, int64_t received_us)
{
    struct item item = {received_us, arena_slice(q->ask.arena, buf_slice(&q->json))};
    if (q->n < q->limit)
        q->items[q->n++] = item;
    else
        q->items[q->oldest] = item;
    find_oldest(q);
}

static int newer_first(const void *a, const void *b)
{
    int64_t x = ((const struct item *)a)->received_us, y = ((const struct item *)b)->received_us;
    return x > y ? -1 : x < y;
}

/* ---- reading an accepted event ---- */

static bool is(const uint8_t hash[GW_HASH_SIZE], ProtobufCBinaryData found)
{
    return found.len == GW_HASH_SIZE && memcmp(found.data, hash, GW_HASH_SIZE) == 0;
}

static bool fits(const struct recent *q, const Journey__V1__Event *e)
{
    return (!q->message_id || strcmp(q->message_id, e->message_id) == 0) &&
           (!q->by_device || is(q->device, e->device)) && (!q->by_user || is(q->user, e->user));
}

static void *arena_take(void *data, size_t size)
{
    return arena_alloc(data, size);
}
static void arena_give(void *data, void *memory)
{
    (void)data, (void)memory;
}

static bool take_accepted(void *user, const struct bus_record *record)
{
    struct recent *q = user;
    struct window *window = &q->windows[record->partition];
    if (record->offset == window->low)
        window->oldest_us = record->time_us;
    size_t size = UUID_TEXT_SIZE;
    if (record->key.size < size || memcmp(record->key.data, q->key, size) != 0)
        return true;
    ProtobufCAllocator allocator = {arena_take, arena_give, q->scratch};
    const Journey__V1__Accepted *a =
        journey__v1__accepted__unpack(&allocator, record->value.size, record->value.data);
    if (a && a->event && fits(q, a->event) && wanted(q, a->received_us)) {
        struct json_writer w = json_writer_make(&q->json);
        buf_reset(&q->json);
        if (q->asked & accepted_write(&w, a))
            keep(q, a->received_us);
    }
    arena_reset(q->scratch);
    return true;
}

/* ---- reading back ---- */

static int open_windows(struct recent *q, struct bus *bus, struct bus_span *spans, int32_t n,
                        struct err *err)
{
    q->windows = arena_alloc(q->ask.arena, (size_t)n * sizeof(*q->windows));
    for (int32_t p = 0; p < n; p++)
        spans[p] = (struct bus_span){.topic = TOPIC_ACCEPTED, .partition = p};
    int r = q->windows ? bus_ranges(bus, spans, (unsigned)n, RANGE_TIMEOUT_MS, err) : ERR_NO_MEMORY;
    for (int32_t p = 0; r >= 0 && p < n; p++)
        q->windows[p] = (struct window){spans[p].next, spans[p].end, spans[p].end, 0};
    return r;
}

/* The next older records; false: there are none, or the budget is spent. */
static bool next_windows(struct recent *q, struct bus_span *spans, int32_t n, int64_t records)
{
    int64_t all = 0;
    for (int32_t p = 0; p < n; p++) {
        struct window *w = &q->windows[p];
        w->end = w->low;
        w->low = max_i64(w->begin, w->end - records);
        spans[p] = (struct bus_span){TOPIC_ACCEPTED, p, w->low, w->end, false};
        all += w->end - w->low;
    }
    q->records += (size_t)all;
    return all > 0 && q->records <= MAX_RECORDS;
}

static void note_reach(struct recent *q, int32_t n)
{
    q->back_to_us = INT64_MIN;
    for (int32_t p = 0; p < n; p++)
        if (q->windows[p].low > q->windows[p].begin)
            q->back_to_us = max_i64(q->back_to_us, q->windows[p].oldest_us);
}

static bool enough(const struct recent *q)
{
    if (q->back_to_us == INT64_MIN || (q->message_id && q->n > 0))
        return true;
    return q->n == q->limit && q->items[q->oldest].received_us >= q->back_to_us;
}

static void read_accepted(struct recent *q, struct bus *bus)
{
    struct err err;
    int32_t n = bus_partitions(bus);
    int64_t now_us = clock_system()->now_us(clock_system()), until_us = now_us + MAX_READING_US;
    struct bus_span *spans = arena_alloc(q->ask.arena, (size_t)n * sizeof(*spans));
    q->back_to_us = now_us;
    int r = spans ? open_windows(q, bus, spans, n, &err) : ERR_NO_MEMORY;
    q->accepted_late = r < 0;
    if (r >= 0)
        note_reach(q, n); /* an empty topic is wholly read */
    for (int64_t records = FIRST_RECORDS; r >= 0 && next_windows(q, spans, n, records);
         records *= 5) {
        int64_t left_us = until_us - clock_system()->now_us(clock_system());
        r = left_us > 0 ? bus_scan(bus, spans, (unsigned)n, (int)(left_us / 1000) + 1,
                                   take_accepted, q, &err)
                        : 0;
        if (r <= 0) { /* what was asked for first has to be there, older ones need not */
            q->accepted_late = records == FIRST_RECORDS;
            return;
        }
        note_reach(q, n);
        if (enough(q))
            return;
    }
}

/* ---- what was refused ---- */

static void read_refused(struct recent *q, struct letters *letters)
{
    struct err err;
    struct letters_page page;
    char subject[2 * GW_HASH_SIZE + 1];
    struct letters_filter filter = LETTERS_ANY;
    filter.tenant = &q->ask.tenant;
    filter.message_id = q->message_id;
    hex_format(subject, q->by_device ? q->device : q->user, GW_HASH_SIZE);
    filter.subject = q->by_device || q->by_user ? subject : NULL;
    int r = letters_refresh(letters, REFRESH_MS, &err);
    q->refused_late = r <= 0;
    if (r >= 0)
        r = letters_list(letters, &filter, NULL, q->limit, &page, q->ask.arena, &err);
    for (unsigned i = 0; r >= 0 && i < page.n && wanted(q, page.list[i].time_us); i++) {
        struct json_writer w = json_writer_make(&q->json);
        buf_reset(&q->json);
        json_begin_object(&w);
        json_key(&w, "status");
        json_write_str(&w, "refused");
        json_key(&w, "received_at");
        json_write_time(&w, page.list[i].time_us);
        letter_write(&w, &page.list[i]);
        json_end_object(&w);
        keep(q, page.list[i].time_us);
    }
}

/* ---- the answer ---- */

static void write_answer(struct recent *q)
{
    struct json_writer w = json_writer_make(&q->ask.body);
    qsort(q->items, q->n, sizeof(*q->items), newer_first);
    json_begin_object(&w);
    json_key(&w, "data");
    json_begin_array(&w);
    for (unsigned i = 0; i < q->n; i++)
        json_write_raw(&w, q->items[i].json);
    json_end_array(&w);
    json_key(&w, "next_cursor");
    json_write_null(&w);
    json_key(
        &w,
        "looked_back_to"); /* accepted ones; refused ones are all of 14 days. null: all that is kept */
    json_write_time(&w, q->back_to_us == INT64_MIN ? TIME_NONE : q->back_to_us);
    if (!q->n && (q->message_id || q->by_device || q->by_user)) {
        json_key(&w, "outcome");
        /* what is kept under a pseudonym has nobody's id any more */
        json_write_str(&w, q->by_device || q->by_user ? "unknown_or_pseudonymous"
                                                      : "unknown_or_repeated");
    }
    if (q->accepted_late || q->refused_late) {
        json_key(&w, "degraded");
        json_begin_array(&w);
        if (q->accepted_late)
            json_write_str(&w, "accepted");
        if (q->refused_late)
            json_write_str(&w, "refused");
        json_end_array(&w);
    }
    json_end_object(&w);
    if (q->ask.body.overflow || arena_overflowed(q->ask.arena))
        ask_fail(&q->ask, GW_PROBLEM_UNAVAILABLE, NULL);
}

static void find(struct ask *ask, const struct work_tools *tools)
{
    struct recent *q = (struct recent *)ask;
    q->scratch = arena_create((size_t)4 << 20);
    q->items = arena_alloc(ask->arena, (q->limit + 1) * sizeof(*q->items));
    uuid_format(q->key, ask->tenant.bytes);
    q->key[UUID_TEXT_SIZE - 1] = '/';
    q->back_to_us = INT64_MIN;
    if (!q->scratch || !q->items) {
        ask_fail(ask, GW_PROBLEM_UNAVAILABLE, NULL);
    } else {
        if (q->asked & (EVENT_ACCEPTED | EVENT_CHANGED))
            read_accepted(q, tools->bus);
        if (q->asked & EVENT_REFUSED)
            read_refused(q, tools->letters);
        write_answer(q);
    }
    buf_deinit(&q->json);
    arena_destroy(&q->scratch);
}

/* A set of enum accepted_status. */
static unsigned read_status(struct exchange *exchange, struct gw_faults *faults)
{
    struct slice status = ask_text(exchange, "status");
    unsigned asked = !status.data ? EVENT_ACCEPTED | EVENT_CHANGED | EVENT_REFUSED
                     : slice_equal_str(status, "accepted") ? EVENT_ACCEPTED
                     : slice_equal_str(status, "changed")  ? EVENT_CHANGED
                     : slice_equal_str(status, "refused")  ? EVENT_REFUSED
                                                           : 0;
    if (!asked)
        gw_fault_add(faults, "status", "unknown_value", "must be accepted, changed or refused");
    return asked;
}

void recent_run(struct exchange *exchange)
{
    struct gw_faults faults = {.n = 0};
    unsigned limit, asked;
    struct slice id = ask_text(exchange, "message_id");
    if (!utf8_valid(id))
        gw_fault_add(&faults, "message_id", "invalid_format", "must be UTF-8");
    limit = ask_limit(exchange, &faults);
    asked = read_status(exchange, &faults);
    if (faults.n) {
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
        return;
    }
    struct recent *q = ask_open(exchange, sizeof(*q));
    if (!q)
        return;
    struct slice device = ask_text(exchange, "anonymous_id"), user = ask_text(exchange, "user_id");
    const uint8_t *key = exchange->key.tenant.hash_key;
    q->limit = limit;
    q->asked = asked;
    q->message_id = id.size ? arena_str(q->ask.arena, id) : NULL;
    q->by_device = device.size > 0;
    q->by_user = user.size > 0;
    gw_hash_identifier(q->device, key, "device", device);
    gw_hash_identifier(q->user, key, "user", user);
    q->ask.find = find;
    ask_submit(&q->ask, exchange);
}
