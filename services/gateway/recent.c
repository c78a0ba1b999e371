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
#include "ask.h"
#include "domain/identity.h"
#include "domain/mask.h"
#include "journey/v1/event.pb-c.h"

#include <stdlib.h>

#define FIRST_RECORDS    200 /* of each partition; then five times as many, again and again */
#define MAX_RECORDS      100000
#define MAX_READING_US   (1500 * 1000)
#define RANGE_TIMEOUT_MS 2000
#define REFRESH_MS       2000
#define CORRECTED_US     MINUTE_US /* a clock that is wrong by less is none that anybody would mend */

enum status_asked {
    ASKED_ACCEPTED = 1,
    ASKED_CHANGED = 2,
    ASKED_REFUSED = 4
};

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
    unsigned limit, asked; /* asked: of enum status_asked */
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

/* ---- an accepted event ---- */

static bool holds_mark(const char *text)
{
    static const char *const marks[] = {
#define MARK(id, mark) mark,
        GW_PERSONAL_TABLE(MARK)
#undef MARK
    };
    for (unsigned i = 0; i < ARRAY_SIZE(marks); i++)
        if (strstr(text, marks[i]))
            return true;
    return false;
}

static bool corrected(const Journey__V1__Accepted *a)
{
    int64_t by_us = a->event->timestamp_us ? a->time_us - a->event->timestamp_us : 0;
    return !a->time_clamped && (by_us > CORRECTED_US || by_us < -CORRECTED_US);
}

struct change {
    bool happened;
    const char *field, *code, *message;
};

/* false: nothing was changed. */
static bool write_changes(struct json_writer *w, const Journey__V1__Accepted *a)
{
    const Journey__V1__Event *e = a->event;
    const struct change changes[] = {
        {a->time_clamped, "timestamp", "time_clamped",
         "it lay in the future; the time of receipt stands instead"},
        {corrected(a), "timestamp", "time_corrected",
         "by the difference between the client's clock and ours"},
        {holds_mark(e->name), "name", "masked", "personal data was replaced by marks"},
        {holds_mark(e->properties), "properties", "masked", "personal data was replaced by marks"},
        {holds_mark(e->context), "context", "masked", "personal data was replaced by marks"},
        {e->sealed.len > 0, "", "sealed", "personal data was set apart and sealed"},
        {a->pseudonymous, "", "pseudonymous",
         "without consent to analytics it is kept under its session only, for 48 hours"},
    };
    bool any = false;
    json_key(w, "changes");
    json_begin_array(w);
    for (unsigned i = 0; i < ARRAY_SIZE(changes); i++) {
        if (!changes[i].happened)
            continue;
        any = true;
        json_begin_object(w);
        json_key(w, "field");
        json_write_str(w, changes[i].field);
        json_key(w, "code");
        json_write_str(w, changes[i].code);
        json_key(w, "message");
        json_write_str(w, changes[i].message);
        json_end_object(w);
    }
    json_end_array(w);
    return any;
}

static const char *type_name(int type)
{
    static const char *const names[] = {"",         "track", "page", "screen",
                                        "identify", "group", "alias"};
    return type > 0 && type < (int)ARRAY_SIZE(names) ? names[type] : "unknown";
}

static void write_text(struct json_writer *w, const char *name, const char *text)
{
    json_key(w, name);
    json_write_str(w, *text ? text : NULL);
}

static void write_flag(struct json_writer *w, const char *name, bool value)
{
    json_key(w, name);
    json_write_bool(w, value);
}

/* Returns which status it has. */
static enum status_asked write_accepted(struct json_writer *w, const Journey__V1__Accepted *a)
{
    const Journey__V1__Event *e = a->event;
    json_begin_object(w);
    enum status_asked status = write_changes(w, a) ? ASKED_CHANGED : ASKED_ACCEPTED;
    write_text(w, "status", status == ASKED_CHANGED ? "changed" : "accepted");
    write_text(w, "message_id", e->message_id);
    write_text(w, "type", type_name(e->type));
    write_text(w, "name", e->name);
    write_text(w, "session_id", a->session_id);
    json_key(w, "received_at");
    json_write_time(w, a->received_us);
    json_key(w, "time");
    json_write_time(w, a->time_us);
    json_key(w, "sent_time");
    json_write_time(w, e->timestamp_us ? e->timestamp_us : TIME_NONE);
    write_flag(w, "late", a->late);
    write_flag(w, "opens_session", a->opens);
    write_flag(w, "bot", a->enrichment && a->enrichment->bot);
    write_flag(w, "pseudonymous", a->pseudonymous);
    json_key(w, "consent");
    json_begin_array(w);
    for (size_t i = 0; a->consent && i < a->consent->n_granted; i++)
        json_write_str(w, a->consent->granted[i]);
    json_end_array(w);
    json_end_object(w);
    return status;
}

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
        if (q->asked & write_accepted(&w, a))
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
        write_text(&w, "status", "refused");
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
    if (q->message_id && !q->n)
        write_text(&w, "outcome", "unknown_or_repeated");
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
        if (q->asked & (ASKED_ACCEPTED | ASKED_CHANGED))
            read_accepted(q, tools->bus);
        if (q->asked & ASKED_REFUSED)
            read_refused(q, tools->letters);
        write_answer(q);
    }
    buf_deinit(&q->json);
    arena_destroy(&q->scratch);
}

/* A set of enum status_asked. */
static unsigned read_status(struct exchange *exchange, struct gw_faults *faults)
{
    struct slice status = ask_text(exchange, "status");
    unsigned asked = !status.data ? ASKED_ACCEPTED | ASKED_CHANGED | ASKED_REFUSED
                     : slice_equal_str(status, "accepted") ? ASKED_ACCEPTED
                     : slice_equal_str(status, "changed")  ? ASKED_CHANGED
                     : slice_equal_str(status, "refused")  ? ASKED_REFUSED
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
