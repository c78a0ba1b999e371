/* The whole service on the in-memory twins of Kafka and Postgres, on time that only moves when told. */
#include "template.h"
#include "test.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/journey.pb-c.h"

#include <stdio.h>

struct bench {
    struct clock clock;
    int64_t now_us;
    struct bus_mem_cluster *cluster;
    struct store_mem_db *db;
    struct bus *bus, *client;
    struct store *store;
    struct stream *stream;
    uint64_t commands;
};

static int64_t bench_now(struct clock *clock)
{
    return ((struct bench *)(void *)clock)->now_us;
}

static void bench_start(struct bench *b)
{
    const struct store_table *tables[8];
    unsigned n = stream_tables(&template_service, tables, ARRAY_SIZE(tables));
    struct err err = {0};
    b->bus = bus_mem_create(b->cluster);
    b->store = store_mem_create(b->db, tables, n);
    struct stream_options options = {.bus = b->bus, .store = b->store, .clock = &b->clock};
    assert_int_equal(stream_create(&b->stream, &template_service, &options, &err), 0);
}

static void bench_crash(struct bench *b)
{
    store_destroy(&b->store);
    stream_destroy(&b->stream);
    bus_destroy(&b->bus);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->clock.now_us = bench_now;
    b->now_us = 1700000000 * SECOND_US;
    b->cluster = bus_mem_cluster_create(1);
    b->db = store_mem_db_create();
    b->client = bus_mem_create(b->cluster);
    bench_start(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    bench_crash(b);
    bus_destroy(&b->client);
    bus_mem_cluster_destroy(&b->cluster);
    store_mem_db_destroy(&b->db);
    free(b);
    return 0;
}

static void settle(struct bench *b)
{
    for (int i = 0; i < 200; i++) {
        stream_step(b->stream);
        while (store_mem_step(b->store))
            stream_step(b->stream);
        b->now_us += 10000;
    }
}

/* Asks for `by` more, under a command id of its own or one that was used before. */
static void ask(struct bench *b, const char *counter, int64_t by, uint64_t id)
{
    static uint8_t tenant[16] = {7};
    uint8_t id_bytes[16] = {0}, value[256];
    char subject[32], correlation[32];
    Journey__V1__Command command;
    Journey__V1__CountUp up;
    struct err err = {0};
    journey__v1__command__init(&command);
    journey__v1__count_up__init(&up);
    memcpy(id_bytes, &id, sizeof(id));
    (void)snprintf(subject, sizeof(subject), "%s", counter);
    (void)snprintf(correlation, sizeof(correlation), "c%llu", (unsigned long long)b->commands++);
    up.by = by;
    command.tenant_id = (ProtobufCBinaryData){16, tenant};
    command.id = command.body_hash = (ProtobufCBinaryData){16, id_bytes};
    command.subject = subject;
    command.body_case = JOURNEY__V1__COMMAND__BODY_COUNT_UP;
    command.count_up = &up;
    const struct bus_header headers[] = {{"ce_id", slice_str(correlation)},
                                         {"reply-partition", SLICE_LITERAL("0")},
                                         {"correlation-id", slice_str(correlation)}};
    struct bus_message message = {
        .topic = TOPIC_TEMPLATE_COMMANDS,
        .value = slice_make(value, journey__v1__command__pack(&command, value)),
        .headers = headers,
        .n_headers = ARRAY_SIZE(headers)};
    assert_int_equal(bus_send(b->client, &message, &err), 0);
    settle(b);
}

/* The newest answer: its value, or minus its problem's status. */
static long long answer(struct bench *b)
{
    int64_t end = bus_mem_end(b->cluster, TOPIC_REPLIES, 0);
    assert_true(end > 0);
    const struct bus_record *record = bus_mem_record(b->cluster, TOPIC_REPLIES, 0, end - 1);
    Journey__V1__Reply *reply =
        journey__v1__reply__unpack(NULL, record->value.size, record->value.data);
    assert_non_null(reply);
    long long value = reply->problem ? -reply->problem->status : atoll(reply->parts[0]->json);
    journey__v1__reply__free_unpacked(reply, NULL);
    return value;
}

static void counts_and_answers(void **state)
{
    ask(*state, "a", 2, 1);
    assert_int_equal(answer(*state), 2);
    ask(*state, "a", 3, 2);
    assert_int_equal(answer(*state), 5);
    ask(*state, "b", 1, 3);
    assert_int_equal(answer(*state), 1);
}

static void says_each_count_once_over_a_crash(void **state)
{
    struct bench *b = *state;
    ask(b, "a", 2, 1);
    bench_crash(b);
    bench_start(b);
    ask(b, "a", 3, 2);
    assert_int_equal(answer(b), 5);
    const struct store_value *row;
    assert_int_equal(store_mem_rows(b->db, &template_counts, &row, 1), 1);
    assert_int_equal(row[2].i, 5);
}

static void same_command_gives_the_same_answer(void **state)
{
    ask(*state, "a", 2, 1);
    ask(*state, "a", 2, 1);
    assert_int_equal(answer(*state), 2);
}

static void bad_command_is_refused_and_kept_as_dead_letter(void **state)
{
    struct bench *b = *state;
    ask(b, "a", 1001, 1);
    assert_int_equal(answer(b), -400);
    assert_int_equal(bus_mem_end(b->cluster, topic_dlq(TOPIC_TEMPLATE_COMMANDS), 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_and_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(says_each_count_once_over_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(same_command_gives_the_same_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_command_is_refused_and_kept_as_dead_letter, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
