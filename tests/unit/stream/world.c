#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/journey.pb-c.h"

/* ---- the two services ---- */

static const struct store_column counters_columns[] = {{"tenant_id", STORE_UUID, 0},
                                                       {"id", STORE_TEXT, 0},
                                                       {"value", STORE_BIGINT, 0},
                                                       {"state", STORE_BYTES, 0}};
const struct store_table world_counters = {
    "counters", counters_columns, 4, 2, STORE_UPDATE, 0, NULL, 0, 0, NULL};
const struct store_table world_seen = {"seen", counters_columns, 4, 2, STORE_UPDATE, 0, NULL, 0, 0,
                                       NULL};
static const struct store_column marks_columns[] = {{"tenant_id", STORE_UUID, 0},
                                                    {"id", STORE_TEXT, 0},
                                                    {"sub", STORE_BIGINT, 0},
                                                    {"data", STORE_BYTES, 0}};
const struct store_table world_marks = {"marks", marks_columns, 4, 3, STORE_UPDATE,
                                        0,       NULL,          0, 0, NULL};
/* A row for each count that b takes: its key is new, or the commit fails. */
static const struct store_column log_columns[] = {
    {"tenant_id", STORE_UUID, 0}, {"id", STORE_TEXT, 0}, {"value", STORE_BIGINT, 0}};
static const struct store_table log_table = {"log", log_columns, 3, 3, STORE_PLAIN,
                                             0,     NULL,        0, 0, NULL};

static void project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values)
{
    values[2].i = ((const Journey__V1__TemplateRecord *)state)->value;
}

static void say_count(struct stream_decision *d, const struct stream_key *key, int64_t value)
{
    Journey__V1__Count *count = arena_alloc(d->arena, sizeof(*count));
    journey__v1__count__init(count);
    count->tenant_id = (ProtobufCBinaryData){16, arena_copy(d->arena, key->tenant, 16)};
    count->id = arena_str(d->arena, key->id);
    count->value = value;
    stream_publish(d, TOPIC_TEMPLATE_COUNTS, topic_key(key->tenant, key->id, d->arena), count,
                   d->now_us);
}

static void due(struct stream_decision *d, const struct stream_message *m)
{
    Journey__V1__TemplateRecord *state = d->state;
    assert_non_null(state);
    assert_string_equal(m->name, "once");
    assert_true(d->now_us >= m->due_us);
    state->value++;
    stream_put_state(d, state);
    say_count(d, &m->key, state->value);
}

static const struct stream_parts marks = {.table = &world_marks};
static const struct stream_state counter = {
    "counter", &world_counters, &journey__v1__template_record__descriptor, project, due, &marks};
static const struct stream_state seen = {
    "seen", &world_seen, &journey__v1__template_record__descriptor, project, NULL, NULL};

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

static void count_up(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    Journey__V1__TemplateRecord *state = d->state;
    if (command->body_case != JOURNEY__V1__COMMAND__BODY_COUNT_UP) {
        stream_stop(d, "unknown");
        return;
    }
    if (command->count_up->by == 666) {
        if (state)
            state->value = -1; /* a refused decision leaves nothing behind */
        stream_reject(d, "invalid", "666");
        return;
    }
    if (!state && command->count_up->by < 0 &&
        !m->expired) { /* a negative one only goes down what exists */
        stream_park(d, d->now_us + 300000);
        return;
    }
    if (!state && m->expired) {
        stream_reply_problem(d, 404, "not_found", "no such counter");
        return;
    }
    if (!state) {
        state = arena_alloc(d->arena, sizeof(*state));
        journey__v1__template_record__init(state);
        state->tenant_id = command->tenant_id;
        state->id = command->subject;
        stream_set_timer(d, "once", d->now_us + SECOND_US);
    }
    int64_t by = llabs(command->count_up->by);
    for (int64_t i = 0; i < by; i++)
        say_count(d, &m->key, ++state->value);
    stream_put_state(d, state);
    stream_put_part(d, state->value, slice_make(command->id.data, command->id.len));
    Journey__V1__Reply *reply = arena_alloc(d->arena, sizeof(*reply));
    journey__v1__reply__init(reply);
    reply->status = 200;
    stream_reply(d, reply);
}

