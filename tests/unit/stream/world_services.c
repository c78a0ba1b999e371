/*
 * What the two services of the world decide. A decision that sees what cannot be writes a row that says so: if it is
 * committed, the test fails. (It may be that of an owner who lost its partition and does not know: its states are read
 * later than its place in the log, and nothing of it happens.)
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "internal.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/event.pb-c.h"
#include "journey/v1/journey.pb-c.h"
#include "journey/v1/settings.pb-c.h"

/* ---- tables ---- */

static const struct store_column counters_columns[] = {{"tenant_id", STORE_UUID, 0},
                                                       {"id", STORE_TEXT, 0},
                                                       {"value", STORE_BIGINT, STORE_COLUMN_SELDOM},
                                                       {"state", STORE_BYTES, 0}};
const struct store_table world_counters = {
    .name = "counters", .columns = counters_columns, .n_columns = 4, .n_key = 2};
const struct store_table world_seen = {
    .name = "seen", .columns = counters_columns, .n_columns = 4, .n_key = 2};
static const struct store_column marks_columns[] = {{"tenant_id", STORE_UUID, 0},
                                                    {"id", STORE_TEXT, 0},
                                                    {"sub", STORE_BIGINT, 0},
                                                    {"data", STORE_BYTES, 0}};
const struct store_table world_marks = {
    .name = "marks", .columns = marks_columns, .n_columns = 4, .n_key = 3};
/* A row for each count that b takes, and each outcome that a takes: its key is new, or the commit fails. */
static const struct store_column log_columns[] = {
    {"tenant_id", STORE_UUID, 0}, {"id", STORE_TEXT, 0}, {"value", STORE_BIGINT, 0}};
const struct store_table world_log_rows = {
    .name = "log", .columns = log_columns, .n_columns = 3, .n_key = 3, .conflict = STORE_PLAIN};
static const struct store_column sums_columns[] = {{"tenant_id", STORE_UUID, 0},
                                                   {"id", STORE_TEXT, 0},
                                                   {"events", STORE_BIGINT, STORE_COLUMN_ADD}};
const struct store_table world_sums = {
    .name = "sums", .columns = sums_columns, .n_columns = 3, .n_key = 2};

/* A row for each call whose outcome has not come. */
const struct store_table world_open = {
    .name = "open", .columns = log_columns, .n_columns = 3, .n_key = 3, .conflict = STORE_IGNORE};

static const struct store_column wrongs_columns[] = {
    {"tenant_id", STORE_UUID, 0}, {"id", STORE_TEXT, 0}, {"what", STORE_TEXT, 0}};
const struct store_table world_wrongs = {
    .name = "wrongs", .columns = wrongs_columns, .n_columns = 3, .n_key = 3};

static const uint8_t by_key[] = {0, 1}, value_column[] = {2};
static const struct store_lookup value_lookup = {.table = &world_counters,
                                                 .by = by_key,
                                                 .n_by = 2,
                                                 .columns = value_column,
                                                 .n_columns = 1,
                                                 .order = -1,
                                                 .limit = 1};
static const struct store_lookup newest_lookup = {.table = &world_log_rows,
                                                  .by = by_key,
                                                  .n_by = 2,
                                                  .columns = value_column,
                                                  .n_columns = 1,
                                                  .order = 2,
                                                  .descending = true,
                                                  .limit = 1};

static void project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values)
{
    values[2].i = ((const Journey__V1__Count *)state)->value;
}

struct world *world_of_decisions;

static void wrong(struct stream_decision *d, const struct stream_message *m, const char *what)
{
    struct store_value row[3] = {
        {.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}, {.s = slice_str(what)}};
    world_tell(world_of_decisions, world_of_decisions->acting, "wrong: %s", what);
    stream_put_row(d, &world_wrongs, row);
}

/* ---- a ---- */

static struct tally *tally_of(Journey__V1__Count *state)
{
    return (struct tally *)(void *)state->tenant_id.data;
}

