/* What the service reads, keeps and says; and its decision. Everything else is the runtime's. */
#include "template.h"

#include "domain/count.h"
#include "journey/v1/command.pb-c.h"
#include "journey/v1/journey.pb-c.h"

/* ---- state: one row per counter, which outsiders may query ---- */

static const struct store_column counts_columns[] = {
    {"tenant_id", STORE_UUID, 0},
    {"id", STORE_TEXT, 0},
    {"value", STORE_BIGINT, 0},
    {"state", STORE_BYTES, 0},
};
const struct store_table template_counts = {.name = "counts",
                                            .columns = counts_columns,
                                            .n_columns = 4,
                                            .n_key = 2,
                                            .conflict = STORE_UPDATE};

static void project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values)
{
    (void)now_us;
    (void)arena;
    values[2].i = ((const Journey__V1__TemplateRecord *)state)->value;
}

static const struct stream_state counter = {.name = "counter",
                                            .table = &template_counts,
                                            .type = &journey__v1__template_record__descriptor,
                                            .project = project};

/* ---- the decision ---- */

static int key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
               struct err *err)
{
    const Journey__V1__Command *command = body;
    (void)index;
    (void)arena;
    if (command->tenant_id.len != 16 || !*command->subject)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "tenant_id or subject is missing");
    memcpy(key->tenant, command->tenant_id.data, 16);
    key->id = slice_str(command->subject);
    return STATUS_OK;
}

static void reply(struct stream_decision *d, int64_t value)
{
    Journey__V1__Reply *answer = arena_alloc(d->arena, sizeof(*answer));
    Journey__V1__ReplyPart *part = arena_alloc(d->arena, sizeof(*part)),
                           **parts = arena_alloc(d->arena, sizeof(*parts));
    char *json = arena_printf(d->arena, "%lld", (long long)value);
    if (!answer || !part || !parts || !json)
        return; /* the arena's overflow is sticky: the runtime refuses the decision */
    journey__v1__reply__init(answer);
    journey__v1__reply_part__init(part);
    part->name = arena_copy(d->arena, "value", 5);
    part->json = json;
    parts[0] = part;
    answer->status = 200;
    answer->parts = parts;
    answer->n_parts = 1;
    stream_reply(d, answer);
}

static void decide(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    Journey__V1__TemplateRecord *state = d->state;
    struct err err = {0};
    if (command->body_case != JOURNEY__V1__COMMAND__BODY_COUNT_UP) {
        stream_stop(d, "a command of a kind that this release does not know");
        return;
    }
    if (!state) {
        state = arena_alloc(d->arena, sizeof(*state));
        journey__v1__template_record__init(state);
        state->tenant_id = command->tenant_id;
        state->id = command->subject;
    }
    if (count_up(&state->value, command->count_up->by, &err) < 0) {
        stream_reject(d, "invalid", err.message);
        return;
    }
    stream_put_state(d, state);
    Journey__V1__Count *count = arena_alloc(d->arena, sizeof(*count));
    journey__v1__count__init(count);
    count->tenant_id = command->tenant_id;
    count->id = command->subject;
    count->value = state->value;
    stream_publish(d, TOPIC_TEMPLATE_COUNTS, topic_key(m->key.tenant, m->key.id, d->arena), count,
                   d->now_us);
    stream_count(d, 0, (double)command->count_up->by);
    reply(d, state->value);
}

/* ---- the table ---- */

static const struct stream_input inputs[] = {{.topic = TOPIC_TEMPLATE_COMMANDS,
                                              .lane = BUS_LANE_COMMANDS,
                                              .type = &journey__v1__command__descriptor,
                                              .state = &counter,
                                              .key = key,
                                              .decide = decide}};
static const struct stream_state *const states[] = {&counter};
static const struct stream_counter counters[] = {
    {"journey_template_counted_total", NULL, "counted by all counters"}};
static const int publishes[] = {TOPIC_TEMPLATE_COUNTS};

const struct stream_service template_service = {
    .name = "template",
    .schema = "template",
    .inputs = inputs,
    .n_inputs = 1,
    .states = states,
    .n_states = 1,
    .counters = counters,
    .n_counters = 1,
    .publishes = publishes,
    .n_publishes = 1,
};
