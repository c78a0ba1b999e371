/*
 * What the service reads, keeps and says; and its decisions. Everything else is the runtime's (stream.h).
 *
 *     CountUp command ─► decide() ─► the counter's row, a Count, the answer, a timer
 *                timer ─► due() ───► the row goes, or the timer is set again
 */
#include "template.h"

#include "domain/count.h"
#include "journey/v1/command.pb-c.h"

/* ---- state: one row per counter, which outsiders may query ---- */

static const struct store_column counts_columns[] = {
    {"tenant_id", STORE_UUID, 0},
    {"id", STORE_TEXT, 0},
    {"value", STORE_BIGINT, 0},
    {"state", STORE_BYTES, 0},
};
const struct store_table template_counts = {.name = "counts",
                                            .columns = counts_columns,
                                            .n_columns = ARRAY_SIZE(counts_columns),
                                            .n_key = 2,
                                            .conflict = STORE_UPDATE};

/* The columns between id and state. */
static void project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values)
{
    const Journey__V1__TemplateRecord *record = state;
    values[2].i = record->value;
}

/* ---- a command ---- */

static int key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
               struct err *err)
{
    const Journey__V1__Command *command = body;
    if (command->tenant_id.len != 16 || !*command->subject)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "tenant_id or subject is missing");
    memcpy(key->tenant, command->tenant_id.data, 16);
    key->id = slice_str(command->subject);
    return STATUS_OK;
}

static void say(struct stream_decision *d, const struct stream_key *key,
                const Journey__V1__TemplateRecord *record)
{
    Journey__V1__Count *count = arena_alloc(d->arena, sizeof(*count));
    if (!count)
        return; /* the arena is full: the runtime sees it, and decides again in smaller batches */
    journey__v1__count__init(count);
    count->tenant_id = record->tenant_id;
    count->id = record->id;
    count->value = record->value;
    stream_publish(d, TOPIC_TEMPLATE_COUNTS, topic_key(key->tenant, key->id, d->arena), count,
                   d->now_us);
}

static void decide(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    Journey__V1__TemplateRecord *record = d->state;
    struct err err = {0};
    if (command->body_case != JOURNEY__V1__COMMAND__BODY_COUNT_UP) {
        stream_stop(d, "a command of a kind that this release does not know");
        return;
    }
    if (!record) {
        record = arena_alloc(d->arena, sizeof(*record));
        if (!record)
            return;
        journey__v1__template_record__init(record);
        record->tenant_id = command->tenant_id;
        record->id = command->subject;
        stream_set_timer(d, "forget", count_kept_until(d->now_us));
    }
    if (count_up(&record->value, command->count_up->by, &err) < 0) {
        stream_reject(d, "invalid", err.message);
        return;
    }
    record->last_us = d->now_us;
    stream_put_state(d, record);
    stream_count(d, 0, (double)command->count_up->by);
    say(d, &m->key, record);
    stream_reply_part(d, 200, "value", arena_printf(d->arena, "%lld", (long long)record->value));
}

/* ---- the timer: not moved by each count; when it fires, it looks ---- */

static void due(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__TemplateRecord *record = d->state;
    int64_t until_us = count_kept_until(record->last_us);
    if (d->now_us < until_us)
        stream_set_timer(d, m->name, until_us);
    else
        stream_put_state(d, NULL);
}

/* ---- the table ---- */

static const struct stream_state counter = {.name = "counter",
                                            .table = &template_counts,
                                            .type = &journey__v1__template_record__descriptor,
                                            .project = project,
                                            .due = due};
static const struct stream_state *const states[] = {&counter};
static const struct stream_input inputs[] = {{.topic = TOPIC_TEMPLATE_COMMANDS,
                                              .lane = BUS_LANE_COMMANDS,
                                              .type = &journey__v1__command__descriptor,
                                              .state = &counter,
                                              .key = key,
                                              .decide = decide}};
static const int publishes[] = {TOPIC_TEMPLATE_COUNTS};
static const struct stream_counter counters[] = {
    {"journey_template_counted_total", NULL, "counted by all counters"}};

const struct stream_service template_service = {
    .name = "template",
    .schema = "template",
    .inputs = inputs,
    .n_inputs = ARRAY_SIZE(inputs),
    .states = states,
    .n_states = ARRAY_SIZE(states),
    .publishes = publishes,
    .n_publishes = ARRAY_SIZE(publishes),
    .counters = counters,
    .n_counters = ARRAY_SIZE(counters),
};