static Journey__V1__Count *begin(struct stream_decision *d, const struct stream_key *key)
{
    Journey__V1__Count *state = arena_alloc(d->arena, sizeof(*state));
    journey__v1__count__init(state);
    state->id = arena_str(d->arena, key->id);
    state->tenant_id =
        (ProtobufCBinaryData){sizeof(struct tally), arena_alloc(d->arena, sizeof(struct tally))};
    tally_of(state)->once_us = d->now_us + SECOND_US;
    stream_set_timer(d, "once", d->now_us + SECOND_US);
    return state;
}

static void count_on(struct stream_decision *d, const struct stream_key *key,
                     Journey__V1__Count *state, int64_t *which, int64_t by)
{
    *which += by;
    world_tell(world_of_decisions, world_of_decisions->acting, "counts %s to %lld", state->id,
               (long long)state->value + by);
    for (int64_t i = 0; i < by; i++) {
        Journey__V1__Count *count = arena_alloc(d->arena, sizeof(*count));
        journey__v1__count__init(count);
        count->tenant_id = (ProtobufCBinaryData){16, arena_copy(d->arena, key->tenant, 16)};
        count->id = arena_str(d->arena, key->id);
        count->value = ++state->value;
        stream_publish(d, TOPIC_TEMPLATE_COUNTS, topic_key(key->tenant, key->id, d->arena), count,
                       d->now_us);
    }
    stream_cache(d, slice_str(arena_printf(d->arena, "counter:%s", state->id)),
                 slice_str(arena_printf(d->arena, "%lld", (long long)state->value)), 60);
    stream_put_state(d, state);
}

static void reply_value(struct stream_decision *d, const char *name, int64_t value)
{
    Journey__V1__Reply *reply = arena_alloc(d->arena, sizeof(*reply));
    Journey__V1__ReplyPart *part = arena_alloc(d->arena, sizeof(*part));
    Journey__V1__ReplyPart **parts = arena_alloc(d->arena, sizeof(struct Journey__V1__ReplyPart *));
    journey__v1__reply__init(reply);
    journey__v1__reply_part__init(part);
    part->name = arena_copy(d->arena, name, strlen(name));
    part->json = arena_printf(d->arena, "%lld", (long long)value);
    parts[0] = part;
    reply->status = 200;
    reply->n_parts = 1;
    reply->parts = parts;
    stream_reply(d, reply);
}

static uint64_t command_number(const uint8_t *id)
{
    uint64_t number;
    memcpy(&number, id, sizeof(number));
    return number;
}

static void outcome_row(struct stream_decision *d, const struct stream_message *m, int64_t value)
{
    struct store_value row[3] = {
        {.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}, {.i = value}};
    stream_put_row(d, &world_log_rows, row);
}

static void open_row(struct stream_decision *d, const struct stream_message *m, uint64_t number,
                     void (*put)(struct stream_decision *, const struct store_table *,
                                 const struct store_value *))
{
    struct store_value row[3] = {
        {.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}, {.i = (int64_t)number}};
    put(d, &world_open, row);
}

static void add_to_sum(struct stream_decision *d, const struct stream_message *m, int64_t n)
{
    struct store_value row[3] = {{.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}, {.i = n}};
    stream_put_row(d, &world_sums, row);
}

static void due(struct stream_decision *d, const struct stream_message *m)
{
    Journey__V1__Count *state = d->state;
    if (strncmp(m->name, "many-", 5) == 0) {
        add_to_sum(d, m, 1);
        return;
    }
    if (!state) {
        wrong(d, m, "something is due, and there is no state");
        return;
    }
    struct tally *t = tally_of(state);
    if (strcmp(m->name, "again") == 0 && world_of_decisions->deadly_timers)
        longjmp(world_of_decisions->died, 1);
    if (strcmp(m->name, "again") == 0 && world_of_decisions->refused_timers) {
        outcome_row(d, m, 0);
        outcome_row(d, m, 0);
    }
    if (m->kind == STREAM_OUTCOME) {
        uint64_t number = m->data.size == 16 ? command_number(m->data.data) : 0;
        if (t->open-- <= 0 || !number)
            wrong(d, m, "an outcome, and nothing was called");
        int64_t by = number ? world_of_decisions->asked[number - 1].by : 0;
        if (by == WORLD_POISON)
            longjmp(world_of_decisions->died, 1);
        if (by == WORLD_UNSTORABLE)
            outcome_row(d, m, (int64_t)number);
        outcome_row(d, m, (int64_t)number);
        open_row(d, m, number, stream_remove_row);
        count_on(d, &m->key, state, &t->outcomes, 1);
        return;
    }
    int64_t *set_us = strcmp(m->name, "once") == 0 ? &t->once_us : &t->again_us;
    if (*set_us != m->due_us || d->now_us < m->due_us)
        wrong(d, m,
              arena_printf(d->arena, "timer %s came for %lld at %lld, it was set for %lld", m->name,
                           (long long)m->due_us, (long long)d->now_us, (long long)*set_us));
    *set_us = 0;
    count_on(d, &m->key, state, &t->fired, 1);
}

