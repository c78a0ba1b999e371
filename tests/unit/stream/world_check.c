/*
 * What must hold of the world at rest.
 *
 *   databases   a counted every command answered 200 and every good event once, and each timer and outcome once; b saw
 *               every count; nothing waits for ever
 *   logs        the same id is always the same bytes; of each producer and destination every number was said
 *   answers     every copy of every command was answered, all alike, and no other
 *   dead ones   as many as there were messages that had to become dead letters
 *   memory      right in itself, and nothing is left in it: stream_audit
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "audit.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/journey.pb-c.h"

enum {
    SAID = 1 << 17,
    STREAMS = 1 << 12
};

struct said {
    uint64_t id, content; /* hashes */
};

struct numbered { /* one producer partition's messages for one destination */
    uint64_t hash, highest, different;
};

struct world_log {
    int64_t next[2 * TOPIC_COUNT][WORLD_PARTITIONS_MOST];
    struct said *said;
    struct numbered *streams;
    unsigned dead_letters, poisoned;
    struct answered {
        uint64_t content; /* of its answers other than 404 */
        int status;
        unsigned answers;
        bool copies[4];
    } * answered;
};

static int topics[] = {TOPIC_TEMPLATE_COUNTS,
                       TOPIC_COMMANDS_JOURNEY_STATE,
                       TOPIC_REPLIES,
                       TOPIC_TEMPLATE_COMMANDS | TOPIC_DLQ,
                       TOPIC_EVENTS | TOPIC_DLQ,
                       TOPIC_TEMPLATE_COUNTS | TOPIC_DLQ,
                       TOPIC_COMMANDS_JOURNEY_STATE | TOPIC_DLQ};

void world_log_destroy(struct world_log **log)
{
    if (!*log)
        return;
    free((*log)->said);
    free((*log)->streams);
    free((*log)->answered);
    free(*log);
    *log = NULL;
}

static struct world_log *log_of(struct world *world)
{
    if (!world->log) {
        world->log = calloc(1, sizeof(*world->log));
        world->log->said = calloc(SAID, sizeof(*world->log->said));
        world->log->streams = calloc(STREAMS, sizeof(*world->log->streams));
        world->log->answered = calloc(WORLD_ASKED, sizeof(*world->log->answered));
    }
    return world->log;
}

static uint64_t content_of(const struct bus_record *record)
{
    uint64_t hash = hash64(record->key.data, record->key.size, 1);
    hash = hash64(record->value.data, record->value.size, hash);
    for (unsigned i = 0; i < record->n_headers; i++) {
        const struct bus_header *h = &record->headers[i];
        hash = hash64(h->name, strlen(h->name), hash);
        hash = hash64(h->value.data, h->value.size, hash);
    }
    return hash;
}

/* True: said for the first time. */
static bool say(struct world_log *log, struct slice id, const struct bus_record *record)
{
    uint64_t hash = hash64(id.data, id.size, 3) | 1, content = content_of(record);
    size_t at = hash % SAID;
    while (log->said[at].id && log->said[at].id != hash)
        at = (at + 1) % SAID;
    bool first = !log->said[at].id;
    if (first)
        log->said[at] = (struct said){hash, content};
    else if (log->said[at].content != content)
        fail_msg("%.*s was said in two ways", (int)id.size, (const char *)id.data);
    return first;
}

static void count_number(struct world_log *log, struct slice id)
{
    struct stream_number number;
    assert_true(stream_number_parse(id, &number));
    size_t stem = id.size;
    while (id.data[stem - 1] != '/')
        stem--;
    uint64_t hash = hash64(id.data, stem, 5) | 1;
    size_t at = hash % STREAMS;
    while (log->streams[at].hash && log->streams[at].hash != hash)
        at = (at + 1) % STREAMS;
    struct numbered *stream = &log->streams[at];
    stream->hash = hash;
    stream->different++;
    stream->highest = number.number > stream->highest ? number.number : stream->highest;
}

