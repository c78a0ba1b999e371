/* Message ids through the real runtime: what counts once, what is written for that, what other releases left. */
#include "say.h"

static void message_ids_count_once_for_a_day(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    Journey__V1__Event *batch[] = {rig_event(rig, 1, "m1", 0), rig_event(rig, 1, "m1", 0),
                                   rig_event(rig, 1, "m2", 0)};
    rig_send_events(rig, TOPIC_EVENTS, batch, 3);
    rig_settle(rig);
    assert_int_equal(rig_said(rig, TOPIC_ACCEPTED), 2);
    rig_send_events(rig, TOPIC_EVENTS, batch, 3);    /* sent again */
    rig_send_events(rig, TOPIC_IMPORTS, batch, 3);   /* from elsewhere */
    rig_send_event(rig, rig_event(rig, 2, "m1", 0)); /* another device's */
    rig_settle(rig);
    assert_int_equal(rig_said(rig, TOPIC_ACCEPTED), 3);
    assert_true(rig_counter(rig, "journey_ingest_duplicates_total") == 7);
    rig_restart(rig);
    rig->now_us += 22 * HOUR_US;
    rig_send_events(rig, TOPIC_EVENTS, batch, 3);
    rig_settle(rig);
    assert_int_equal(rig_said(rig, TOPIC_ACCEPTED), 3);
    rig->now_us += 3 * HOUR_US;
    rig_send_events(rig, TOPIC_EVENTS, batch, 3);
    rig_settle(rig);
    assert_int_equal(rig_said(rig, TOPIC_ACCEPTED), 5);
    rig_destroy(&rig);
}

static const struct store_value *device_row(struct rig *rig)
{
    const struct store_value *rows[RIG_MAX];
    assert_int_equal(rig_rows(rig, &ingest_devices_table, rows), 1);
    return rows[0];
}

/* Sends events of device 1 with the ids from .. to; how many were accepted. */
static unsigned send_ids(struct rig *rig, int from, int to)
{
    Journey__V1__Event *batch[500];
    size_t n = 0;
    unsigned before = rig_said(rig, TOPIC_ACCEPTED);
    for (int id = from; id <= to; id++)
        batch[n++] = rig_event(rig, 1, arena_printf(rig->arena, "id %d", id), 0);
    rig_send_events(rig, TOPIC_EVENTS, batch, n);
    rig_settle(rig);
    return rig_said(rig, TOPIC_ACCEPTED) - before;
}

static int64_t to_minute(const struct rig *rig, int minute)
{
    return HOUR_US - rig->now_us % HOUR_US + minute * MINUTE_US;
}

static void a_row_beside_is_written_when_a_chunk_is_full(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig->now_us += to_minute(rig, 10);
    for (int id = 0; id < 64; id++)
        assert_int_equal(send_ids(rig, id, id), 1);
    assert_int_equal(rig_count(rig, &ingest_seen_table), 0);
    rig_restart(rig);
    assert_int_equal(send_ids(rig, 0, 63), 0);
    assert_int_equal(send_ids(rig, 64, 64), 1); /* now there is a full chunk */
    assert_int_equal(rig_count(rig, &ingest_seen_table), 1);
    rig_restart(rig);
    assert_int_equal(send_ids(rig, 0, 65), 1);
    assert_int_equal(rig_count(rig, &ingest_seen_table), 1);
    rig_destroy(&rig);
}

static void a_later_hour_s_event_writes_what_was_open(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig->now_us += to_minute(rig, 10);
    int64_t hour_us = rig->now_us - rig->now_us % HOUR_US;
    assert_int_equal(send_ids(rig, 0, 9), 10);
    rig->now_us += 3 * HOUR_US;
    assert_int_equal(send_ids(rig, 0, 9), 0);
    assert_int_equal(rig_count(rig, &ingest_seen_table), 0);
    assert_int_equal(send_ids(rig, 10, 10), 1);
    const struct store_value *rows[RIG_MAX];
    assert_int_equal(rig_rows(rig, &ingest_seen_table, rows), 1);
    assert_true(rows[0][2].i == hour_us);
    assert_int_equal(rows[0][3].s.size, 80);
    rig_restart(rig);
    assert_int_equal(send_ids(rig, 0, 10), 0);
    /* a day later what is open is too old to be written */
    rig->now_us += 30 * HOUR_US;
    assert_int_equal(send_ids(rig, 0, 10), 11);
    assert_int_equal(rig_count(rig, &ingest_seen_table), 1);
    rig_destroy(&rig);
}

static void a_start_leaves_what_was_seen(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    assert_int_equal(send_ids(rig, 0, 9), 10);
    rig_send_command(rig, rig_start(rig, 1, "s1"));
    rig_settle(rig);
    rig_restart(rig);
    assert_int_equal(send_ids(rig, 0, 9), 0);
    rig_destroy(&rig);
}