static const struct stream_parts marks = {.table = &world_marks};
static const struct stream_state counter = {
    "counter", &world_counters, &journey__v1__count__descriptor, project, due, &marks};

static int command_key(const void *body, unsigned index, struct arena *arena,
                       struct stream_key *key, struct err *err)
{
    const Journey__V1__Command *command = body;
    if (command->tenant_id.len != 16)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "tenant_id is missing");
    memcpy(key->tenant, command->tenant_id.data, 16);
    key->id = slice_str(command->subject);
    return 0;
}

static void answer_value(struct slice user, const struct store_found *found, unsigned n_found,
                         struct arena *arena, void *out)
{
    Journey__V1__Reply *reply = out;
    Journey__V1__ReplyPart *part = arena_alloc(arena, sizeof(*part));
    Journey__V1__ReplyPart **parts = arena_alloc(arena, sizeof(struct Journey__V1__ReplyPart *));
    journey__v1__reply_part__init(part);
    part->name = arena_str(arena, user);
    part->json = arena_printf(arena, "%lld", n_found ? (long long)found[0].values[0].i : -1);
    parts[0] = part;
    reply->n_parts = 1;
    reply->parts = parts;
}

/* All memory that a decision has; what it asks for then comes to nothing, like all of it. */
static void exhaust(struct stream_decision *d, const struct stream_message *m)
{
    const struct store_value key[2] = {{.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}};
    for (size_t size = 1 << 20; size; size /= 2)
        while (arena_alloc(d->arena, size))
            ;
    stream_reply_part(d, 200, "value", "0");
    stream_reply_problem(d, 400, "invalid_request", "no");
    stream_set_timer(d, "again", d->now_us);
    stream_cancel_timer(d, "once");
    stream_call(d, "call-0", (struct slice){0});
    stream_cache(d, SLICE_LITERAL("counter"), SLICE_LITERAL("0"), 60);
    stream_ask(d, &value_lookup, key, answer_value, SLICE_LITERAL("asked"));
    add_to_sum(d, m, 1);
}

/* What a decision may do to the process, the batch or the database. */
static bool decide_badly(struct stream_decision *d, const struct stream_message *m, int64_t by)
{
    Journey__V1__Count *state = d->state;
    if (by == WORLD_REJECTED) {
        if (state)
            state->value = -1; /* a refused decision leaves nothing behind */
        stream_reject(d, "invalid", "666");
    } else if (by == WORLD_POISON) {
        longjmp(world_of_decisions->died, 1);
    } else if (by == WORLD_UNSTORABLE) {
        outcome_row(d, m, 0);
        outcome_row(d, m, 0);
    } else if (by == WORLD_HUGE) {
        exhaust(d, m);
    } else if (by == WORLD_TALKATIVE) {
        if (state)
            state->value = -1;
        struct slice key = topic_key(m->key.tenant, m->key.id, d->arena);
        for (size_t size = 16; size <= BUS_MAX_RECORD_BYTES; size += BUS_MAX_RECORD_BYTES - 16) {
            Journey__V1__Count *count = arena_alloc(d->arena, sizeof(*count));
            journey__v1__count__init(count);
            count->value = -1;
            count->tenant_id = (ProtobufCBinaryData){size, arena_alloc(d->arena, size)};
            stream_publish(d, TOPIC_TEMPLATE_COUNTS, key, count, d->now_us);
        }
    } else if (by == WORLD_LOUD) {
        char *text = arena_alloc(d->arena, WORLD_LOUD_BYTES + 1);
        memset(text, '1', WORLD_LOUD_BYTES);
        text[WORLD_LOUD_BYTES] = '\0';
        stream_reply_part(d, 200, "value", text);
    } else if (by == WORLD_LARGE_PART) {
        size_t size = STATE_LIMIT + 1;
        stream_put_part(d, 1, slice_make(arena_alloc(d->arena, size), size));
    } else if (by == WORLD_MUTE) {
        reply_value(d, "nobody", 0);
    } else {
        return false;
    }
    return true;
}

