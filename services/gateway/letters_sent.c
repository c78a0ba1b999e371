#include "letters_sent.h"
#include "ask.h"
#include "event_batch.h"
#include "events.h"

#include <stdlib.h>

#define REFRESH_MS 10000
#define READ_MS    10000
#define MAX_BYTES                                                                                  \
    ((size_t)1 << 20)        /* of letters in one go: the request's memory holds them mapped */
#define REPORT_US  SECOND_US /* beyond the delivery time-out, which reports first */
#define MAX_FAILED 100       /* named in an answer */

struct sent {
    struct letter letter;
    struct bus_record record;         /* a copy; value.data NULL: it was not read */
    bool had, chosen, noted, skipped; /* skipped: no room for it this time */
    struct event_batch *batch;        /* of a raw one */
    const char *code, *why;           /* it does not go */
};

struct sending {
    struct ask ask;
    bool one, drop, more;
    struct vault_subject *subjects; /* of what was mapped again */
    unsigned n_subjects;
    struct letters_filter filter;
    struct letter after; /* of the cursor, when there is one */
    bool has_after;
    struct sent *list;
    unsigned n;
    size_t bytes;
    struct gw_faults still; /* of the first that still cannot be mapped */
};

/* ---- which ---- */

static void refuse(struct sent *sent, const char *code, const char *why)
{
    sent->code = code;
    sent->why = why;
    sent->chosen = false;
}

static void copy_record(struct sent *sent, const struct bus_record *record, struct arena *arena)
{
    sent->record = *record;
    sent->record.handle = NULL;
    sent->record.key = arena_slice(arena, record->key);
    if (record->value.data)
        sent->record.value = arena_slice(arena, record->value);
    for (unsigned i = 0; i < record->n_headers; i++)
        sent->record.headers[i] =
            (struct bus_header){arena_str(arena, slice_str(record->headers[i].name)),
                                arena_slice(arena, record->headers[i].value)};
}

static void open_record(struct sending *q, struct sent *sent)
{
    sent->record.value = ask_unseal(&q->ask, &sent->record);
    if (!sent->record.value.size)
        refuse(sent, "sealed", "It is sealed under a key that is no longer there");
}

static void take_record(void *user, unsigned i, const struct bus_record *record)
{
    struct sending *q = user;
    struct sent *sent = &q->list[i];
    sent->had = true;
    if (q->bytes + record->value.size > MAX_BYTES && q->bytes) {
        sent->skipped = q->more = true;
        return;
    }
    q->bytes += record->value.size;
    sent->chosen = true;
    copy_record(sent, record, q->ask.arena);
    if (!record->value.data)
        refuse(sent, "not_whole", "It was too large to be kept whole");
    else if (letter_sealed(record).size)
        open_record(q, sent);
}

static int choose(struct sending *q, struct letters *letters, struct letters_page *page,
                  struct err *err)
{
    struct arena *arena = q->ask.arena;
    q->filter.tenant = &q->ask.tenant;
    if (!q->one)
        return letters_list(letters, &q->filter, q->has_after ? &q->after : NULL, LETTERS_AT_ONCE,
                            page, arena, err);
    bool found = false;
    page->list = &q->list[0].letter;
    int r = letters_find(letters, &q->ask.tenant, page->list, &found, arena, err);
    page->n = found;
    return r;
}

static void find_letters(struct ask *ask, const struct work_tools *tools)
{
    struct sending *q = (struct sending *)ask;
    struct letters_page page = {.n = 0};
    struct err err;
    int r = letters_refresh(tools->letters, REFRESH_MS, &err);
    q->more = r == 0;
    if (r >= 0)
        r = choose(q, tools->letters, &page, &err);
    for (unsigned i = 0; r >= 0 && i < page.n; i++)
        q->list[i].letter = page.list[i];
    q->n = page.n;
    q->more = q->more || page.more;
    if (r >= 0 && !q->drop)
        r = letters_read(tools->letters, page.list, page.n, READ_MS, take_record, q, &err);
    for (unsigned i = 0; r >= 0 && i < q->n; i++) {
        q->list[i].chosen = q->drop || q->list[i].chosen;
        if (!q->drop && !q->list[i].had)
            refuse(&q->list[i], "gone", "The log keeps it no longer");
        if (q->one && q->list[i].letter.state != LETTER_OPEN)
            ask_fail(ask, GW_PROBLEM_CONFLICT, "This letter was dealt with before");
    }
    if (r < 0)
        ask_fail_err(ask, &err);
    else if (q->one && !q->n)
        ask_fail(ask, GW_PROBLEM_NOT_FOUND, NULL);
    else if (arena_overflowed(ask->arena))
        ask_fail(ask, GW_PROBLEM_UNAVAILABLE, NULL);
}

/* ---- noting ---- */

