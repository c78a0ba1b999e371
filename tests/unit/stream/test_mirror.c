/* Mirrors are read to their end before anything is decided, and hold what is newest. */
#include "world.h"

#include <stdio.h>

#include "test.h"

#include "internal.h"

#include "journey/v1/settings.pb-c.h"

static const struct bus_ops *prompt;
static unsigned mirror_records; /* that may come */
static unsigned failed_starts;  /* of a mirror's reading, still to come */

static int poll_lane_slow(struct bus *bus, enum bus_lane lane, struct bus_event *event)
{
    if (lane == BUS_LANE_MIRRORS && !mirror_records)
        return 0;
    mirror_records -= lane == BUS_LANE_MIRRORS;
    return prompt->poll_lane(bus, lane, event);
}

static int start_failing(struct bus *bus, int topic, int32_t partition, int64_t offset,
                         enum bus_lane lane, struct err *err)
{
    if (lane != BUS_LANE_MIRRORS || !failed_starts)
        return prompt->start(bus, topic, partition, offset, lane, err);
    failed_starts--;
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "made to fail");
}

/* From now on its mirrors get what the test lets through: at first nothing. */
static void hold_mirrors(struct instance *instance)
{
    static struct bus_ops slow;
    prompt = instance->bus->ops;
    slow = *prompt;
    slow.poll_lane = poll_lane_slow;
    slow.start = start_failing;
    instance->bus->ops = &slow;
    mirror_records = failed_starts = 0;
}

/* It begins to read them anew, and nothing comes. */
static void restart_held(struct world *world, struct instance *instance)
{
    world_crash(instance);
    world_start(world, instance);
    hold_mirrors(instance);
}

static void assert_still_reads(const struct instance *instance)
{
    const char *why = NULL;
    assert_false(stream_ready(instance->stream, &why));
    assert_string_equal(why, "mirrors are being read");
}

/* A real bus brings the first record a while after the start: until all have come nothing is decided. */
static void mirror_is_read_before_anything_is_decided(void **state)
{
    struct world *world = world_create(14, 1);
    struct instance *b = &world->instances[1];
    world_settings(world);
    restart_held(world, b);
    world_command(world, 1, 1, 1);
    world_rounds(world, 1000);
    assert_still_reads(b);
    mirror_records = UINT_MAX;
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Its end is taken for read when nothing came for ten seconds, however long it takes in all. */
static void slow_mirror_is_read_to_its_end(void **state)
{
    struct world *world = world_create(15, 1);
    struct instance *b = &world->instances[1];
    for (unsigned i = 0; i < 4; i++)
        world_settings(world);
    restart_held(world, b);
    for (unsigned i = 0; i < 3; i++) {
        mirror_records = 1;
        world_rounds(world, 1000);
        world->now_us += 6 * SECOND_US;
        mirror_records = 0;
        world_rounds(world, 1000);
        assert_still_reads(b);
    }
    mirror_records = UINT_MAX;
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Retention took what it had not read: it begins anew, and if that fails it does so later. */
static void mirror_begins_anew_behind_what_is_gone(void **state)
{
    struct world *world = world_create(16, 1);
    struct instance *b = &world->instances[1];
    world_settings(world);
    world_settle(world);
    const struct mirror *mirror = &b->stream->mirrors[0];
    int topic = mirror->spec->topic;
    int32_t p = 0;
    while (bus_mem_end(world->cluster, topic, p) == 0)
        p++;
    hold_mirrors(b);
    for (unsigned i = 0; i < 3; i++)
        world_settings(world);
    int64_t end = bus_mem_end(world->cluster, topic, p);
    bus_mem_truncate(world->cluster, topic, p, end - 1);
    failed_starts = 1;
    mirror_records = UINT_MAX;
    world_rounds(world, 2000);
    world_settle(world);
    assert_int_equal(failed_starts, 0);
    assert_int_equal(mirror->next[p], end);
    world_check(world);
    world_destroy(&world);
}

static void say_settings(struct world *world, unsigned tenant, int64_t version)
{
    struct err err = {0};
    char key[16];
    uint8_t value[64];
    Journey__V1__TenantSettings settings;
    (void)snprintf(key, sizeof(key), "tenant%u", tenant);
    journey__v1__tenant_settings__init(&settings);
    settings.version = version;
    struct bus_message message = {.topic = TOPIC_SETTINGS, .partition = 0, .key = slice_str(key)};
    if (version)
        message.value = slice_make(value, journey__v1__tenant_settings__pack(&settings, value));
    assert_int_equal(bus_send(world->client, &message, &err), 0);
}

/* More than it has buckets: each is found, none for another; what was taken away is not. */
static void mirror_of_many_keys_knows_each(void **state)
{
    enum {
        MANY = 9000
    };
    struct world *world = world_create(17, 1);
    struct stream *s = world->instances[1].stream;
    struct stream_decision d = {.effects = &s->effects};
    struct stream_mirror spec = *s->mirrors[0].spec;
    spec.limit = MANY;
    s->mirrors[0].spec = &spec;
    for (unsigned i = 0; i < MANY; i++)
        say_settings(world, i, 1000 + i);
    for (unsigned i = 0; i < MANY; i += 3)
        say_settings(world, i, i % 2 ? 0 : 2000 + i);
    world_settle(world);
    for (unsigned i = 0; i < MANY + 1000; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "tenant%u", i);
        const Journey__V1__TenantSettings *found = stream_mirror_get(&d, 0, slice_str(key));
        int64_t version = i >= MANY ? 0 : i % 3 ? 1000 + i : i % 2 ? 0 : 2000 + i;
        assert_int_equal(found ? found->version : 0, version);
    }
    assert_true(stream_ready(s, NULL));
    const char *why = NULL;
    for (unsigned i = 0; i <= MANY / 6; i++) /* one more than were taken away */
        say_settings(world, MANY + i, 1);
    world_settle(world);
    assert_int_equal(s->mirrors[0].n, MANY);
    assert_false(stream_ready(s, &why));
    assert_string_equal(why, "a mirror has reached its limit");
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirror_is_read_before_anything_is_decided),
        cmocka_unit_test(slow_mirror_is_read_to_its_end),
        cmocka_unit_test(mirror_begins_anew_behind_what_is_gone),
        cmocka_unit_test(mirror_of_many_keys_knows_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