static int count_key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
                     struct err *err)
{
    const Journey__V1__Count *count = body;
    memcpy(key->tenant, count->tenant_id.data, 16);
    key->id = slice_str(count->id);
    return 0;
}

static void see(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Count *count = m->body;
    Journey__V1__TemplateRecord *state = d->state;
    if (!state) {
        state = arena_alloc(d->arena, sizeof(*state));
        journey__v1__template_record__init(state);
        state->tenant_id = count->tenant_id;
        state->id = count->id;
    }
    if (count->value != state->value + 1)
        fail_msg("%s: after %lld came %lld", count->id, (long long)state->value,
                 (long long)count->value);
    state->value = count->value;
    stream_put_state(d, state);
    struct store_value row[3] = {
        {.s = slice_make(m->key.tenant, 16)}, {.s = m->key.id}, {.i = count->value}};
    stream_put_row(d, &log_table, row);
}

static const struct stream_input inputs_a[] = {{.topic = TOPIC_TEMPLATE_COMMANDS,
                                                .lane = BUS_LANE_COMMANDS,
                                                .type = &journey__v1__command__descriptor,
                                                .state = &counter,
                                                .key = command_key,
                                                .decide = count_up}};
static const struct stream_input inputs_b[] = {{.topic = TOPIC_TEMPLATE_COUNTS,
                                                .lane = BUS_LANE_EVENTS,
                                                .type = &journey__v1__count__descriptor,
                                                .state = &seen,
                                                .key = count_key,
                                                .decide = see}};
static const struct stream_state *const states_a[] = {&counter}, *const states_b[] = {&seen};
static const struct store_table *const tables_b[] = {&log_table};
const struct stream_service world_services[2] = {
    {.name = "a",
     .schema = "a",
     .inputs = inputs_a,
     .n_inputs = 1,
     .states = states_a,
     .n_states = 1},
    {.name = "b",
     .schema = "b",
     .inputs = inputs_b,
     .n_inputs = 1,
     .states = states_b,
     .n_states = 1,
     .tables = tables_b,
     .n_tables = 1},
};

/* ---- the world ---- */

static int64_t world_now(struct clock *clock)
{
    return ((struct world *)(void *)clock)->now_us;
}

uint64_t world_below(struct world *world, uint64_t n)
{
    return random_next(&world->random) % n;
}

static void tell(void *user, enum log_level level, const char *event, const char *fields)
{
    struct instance *instance = user;
    if (instance->world->verbose)
        fprintf(stderr, "%10lld %s%d %s %s\n", (long long)instance->world->now_us,
                world_services[instance->service].name,
                (int)(instance - instance->world->instances), event, fields);
}

void world_start(struct world *world, struct instance *instance)
{
    const struct store_table *tables[16];
    unsigned n = stream_tables(&world_services[instance->service], tables, 16);
    struct err err = {0};
    instance->bus = bus_mem_create(world->cluster);
    instance->store = store_mem_create(world->dbs[instance->service], tables, n);
    struct stream_options options = {.bus = instance->bus,
                                     .store = instance->store,
                                     .clock = &world->clock,
                                     .user = instance,
                                     .observe = tell,
                                     .batch_limit = 1 + (unsigned)world_below(world, 40),
                                     .cache_bytes = world_below(world, 2) ? 4096 : 0};
    assert_int_equal(
        stream_create(&instance->stream, &world_services[instance->service], &options, &err), 0);
}

void world_crash(struct instance *instance)
{
    store_destroy(&instance->store);
    stream_destroy(&instance->stream);
    bus_destroy(&instance->bus);
}

struct world *world_create(uint64_t seed, unsigned instances)
{
    struct world *world = calloc(1, sizeof(*world));
    world->clock.now_us = world_now;
    world->now_us = 1700000000 * SECOND_US;
    world->random.state = seed;
    world->verbose = getenv("WORLD_VERBOSE") != NULL;
    world->n_instances = instances;
    world->cluster = bus_mem_cluster_create(WORLD_PARTITIONS);
    world->client = bus_mem_create(world->cluster);
    for (unsigned s = 0; s < 2; s++)
        world->dbs[s] = store_mem_db_create();
    for (unsigned i = 0; i < 2 * instances; i++) {
        world->instances[i] = (struct instance){.world = world, .service = i / instances};
        world_start(world, &world->instances[i]);
    }
    return world;
}