static void decide_command(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    world_check_record(world_of_decisions, m->record);
    Journey__V1__Count *state = d->state;
    bool count = command->body_case == JOURNEY__V1__COMMAND__BODY_COUNT_UP;
    int64_t by = count ? command->count_up->by : 0;
    if (count && decide_badly(d, m, by))
        return;
    if (command->body_case == JOURNEY__V1__COMMAND__BODY_GET) {
        struct store_value key[2] = {{.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}};
        stream_ask(d, &value_lookup, key, answer_value, slice_str(arena_printf(d->arena, "asked")));
        return;
    }
    if (command->body_case == JOURNEY__V1__COMMAND__BODY_STAGE) {
        stream_forward(d, TOPIC_COMMANDS_JOURNEY_STATE,
                       topic_key(m->key.tenant, m->key.id, d->arena), command, d->now_us);
        return;
    }
    if (!state && by <= 0 && !m->expired) { /* only of what exists */
        stream_park(d, d->now_us + world_of_decisions->patience_us);
        return;
    }
    if (!state && m->expired) {
        stream_reply_problem(d, 404, "not_found", "no such counter");
        return;
    }
    state = state ? state : begin(d, &m->key);
    struct tally *t = tally_of(state);
    if (command->body_case == JOURNEY__V1__COMMAND__BODY_OPTIMIZE) {
        /* Named alike by all states: what tells them apart is whose they are. */
        t->open++;
        stream_call(d, arena_printf(d->arena, "call-%lld", (long long)++t->calls),
                    slice_make(command->id.data, 16));
        open_row(d, m, command_number(command->id.data), stream_put_row);
        stream_put_state(d, state);
    } else if (command->body_case == JOURNEY__V1__COMMAND__BODY_END) {
        t->again_us = command->end->timestamp_us ? d->now_us + command->end->timestamp_us : 0;
        if (t->again_us)
            stream_set_timer(d, "again", t->again_us);
        else
            stream_cancel_timer(d, "again");
        stream_put_state(d, state);
    } else {
        assert_int_equal(command->body_case, JOURNEY__V1__COMMAND__BODY_COUNT_UP);
        count_on(d, &m->key, state, &t->commands, llabs(by));
        stream_put_part(d, state->value, slice_make(command->id.data, command->id.len));
    }
    reply_value(d, "value", state->value);
}

static unsigned event_count(const void *body)
{
    return (unsigned)((const Journey__V1__EventBatch *)body)->n_events;
}

static int event_key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
                     struct err *err)
{
    const Journey__V1__EventBatch *batch = body;
    if (!*batch->events[index]->session_id)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "an event without a session");
    memcpy(key->tenant, batch->tenant_id.data, 16);
    key->id = slice_str(batch->events[index]->session_id);
    return 0;
}

static struct slice event_alone(const void *body, unsigned index, struct arena *arena)
{
    Journey__V1__EventBatch alone = *(const Journey__V1__EventBatch *)body;
    alone.events += index;
    alone.n_events = 1;
    size_t size = journey__v1__event_batch__get_packed_size(&alone);
    uint8_t *data = arena_alloc(arena, size);
    journey__v1__event_batch__pack(&alone, data);
    return slice_make(data, size);
}

#define EVENT_SUB (INT64_C(1) << 40)