static void a_state_stays_small(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    struct slice kept = {0};
    rig_settings(rig, "consent", "session_idle_seconds", "60");
    for (int id = 0; id < 200; id++) {
        Journey__V1__Event *event =
            rig_event(rig, 1, arena_printf(rig->arena, "m%d", id), rig->now_us - id * HOUR_US);
        event->user = event->device;
        event->session_id = arena_printf(rig->arena, "%0100d", id % 40);
        rig_send_event(rig, event);
        rig_settle(rig);
        kept = device_row(rig)[7].s;
        assert_true(kept.size < 1830);
    }
    assert_true(kept.size > 1500);
    rig_destroy(&rig);
}

static void put_done(struct store_commit *commit)
{
    *(bool *)commit->user = true;
}

/* As another release left it. */
static void put_row(struct rig *rig, const struct store_table *table,
                    const struct store_value *values)
{
    bool done = false;
    struct store_row row = {.table = table, .values = values};
    struct store_commit commit = {.rows = &row, .n_rows = 1, .done = put_done, .user = &done};
    store_commit(rig->store, &commit);
    while (store_mem_step(rig->store))
        ;
    assert_true(done && commit.err.code == 0);
}

static void put_state(struct rig *rig, struct slice bytes)
{
    struct store_value values[8];
    memcpy(values, device_row(rig), sizeof(values));
    values[7].s = arena_slice(rig->arena, bytes);
    put_row(rig, &ingest_devices_table, values);
}

/* The state without an open chunk, the ids from .. to in a chunk beside it. */
static void leave_as_before(struct rig *rig, int from, int to)
{
    const struct store_value *row = device_row(rig);
    Journey__V1__DeviceRecord *record =
        journey__v1__device_record__unpack(NULL, row[7].s.size, row[7].s.data);
    uint8_t bytes[2000], hashes[128 * 8];
    struct store_value seen[4] = {{.s = arena_slice(rig->arena, row[0].s)},
                                  {.s = arena_slice(rig->arena, row[1].s)},
                                  {.i = rig->now_us - rig->now_us % HOUR_US},
                                  {.s = slice_make(hashes, (size_t)(to - from + 1) * 8)}};
    for (int id = from; id <= to; id++) {
        struct ingest_seen_hash hash =
            ingest_seen_hash(slice_str(arena_printf(rig->arena, "id %d", id)));
        memcpy(hashes + (size_t)(id - from) * 8, hash.bytes, 8);
    }
    put_row(rig, &ingest_seen_table, seen);
    record->seen.len = 0;
    record->seen_us = 0;
    size_t size = journey__v1__device_record__pack(record, bytes);
    put_state(rig, slice_make(bytes, size));
    journey__v1__device_record__free_unpacked(record, NULL);
    rig_restart(rig);
}

static void what_was_kept_before_open_chunks_counts(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig->now_us += to_minute(rig, 10);
    assert_int_equal(send_ids(rig, 0, 0), 1);
    leave_as_before(rig, 0, 99);
    assert_int_equal(send_ids(rig, 0, 99), 0);
    assert_int_equal(send_ids(rig, 100, 200), 101);
    assert_int_equal(rig_count(rig, &ingest_seen_table), 2);
    rig_restart(rig);
    assert_int_equal(send_ids(rig, 0, 200), 0);
    rig_destroy(&rig);
}

static void members_of_later_releases_stay(void **state)
{
    static const uint8_t later[] = {0xfa, 0x07, 0x02, 'h', 'i'}; /* field 127 */
    struct rig *rig = rig_create(&ingest_service);
    assert_int_equal(send_ids(rig, 0, 0), 1);
    struct slice kept = device_row(rig)[7].s;
    uint8_t bytes[500];
    memcpy(bytes, kept.data, kept.size);
    memcpy(bytes + kept.size, later, sizeof(later));
    put_state(rig, slice_make(bytes, kept.size + sizeof(later)));
    rig_restart(rig);
    assert_int_equal(send_ids(rig, 0, 70), 70);
    kept = device_row(rig)[7].s;
    assert_memory_equal(kept.data + kept.size - sizeof(later), later, sizeof(later));
    rig_destroy(&rig);
}

static void beyond_its_limit_an_hour_is_accepted_and_counted(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    for (int round = 0; round < 9; round++)
        assert_int_equal(send_ids(rig, 500 * round, 500 * round + 499), 500);
    assert_true(rig_counter(rig, "journey_ingest_untracked_total") == 4500 - 4096);
    rig_restart(rig);
    assert_int_equal(send_ids(rig, 0, 499), 0);
    assert_int_equal(send_ids(rig, 4000, 4095), 0);
    assert_int_equal(send_ids(rig, 4096, 4099), 4);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_ids_count_once_for_a_day),
        cmocka_unit_test(a_row_beside_is_written_when_a_chunk_is_full),
        cmocka_unit_test(a_later_hour_s_event_writes_what_was_open),
        cmocka_unit_test(a_start_leaves_what_was_seen),
        cmocka_unit_test(a_state_stays_small),
        cmocka_unit_test(what_was_kept_before_open_chunks_counts),
        cmocka_unit_test(members_of_later_releases_stay),
        cmocka_unit_test(beyond_its_limit_an_hour_is_accepted_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