void world_destroy(struct world **world)
{
    struct world *w = *world;
    for (unsigned i = 0; i < 2 * w->n_instances; i++)
        world_crash(&w->instances[i]);
    bus_destroy(&w->client);
    bus_mem_cluster_destroy(&w->cluster);
    for (unsigned s = 0; s < 2; s++)
        store_mem_db_destroy(&w->dbs[s]);
    free(w);
    *world = NULL;
}

static const uint8_t tenant[16] = {1, 2, 3};

void world_command(struct world *world, unsigned key, int64_t by, unsigned copies)
{
    struct arena *arena = arena_create(1 << 20);
    Journey__V1__Command command;
    Journey__V1__CountUp up;
    uint8_t id[16] = {0};
    journey__v1__command__init(&command);
    journey__v1__count_up__init(&up);
    char *subject = arena_printf(arena, "key%u", key),
         *correlation = arena_printf(arena, "c%llu", (unsigned long long)world->commands);
    world->commands++;
    memcpy(id, &world->commands, sizeof(world->commands));
    command.tenant_id = (ProtobufCBinaryData){16, arena_copy(arena, tenant, 16)};
    command.id = (ProtobufCBinaryData){16, id};
    command.body_hash = command.id;
    command.subject = subject;
    command.body_case = JOURNEY__V1__COMMAND__BODY_COUNT_UP;
    command.count_up = &up;
    up.by = by;
    size_t size = journey__v1__command__get_packed_size(&command);
    uint8_t *value = arena_alloc(arena, size + 1);
    journey__v1__command__pack(&command, value);
    struct slice record_key = topic_key(tenant, slice_str(subject), arena);
    const struct bus_header headers[] = {{"ce_id", slice_str(correlation)},
                                         {"reply-partition", SLICE_LITERAL("0")},
                                         {"correlation-id", slice_str(correlation)}};
    struct bus_message message = {.topic = TOPIC_TEMPLATE_COMMANDS,
                                  .partition = topic_partition(record_key, WORLD_PARTITIONS),
                                  .key = record_key,
                                  .value = slice_make(value, size),
                                  .headers = headers,
                                  .n_headers = 3};
    for (unsigned i = 0; i < copies; i++) {
        struct err err = {0};
        assert_int_equal(bus_send(world->client, &message, &err), 0);
    }
    if (by != 666)
        world->sent[key] += llabs(by);
    arena_destroy(&arena);
}

void world_act(struct world *world, struct instance *instance)
{
    if (!world_below(world, 2) || !store_mem_step(instance->store))
        stream_step(instance->stream);
}

void world_settle(struct world *world)
{
    struct bus_event event;
    for (int round = 0; round < 4000; round++) {
        for (unsigned i = 0; i < 2 * world->n_instances; i++) {
            stream_step(world->instances[i].stream);
            while (store_mem_step(world->instances[i].store))
                stream_step(world->instances[i].stream);
        }
        world->now_us += 2000;
        while (bus_poll_control(world->client, &event))
            bus_event_release(world->client, &event);
    }
}

int64_t world_value(struct world *world, unsigned service, unsigned key)
{
    const struct store_value *rows[WORLD_KEYS + 1];
    const struct store_table *table = service ? &world_seen : &world_counters;
    unsigned n = store_mem_rows(world->dbs[service], table, rows, WORLD_KEYS + 1);
    char id[16];
    snprintf(id, sizeof(id), "key%u", key);
    for (unsigned i = 0; i < n; i++)
        if (slice_equal_str(rows[i][1].s, id))
            return rows[i][2].i;
    return -1;
}

void world_check(struct world *world)
{
    for (unsigned key = 0; key < WORLD_KEYS; key++) {
        int64_t expected = world->sent[key] ? world->sent[key] + 1 : -1; /* the timer counts once */
        int64_t a = world_value(world, 0, key), b = world_value(world, 1, key);
        if (a != expected || b != expected)
            fail_msg("key%u: asked for %lld, a has %lld, b has %lld", key, (long long)expected,
                     (long long)a, (long long)b);
    }
}