static void note(struct sending *q, const struct work_tools *tools, enum letter_state state)
{
    struct err err;
    struct letter *list = calloc(q->n + 1, sizeof(*list));
    bool *noted = calloc(q->n + 1, sizeof(*noted));
    const struct letters_actor actor = {q->ask.actor, q->ask.address};
    unsigned n = 0;
    for (unsigned i = 0; list && i < q->n; i++)
        if (q->list[i].chosen)
            list[n++] = q->list[i].letter;
    int r = list && noted ? letters_note(tools->letters, list, n, state, false, &actor, noted, &err)
                          : err_set(&err, ERR_NO_MEMORY, ERR_CLASS_TRANSIENT, "no memory");
    n = 0;
    for (unsigned i = 0; r >= 0 && noted && i < q->n; i++) {
        if (!q->list[i].chosen)
            continue;
        q->list[i].noted = noted[n++];
        if (!q->list[i].noted)
            refuse(&q->list[i], "conflict", "It was dealt with meanwhile");
    }
    if (r < 0)
        ask_fail_err(&q->ask, &err);
    free(list);
    free(noted);
}

static void note_replaying(struct ask *ask, const struct work_tools *tools)
{
    note((struct sending *)ask, tools, LETTER_REPLAYING);
}

static void note_replayed(struct ask *ask, const struct work_tools *tools)
{
    note((struct sending *)ask, tools, LETTER_REPLAYED);
}

static void drop_letters(struct ask *ask, const struct work_tools *tools)
{
    find_letters(ask, tools);
    if (!ask->failed)
        note((struct sending *)ask, tools, LETTER_DROPPED);
}

/* ---- the answer ---- */

static void write_failed(struct json_writer *w, const struct sent *sent)
{
    char id[LETTER_ID_SIZE];
    letter_id(id, &sent->letter);
    json_begin_object(w);
    json_key(w, "id");
    json_write_str(w, id);
    json_key(w, "code");
    json_write_str(w, sent->code);
    json_key(w, "message");
    json_write_str(w, sent->why);
    json_end_object(w);
}

/* Behind the last before which nothing was left out. */
static void write_cursor(struct json_writer *w, const struct sending *q)
{
    char id[LETTER_ID_SIZE];
    const struct letter *last = q->has_after ? &q->after : NULL;
    for (unsigned i = 0; i < q->n && !q->list[i].skipped; i++)
        last = &q->list[i].letter;
    if (last)
        letter_id(id, last);
    json_key(w, "next_cursor");
    json_write_str(w, q->more && last ? id : NULL);
}

/* {"replayed":2,"failed":[…],"more":false,"next_cursor":null} */
static void answer(struct ask *ask, struct exchange *exchange)
{
    struct sending *q = (struct sending *)ask;
    struct json_writer w = json_writer_make(&ask->body);
    int64_t done = 0, failed = 0;
    for (unsigned i = 0; i < q->n; i++)
        done += q->list[i].chosen;
    json_begin_object(&w);
    json_key(&w, q->drop ? "dropped" : "replayed");
    json_write_int(&w, done);
    json_key(&w, "failed");
    json_begin_array(&w);
    for (unsigned i = 0; i < q->n; i++)
        if (q->list[i].code && failed++ < MAX_FAILED)
            write_failed(&w, &q->list[i]);
    json_end_array(&w);
    json_key(&w, "more");
    json_write_bool(&w, q->more);
    write_cursor(&w, q);
    json_end_object(&w);
    const struct sent *first = &q->list[0];
    if (q->one && first->code)
        exchange_problem(exchange, GW_PROBLEM_CONFLICT, first->why, &q->still);
    else
        exchange_answer(exchange, 200, buf_slice(&ask->body));
    ask_release(ask);
}

/* ---- into the log ---- */

static void on_delivered(struct exchange *exchange)
{
    struct ask *ask = exchange->ask;
    ask->find = note_replayed;
    ask->finish = answer;
    ask_submit(ask, exchange);
}

static void on_timeout(struct exchange *exchange)
{
    exchange_report(exchange->gateway, exchange->handle, false);
}

static bool send_one(struct sending *q, struct exchange *exchange, struct sent *sent)
{
    struct bus_header headers[BUS_MAX_HEADERS];
    struct bus_message message;
    letter_send_back(&message, headers, &sent->record, gateway_now(exchange->gateway),
                     q->ask.arena);
    message.cookie = exchange->handle;
    int r = bus_send(exchange->gateway->world.bus, &message, NULL);
    exchange->undelivered += r >= 0;
    return r >= 0;
}