/* What a question is answered: a value that was once committed, or that it cannot be answered now. */
static void check_value(struct world *world, const struct world_asked *asked,
                        const Journey__V1__Reply *reply)
{
    if (reply->status == 503) {
        assert_non_null(reply->problem);
        return;
    }
    assert_int_equal(reply->status, 200);
    assert_null(reply->problem);
    assert_int_equal(reply->n_parts, 1);
    assert_string_equal(reply->parts[0]->name, "asked");
    int64_t value = strtoll(reply->parts[0]->json, NULL, 10);
    assert_true(value >= -1 && value <= world_value(world, 0, asked->key));
}

/* As CloudEvents has them. */
static void check_headers(const struct bus_record *record)
{
    static const char *const names[] = {"ce_specversion", "ce_id", "ce_type", "ce_source",
                                        "ce_time"};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        const struct bus_header *header = bus_record_header(record, names[i]);
        if (!header || !header->value.size)
            fail_msg("a message without %s", names[i]);
    }
    int64_t at_us;
    int32_t offset_s;
    struct slice time = bus_record_header(record, "ce_time")->value;
    assert_int_equal(time_parse(&at_us, &offset_s, time), 0);
    assert_in_range(at_us, 1700000000 * SECOND_US - DAY_US, 1700000000 * SECOND_US + 30 * DAY_US);
}

static void take_answer(struct world *world, const struct bus_record *record)
{
    Journey__V1__Reply *reply =
        journey__v1__reply__unpack(NULL, record->value.size, record->value.data);
    char *end = NULL;
    assert_non_null(reply);
    uint64_t number = strtoull(reply->correlation_id, &end, 10);
    if (number < 1 || number > world->commands || *end != '.')
        fail_msg("an answer to %s, which nobody asked", reply->correlation_id);
    struct world_asked *asked = &world->asked[number - 1];
    struct answered *answered = &world->log->answered[number - 1];
    unsigned long copy = strtoul(end + 1, NULL, 10);
    assert_int_equal(record->partition, (int64_t)number % world->partitions);
    assert_true(copy < asked->copies);
    const struct bus_header *trace = bus_record_header(record, "traceparent"),
                            *correlation = bus_record_header(record, "correlation-id");
    assert_true(correlation && slice_equal_str(correlation->value, reply->correlation_id));
    assert_true(slice_equal_str(record->key, reply->correlation_id));
    size_t size = strlen(asked->trace);
    if (size < 1 || size >= 64 ? trace != NULL
                               : !trace || !slice_equal_str(trace->value, asked->trace))
        fail_msg("command %llu: its trace of %zu bytes is%s in its answer",
                 (unsigned long long)number, size, trace ? "" : " not");
    answered->answers += !answered->copies[copy];
    answered->copies[copy] = true;
    if (asked->kind == ASKED_VALUE)
        check_value(world, asked, reply);
    if (asked->kind != ASKED_VALUE && reply->status != 404) {
        uint64_t content =
            hash64(reply->n_parts ? reply->parts[0]->json : "",
                   reply->n_parts ? strlen(reply->parts[0]->json) : 0, (uint64_t)reply->status);
        if (answered->content && answered->content != (content | 1))
            fail_msg("command %llu was answered in two ways", (unsigned long long)number);
        answered->content = content | 1;
        answered->status = reply->status;
    } else if (!answered->content) {
        answered->status = reply->status;
    }
    journey__v1__reply__free_unpacked(reply, NULL);
}

static bool is_poison(const struct bus_record *record)
{
    const struct bus_header *code = bus_record_header(record, "dlq-code");
    return code && slice_equal_str(code->value, "poison");
}