/* Events have no number: repeats are known by their id, in the parts. */
static void decide_event(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__EventBatch *batch = m->body;
    const Journey__V1__Event *event = batch->events[m->index];
    Journey__V1__Count *state = d->state;
    int64_t sub = EVENT_SUB + event->timestamp_us;
    world_check_record(world_of_decisions, m->record);
    if (strcmp(event->name, "bad") == 0) {
        if (state)
            state->value = -1;
        stream_reject(d, "invalid", "a bad event");
        return;
    }
    if (strcmp(event->name, "unstorable") == 0) {
        outcome_row(d, m, 0);
        return;
    }
    if (strcmp(event->name, "poison") == 0)
        longjmp(world_of_decisions->died, 1);
    for (unsigned i = 0; i < d->n_parts; i++)
        if (d->parts[i].sub == sub)
            return;
    if (!state && !m->expired && strcmp(event->name, "late") == 0) { /* not the one to begin */
        stream_park(d, d->now_us + world_of_decisions->patience_us);
        return;
    }
    state = state ? state : begin(d, &m->key);
    count_on(d, &m->key, state, &tally_of(state)->events, 1);
    stream_put_part(d, sub, SLICE_LITERAL("event"));
    add_to_sum(d, m, 1);
}

static bool has_row(struct world *world, const struct store_table *table, uint64_t number)
{
    const struct store_value *rows[WORLD_ASKED];
    unsigned n = store_mem_rows(world->dbs[0], table, rows, WORLD_ASKED);
    for (unsigned i = 0; i < n && i < WORLD_ASKED; i++)
        if (rows[i][2].i == (int64_t)number)
            return true;
    return false;
}

/* The intent is committed, or was: whoever lost its partition may call behind the outcome of its successor's call. */
static bool is_intended(struct world *world, uint64_t number)
{
    return has_row(world, &world_open, number) || has_row(world, &world_log_rows, number);
}

static void call(struct stream *stream, void *user, uint64_t ticket, const char *name,
                 struct slice data, const uint8_t idempotency_key[16])
{
    struct instance *instance = user;
    struct world *world = instance->world;
    assert_int_equal(data.size, 16);
    uint64_t number = command_number(data.data);
    assert_in_range(number, 1, world->commands);
    struct world_asked *asked = &world->asked[number - 1];
    assert_true(is_intended(world, number));
    assert_true(instance->n_calls < WORLD_CALLS);
    struct world_call *c = &instance->calls[instance->n_calls++];
    c->ticket = ticket;
    memcpy(c->id, data.data, 16);
    if (asked->called)
        assert_memory_equal(asked->idempotency, idempotency_key, 16);
    for (uint64_t i = 0; i < world->commands && !asked->called; i++)
        if (world->asked[i].called)
            assert_memory_not_equal(world->asked[i].idempotency, idempotency_key, 16);
    memcpy(asked->idempotency, idempotency_key, 16);
    asked->called = true;
}

/* ---- b ---- */

static int count_key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
                     struct err *err)
{
    const Journey__V1__Count *count = body;
    memcpy(key->tenant, count->tenant_id.data, 16);
    key->id = slice_str(count->id);
    return 0;
}

static unsigned count_needs(const void *body, unsigned index, struct arena *arena,
                            struct stream_need *needs)
{
    const Journey__V1__Count *count = body;
    needs[0].lookup = &newest_lookup;
    needs[0].key[0].s = slice_make(count->tenant_id.data, 16);
    needs[0].key[1].s = slice_str(count->id);
    return 1;
}

static int64_t settings_version(struct stream_decision *d)
{
    const Journey__V1__TenantSettings *settings =
        stream_mirror_get(d, 0, SLICE_LITERAL("settings"));
    struct instance *instance = world_of_decisions->acting;
    int64_t version = settings ? settings->version : 0;
    if (instance && version < instance->settings_least)
        fail_msg("settings %lld, after %lld", (long long)version,
                 (long long)instance->settings_least);
    if (instance)
        instance->settings_least = version;
    return version;
}