/* All that was noted; the last delivery report goes on. */
static void send_all(struct ask *ask, struct exchange *exchange)
{
    struct sending *q = (struct sending *)ask;
    struct gateway *gateway = exchange->gateway;
    uint64_t handle = exchange->handle;
    bool any = false, sent = true;
    exchange->delivered = on_delivered;
    exchange->timeout = on_timeout;
    exchange_arm(exchange, gateway->options.delivery_ms * 1000 + REPORT_US);
    ask_hold(ask, exchange);
    for (unsigned i = 0; sent && i < q->n; i++) {
        struct sent *s = &q->list[i];
        if (!s->chosen)
            continue;
        any = true;
        if (s->batch)
            event_batch_send(s->batch);
        else
            sent = send_one(q, exchange, s);
        if (!slots_get(gateway->exchanges, handle))
            return; /* answered: the log does not take it */
    }
    exchange->sent_all = true;
    if (!sent) {
        exchange_report(gateway, handle, false);
    } else if (!any) {
        exchange->ask = NULL;
        answer(ask, exchange);
    }
}

static void on_keys(struct exchange *exchange)
{
    struct sending *q = (struct sending *)exchange->ask;
    unsigned at = 0;
    for (unsigned i = 0; i < q->n; i++) {
        unsigned n = 0;
        struct vault_subject *mine = NULL;
        if (q->list[i].batch)
            mine = event_batch_subjects(q->list[i].batch, &n);
        for (unsigned k = 0; k < n; k++)
            mine[k].key = q->subjects[at++].key;
    }
    q->ask.find = note_replaying;
    q->ask.finish = send_all;
    ask_submit(&q->ask, exchange);
}

/* One question for the keys of all that was mapped again. */
static void find_keys(struct sending *q, struct exchange *exchange)
{
    q->subjects = arena_alloc(exchange->arena, (q->n + 1) * sizeof(*q->subjects));
    for (unsigned i = 0; q->subjects && i < q->n; i++) {
        unsigned n = 0;
        struct vault_subject *mine = NULL;
        if (q->list[i].batch)
            mine = event_batch_subjects(q->list[i].batch, &n); /* one event: one at most */
        if (n)
            q->subjects[q->n_subjects++] = mine[0];
    }
    if (!q->subjects)
        exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, NULL, NULL);
    else if (q->n_subjects)
        vault_find(exchange, q->subjects, q->n_subjects, on_keys);
    else
        on_keys(exchange);
}

/* What is raw becomes an event by its client's form; the others go as they are. */
static void map_raw(struct ask *ask, struct exchange *exchange)
{
    struct sending *q = (struct sending *)ask;
    bool any = false;
    for (unsigned i = 0; i < q->n; i++) {
        struct sent *s = &q->list[i];
        struct gw_faults faults = {.n = 0};
        if (s->chosen && letter_is_raw(&s->letter)) {
            s->batch = events_map_again(exchange, &s->record, &faults);
            if (!s->batch) {
                const struct gw_fault *fault = &faults.list[0];
                refuse(s, faults.n ? arena_str(ask->arena, slice_str(fault->code)) : "too_large",
                       faults.n ? arena_printf(ask->arena, "It is still no event: %s %s",
                                               fault->field, fault->message)
                                : "It does not fit into memory");
                q->still = q->still.n ? q->still : faults;
            }
        }
        any = any || s->chosen;
    }
    if (!any) {
        answer(ask, exchange);
        return;
    }
    ask_hold(ask, exchange);
    find_keys(q, exchange);
}

/* ---- in ---- */

static struct sending *open_sending(struct exchange *exchange, unsigned most, bool drop)
{
    struct sending *q = ask_open(exchange, sizeof(*q));
    if (!q)
        return NULL;
    q->list = arena_alloc(q->ask.arena, most * sizeof(*q->list));
    if (!q->list) {
        exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, NULL, NULL);
        ask_release(&q->ask);
        return NULL;
    }
    q->drop = drop;
    q->ask.find = drop ? drop_letters : find_letters;
    q->ask.finish = drop ? answer : map_raw;
    return q;
}

static void submit(struct sending *q, struct exchange *exchange)
{
    if (q->drop)
        ask_submit(&q->ask, exchange);
    else
        ask_submit_with_keys(&q->ask, exchange);
}

void letters_act_on_one(struct exchange *exchange, const struct letter *letter, bool drop)
{
    struct sending *q = open_sending(exchange, 1, drop);
    if (!q)
        return;
    q->one = true;
    q->list[0].letter = *letter;
    submit(q, exchange);
}

void letters_act_on_many(struct exchange *exchange, const struct letters_filter *filter,
                         const struct letter *after, bool drop)
{
    struct sending *q = open_sending(exchange, LETTERS_AT_ONCE, drop);
    if (!q)
        return;
    q->filter = *filter;
    q->filter.reason = arena_str(q->ask.arena, slice_str(filter->reason));
    q->filter.state = LETTER_OPEN;
    q->filter.oldest_first = true;
    q->has_after = after != NULL;
    if (after)
        q->after = *after;
    submit(q, exchange);
}