void world_audit(struct world *world)
{
    struct world_log *log = log_of(world);
    for (unsigned t = 0; t < ARRAY_SIZE(topics); t++) {
        for (int32_t p = 0; p < world->partitions; p++) {
            int64_t *next = &log->next[(topics[t] & ~TOPIC_DLQ) * 2 + !!(topics[t] & TOPIC_DLQ)][p];
            const struct bus_record *record;
            for (; (record = bus_mem_record(world->cluster, topics[t], p, *next)); ++*next) {
                const struct bus_header *id =
                    bus_record_header(record, topics[t] & TOPIC_DLQ ? "dlq-id" : "ce_id");
                assert_non_null(id);
                if (!(topics[t] & TOPIC_DLQ))
                    check_headers(record);
                bool answer = id->value.size > 7 && memcmp(id->value.data, "answer-", 7) == 0;
                if (answer) {
                    take_answer(world, record);
                } else if (say(log, id->value, record)) {
                    count_number(log, id->value);
                    if (topics[t] & TOPIC_DLQ)
                        world_check_dead_letter(world, record);
                    log->dead_letters += !!(topics[t] & TOPIC_DLQ);
                    log->poisoned += is_poison(record);
                    if (topics[t] == TOPIC_REPLIES)
                        take_answer(world, record);
                }
            }
        }
    }
}

unsigned world_dead_letters(struct world *world)
{
    world_audit(world);
    return world->log->dead_letters;
}

unsigned world_replies(struct world *world, int status)
{
    unsigned n = 0;
    world_audit(world);
    for (uint64_t c = 0; c < world->commands; c++)
        n += world->log->answered[c].answers && world->log->answered[c].status == status;
    return n;
}

static const struct store_value *row_of(struct world *world, unsigned service,
                                        const struct store_table *table, unsigned key)
{
    const struct store_value *rows[WORLD_KEYS_MOST];
    unsigned n = store_mem_rows(world->dbs[service], table, rows, WORLD_KEYS_MOST);
    struct world_key about = world_key(key);
    for (unsigned i = 0; i < n && i < WORLD_KEYS_MOST; i++)
        if (memcmp(rows[i][0].s.data, about.tenant, 16) == 0 &&
            slice_equal_str(rows[i][1].s, about.id))
            return rows[i];
    return NULL;
}

int64_t world_value(struct world *world, unsigned service, unsigned key)
{
    const struct store_value *row =
        row_of(world, service, service ? &world_seen : &world_counters, key);
    return row ? row[2].i : -1;
}

/* Nothing that is not committed. */
void world_cached(void *user, struct slice key, struct slice value, int64_t seconds)
{
    struct world *world = ((struct instance *)user)->world;
    char text[24] = "", tenant[UUID_TEXT_SIZE], expected[100];
    assert_int_equal(seconds, 60);
    assert_in_range(value.size, 1, sizeof(text) - 1);
    memcpy(text, value.data, value.size);
    for (unsigned k = 0; k < WORLD_KEYS_MOST; k++) {
        struct world_key about = world_key(k);
        uuid_format(tenant, about.tenant);
        (void)snprintf(expected, sizeof(expected), "%s:counter:%s", tenant, about.id);
        if (!slice_equal_str(key, expected))
            continue;
        assert_in_range(strtoll(text, NULL, 10), 1, world_value(world, 0, k));
        world->cached[k] = max_i64(world->cached[k], strtoll(text, NULL, 10));
        return;
    }
    fail_msg("%.*s is cached, and is nobody's", (int)key.size, (const char *)key.data);
}

static void check_logs(const struct world_log *log)
{
    for (unsigned i = 0; i < STREAMS; i++)
        if (log->streams[i].different != log->streams[i].highest)
            fail_msg("of %llu numbers %llu were said", (unsigned long long)log->streams[i].highest,
                     (unsigned long long)log->streams[i].different);
}

static void check_answers(struct world *world, int64_t *counted, int64_t *called)
{
    for (uint64_t c = 0; c < world->commands; c++) {
        const struct world_asked *asked = &world->asked[c];
        const struct answered *answered = &world->log->answered[c];
        bool mute = asked->kind == ASKED_COUNT && asked->by == WORLD_MUTE;
        if (asked->kind != ASKED_VALUE && !mute && answered->answers != asked->copies)
            fail_msg("command %llu: %u answers to %u", (unsigned long long)c + 1, answered->answers,
                     asked->copies);
        bool done = answered->answers && answered->status == 200;
        counted[asked->key] +=
            asked->kind == ASKED_COUNT && done && asked->by != WORLD_LOUD ? llabs(asked->by) : 0;
        called[asked->key] += asked->kind == ASKED_CALL && done;
    }
}

