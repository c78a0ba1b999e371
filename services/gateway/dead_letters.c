#include "dead_letters.h"
#include "ask.h"
#include "letters_sent.h"
#include "serve.h"

#define REFRESH_MS 10000

struct listing {
    struct ask ask;
    struct letters_filter filter;
    struct letter cursor;
    bool counts, more; /* more: a cursor was given */
    unsigned limit;
};

static void write_list(struct listing *q, struct letters *letters, const struct letters_page *page,
                       bool complete)
{
    struct err err;
    struct json_writer w = json_writer_make(&q->ask.body);
    json_begin_object(&w);
    json_key(&w, "data");
    json_begin_array(&w);
    for (unsigned i = 0; i < page->n; i++) {
        json_begin_object(&w);
        letter_write(&w, &page->list[i]);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_key(&w, "next_cursor");
    char id[LETTER_ID_SIZE];
    if (page->more && page->n)
        letter_id(id, &page->list[page->n - 1]);
    json_write_str(&w, page->more && page->n ? id : NULL);
    if (!q->more) {
        json_key(&w, "counts");
        if (letters_counts(letters, &q->ask.tenant, &w, &err) < 0)
            ask_fail_err(&q->ask, &err);
    }
    if (!complete)
        json_key(&w, "degraded");
    if (!complete)
        json_write_raw(&w, SLICE_LITERAL("[\"latest\"]"));
    json_end_object(&w);
}

static void find_list(struct ask *ask, const struct work_tools *tools)
{
    struct listing *q = (struct listing *)ask;
    struct letters_page page;
    struct err err;
    q->filter.tenant = &ask->tenant;
    int complete = letters_refresh(tools->letters, REFRESH_MS, &err);
    int r = complete < 0 ? complete
                         : letters_list(tools->letters, &q->filter, q->more ? &q->cursor : NULL,
                                        q->limit, &page, ask->arena, &err);
    if (r < 0)
        ask_fail_err(ask, &err);
    else
        write_list(q, tools->letters, &page, complete);
}

static void read_topic(struct slice text, int *topic, struct arena *arena, struct gw_faults *faults)
{
    int found = text.data ? topic_find(arena_str(arena, text)) : -1;
    if (found >= 0)
        *topic = topic_dlq(found);
    else if (text.data)
        gw_fault_add(faults, "topic", "unknown_value", "there is no such topic");
}

/* Text that a column can be compared with; NULL: not given. */
static const char *read_text(struct slice text, const char *field, struct arena *arena,
                             struct gw_faults *faults)
{
    if (!text.size)
        return NULL;
    if (!utf8_valid(text))
        gw_fault_add(faults, field, "invalid_format", "must be UTF-8");
    return arena_str(arena, text);
}

void dead_letters_list(struct exchange *exchange)
{
    struct gw_faults faults = {.n = 0};
    struct listing *q = ask_open(exchange, sizeof(*q));
    if (!q)
        return;
    struct slice state = ask_text(exchange, "state"), cursor = ask_text(exchange, "cursor");
    struct arena *arena = q->ask.arena;
    q->filter = LETTERS_ANY;
    q->filter.state = state.data ? letter_state_find(state) : -1;
    if (state.data && q->filter.state < 0)
        gw_fault_add(&faults, "state", "unknown_value",
                     "must be open, replaying, replayed or dropped");
    read_topic(ask_text(exchange, "topic"), &q->filter.topic, arena, &faults);
    q->filter.reason = read_text(ask_text(exchange, "reason"), "reason", arena, &faults);
    q->filter.message_id =
        read_text(ask_text(exchange, "message_id"), "message_id", arena, &faults);
    q->more = cursor.data != NULL;
    if (q->more && letter_id_parse(&q->cursor, cursor) < 0)
        gw_fault_add(&faults, "cursor", "invalid_format", "is none that a list gave");
    q->limit = ask_limit(exchange, &faults);
    if (faults.n) {
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
        ask_release(&q->ask);
        return;
    }
    q->ask.find = find_list;
    ask_submit(&q->ask, exchange);
}

/* ---- one ---- */

struct looking {
    struct ask ask;
    struct letter letter;
    bool seen;
};

static void show_record(void *user, unsigned i, const struct bus_record *record)
{
    struct looking *q = user;
    struct json_writer w = json_writer_make(&q->ask.body);
    q->seen = true;
    json_begin_object(&w);
    letter_write(&w, &q->letter);
    letter_write_content(&w, record, ask_unseal(&q->ask, record), q->ask.arena);
    json_end_object(&w);
}

static void find_one(struct ask *ask, const struct work_tools *tools)
{
    struct looking *q = (struct looking *)ask;
    bool found = false;
    struct err err;
    int r = letters_refresh(tools->letters, REFRESH_MS, &err);
    if (r >= 0)
        r = letters_find(tools->letters, &ask->tenant, &q->letter, &found, ask->arena, &err);
    if (r >= 0 && found)
        r = letters_read(tools->letters, &q->letter, 1, REFRESH_MS, show_record, q, &err);
    if (r < 0)
        ask_fail_err(ask, &err);
    else if (!q->seen)
        ask_fail(ask, GW_PROBLEM_NOT_FOUND, found ? "The log keeps this letter no longer" : NULL);
}

void dead_letters_show(struct exchange *exchange)
{
    struct looking *q = ask_open(exchange, sizeof(*q));
    if (!q)
        return;
    if (letter_id_parse(&q->letter, exchange->parameters[0]) < 0) {
        exchange_problem(exchange, GW_PROBLEM_NOT_FOUND, NULL, NULL);
        ask_release(&q->ask);
        return;
    }
    q->ask.find = find_one;
    ask_submit_with_keys(&q->ask, exchange);
}

/* ---- what is done with them ---- */

static void act_on_one(struct exchange *exchange, bool drop)
{
    struct letter letter;
    if (letter_id_parse(&letter, exchange->parameters[0]) < 0)
        exchange_problem(exchange, GW_PROBLEM_NOT_FOUND, NULL, NULL);
    else
        letters_act_on_one(exchange, &letter, drop);
}

static void act_on_many(struct exchange *exchange, bool drop)
{
    struct gw_faults faults = {.n = 0};
    struct letters_filter filter = LETTERS_ANY;
    if (!serve_parse(exchange))
        return;
    struct slice reason = json_string(json_get(exchange->body, "reason"), exchange->arena);
    struct slice topic = json_string(json_get(exchange->body, "topic"), exchange->arena);
    filter.reason = read_text(reason, "reason", exchange->arena, &faults);
    if (!filter.reason)
        gw_fault_add(&faults, "reason", "missing", "is needed: the code of a list's letters");
    read_topic(topic, &filter.topic, exchange->arena, &faults);
    struct slice cursor = json_string(json_get(exchange->body, "cursor"), exchange->arena);
    struct letter after;
    if (cursor.data && letter_id_parse(&after, cursor) < 0)
        gw_fault_add(&faults, "cursor", "invalid_format", "is none that an answer gave");
    if (faults.n)
        exchange_problem(exchange, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
    else
        letters_act_on_many(exchange, &filter, cursor.data ? &after : NULL, drop);
}

void dead_letters_drop(struct exchange *exchange)
{
    act_on_one(exchange, true);
}

void dead_letters_drop_many(struct exchange *exchange)
{
    act_on_many(exchange, true);
}

void dead_letters_replay(struct exchange *exchange)
{
    act_on_one(exchange, false);
}

void dead_letters_replay_many(struct exchange *exchange)
{
    act_on_many(exchange, false);
}