static void see(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Count *count = m->body;
    Journey__V1__Count *state = d->state;
    if (!state) {
        state = arena_alloc(d->arena, sizeof(*state));
        journey__v1__count__init(state);
        state->id = count->id;
    }
    (void)settings_version(d);
    world_check_record(world_of_decisions, m->record);
    world_tell(world_of_decisions, world_of_decisions->acting, "sees %s %lld at %lld", count->id,
               (long long)count->value, (long long)m->record->offset);
    int64_t newest = d->needs[0].n_found ? d->needs[0].found[0].values[0].i : 0;
    if (count->value != state->value + 1)
        wrong(d, m,
              arena_printf(d->arena, "after %lld came %lld, at %lld", (long long)state->value,
                           (long long)count->value, (long long)m->record->offset));
    /* What was committed before, perhaps not all of it; never what is not yet decided. */
    if (newest > state->value || d->needs[0].n_found > 1)
        wrong(d, m,
              arena_printf(d->arena, "looked up %lld, state %lld", (long long)newest,
                           (long long)state->value));
    state->value = count->value;
    stream_put_state(d, state);
    struct store_value row[3] = {
        {.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}, {.i = count->value}};
    stream_put_row(d, &world_log_rows, row);
}

static unsigned forwarded_needs(const void *body, unsigned index, struct arena *arena,
                                struct stream_need *needs)
{
    const Journey__V1__Command *command = body;
    needs[0].lookup = &newest_lookup;
    needs[0].key[0].s = slice_make(command->tenant_id.data, 16);
    needs[0].key[1].s = slice_str(command->subject);
    return 1;
}

static void answer_forwarded(struct stream_decision *d, const struct stream_message *m)
{
    Journey__V1__Count *state = d->state;
    world_check_record(world_of_decisions, m->record);
    world_of_decisions->looked_up = d->needs[0].n_found ? d->needs[0].found[0].values[0].i : 0;
    if (!state && !m->expired)
        stream_park(d, d->now_us + world_of_decisions->patience_us);
    else if (!state)
        stream_reply_problem(d, 404, "not_found", "never seen");
    else
        reply_value(d, "seen", state->value * 1000000 + settings_version(d));
}

static int64_t version_of(const void *body)
{
    return ((const Journey__V1__TenantSettings *)body)->version;
}

static const struct stream_state seen = {"seen",  &world_seen, &journey__v1__count__descriptor,
                                         project, NULL,        NULL};
static const struct stream_input inputs_a[] = {{.topic = TOPIC_TEMPLATE_COMMANDS,
                                                .lane = BUS_LANE_COMMANDS,
                                                .type = &journey__v1__command__descriptor,
                                                .state = &counter,
                                                .key = command_key,
                                                .decide = decide_command},
                                               {.topic = TOPIC_EVENTS,
                                                .lane = BUS_LANE_EVENTS,
                                                .type = &journey__v1__event_batch__descriptor,
                                                .state = &counter,
                                                .count = event_count,
                                                .key = event_key,
                                                .decide = decide_event,
                                                .alone = event_alone}};
static const struct stream_input inputs_b[] = {{.topic = TOPIC_TEMPLATE_COUNTS,
                                                .lane = BUS_LANE_EVENTS,
                                                .type = &journey__v1__count__descriptor,
                                                .state = &seen,
                                                .key = count_key,
                                                .needs = count_needs,
                                                .decide = see},
                                               {.topic = TOPIC_COMMANDS_JOURNEY_STATE,
                                                .lane = BUS_LANE_COMMANDS,
                                                .type = &journey__v1__command__descriptor,
                                                .state = &seen,
                                                .key = command_key,
                                                .needs = forwarded_needs,
                                                .decide = answer_forwarded}};
static const struct stream_state *const states_a[] = {&counter}, *const states_b[] = {&seen};
static const struct store_table *const tables_a[] = {&world_log_rows, &world_sums, &world_open,
                                                     &world_wrongs},
                                       *const tables_b[] = {&world_log_rows, &world_wrongs};
static const struct stream_mirror mirrors_b[] = {
    {TOPIC_SETTINGS, &journey__v1__tenant_settings__descriptor, version_of, 100}};
const struct stream_service world_services[2] = {
    {.name = "a",
     .schema = "a",
     .inputs = inputs_a,
     .n_inputs = 2,
     .states = states_a,
     .n_states = 1,
     .tables = tables_a,
     .n_tables = 4,
     .call = call},
    {.name = "b",
     .schema = "b",
     .inputs = inputs_b,
     .n_inputs = 2,
     .states = states_b,
     .n_states = 1,
     .tables = tables_b,
     .n_tables = 2,
     .mirrors = mirrors_b,
     .n_mirrors = 1},
};