static void check_key(struct world *world, unsigned key, int64_t counted, int64_t called)
{
    const struct store_value *row = row_of(world, 0, &world_counters, key);
    const struct store_value *sum = row_of(world, 0, &world_sums, key);
    int64_t b = world_value(world, 1, key), value = row ? row[2].i : -1;
    struct tally tally = {0};
    if (row) {
        Journey__V1__Count *state = journey__v1__count__unpack(NULL, row[3].s.size, row[3].s.data);
        assert_non_null(state);
        memcpy(&tally, state->tenant_id.data, sizeof(tally));
        assert_int_equal(state->value, row[2].i);
        assert_int_equal(value, tally.commands + tally.events + tally.fired + tally.outcomes);
        journey__v1__count__free_unpacked(state, NULL);
    }
    bool events = tally.events == world->wanted_events[key] || world->log->poisoned;
    if (tally.commands != counted || !events)
        fail_msg("key %u: asked for %lld and %lld events, has %lld and %lld", key,
                 (long long)counted, (long long)world->wanted_events[key],
                 (long long)tally.commands, (long long)tally.events);
    if (tally.once_us || tally.again_us || tally.open || tally.outcomes != called)
        fail_msg("key %u: a timer or a call never came (%lld, %lld; %lld open, %lld of %lld)", key,
                 (long long)tally.once_us, (long long)tally.again_us, (long long)tally.open,
                 (long long)tally.outcomes, (long long)called);
    if ((sum ? sum[2].i : 0) != tally.events)
        fail_msg("key %u: %lld events, their rows add up to %lld", key, (long long)tally.events,
                 sum ? (long long)sum[2].i : 0);
    if (b != value)
        fail_msg("key %u: a has %lld, b has %lld", key, (long long)value, (long long)b);
}

void world_look(const struct instance *instance, bool idle)
{
    char why[200];
    if (!stream_audit(instance->stream, idle, why, sizeof(why)))
        fail_msg("%s%d: %s", world_services[instance->service].name,
                 (int)(instance - instance->world->instances), why);
}

void world_check(struct world *world)
{
    int64_t counted[WORLD_KEYS] = {0}, called[WORLD_KEYS] = {0};
    const struct store_value *row;
    for (unsigned s = 0; s < 2; s++)
        if (store_mem_rows(world->dbs[s], &world_wrongs, &row, 1))
            fail_msg("%.*s: %.*s", (int)row[1].s.size, (const char *)row[1].s.data,
                     (int)row[2].s.size, (const char *)row[2].s.data);
    world_audit(world);
    check_logs(world->log);
    check_answers(world, counted, called);
    for (unsigned key = 0; key < WORLD_KEYS; key++)
        check_key(world, key, counted[key], called[key]);
    /* Now and then fate kills every owner of a record before it is committed: it counts as poison, which is the rule. */
    if (world->log->dead_letters < world->rejects ||
        world->log->dead_letters > world->rejects + world->log->poisoned)
        fail_msg("%u dead letters, there should be %u", world->log->dead_letters, world->rejects);
    assert_int_equal(store_mem_rows(world->dbs[0], &world_open, &row, 1), 0);
    for (unsigned s = 0; s < 2; s++) {
        const struct store_table *tables[16];
        unsigned n = stream_tables(&world_services[s], tables, 16);
        for (unsigned t = 0; t < n; t++)
            if (strcmp(tables[t]->name, "timers") == 0)
                assert_int_equal(store_mem_rows(world->dbs[s], tables[t], &row, 1), 0);
    }
    for (unsigned i = 0; i < 2 * world->n_instances; i++) {
        const char *why = "";
        if (!stream_ready(world->instances[i].stream, &why))
            fail_msg("instance %u is not ready: %s", i, why);
        world_look(&world->instances[i], true);
    }
}
