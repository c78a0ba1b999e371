/* What is written by hand is what the generated code reads, whatever is there of an event. */
#include "domain/wire.h"
#include "journey/v1/event.pb-c.h"
#include "test.h"

static void check_bytes(ProtobufCBinaryData found, const uint8_t *hash, bool has)
{
    assert_int_equal(found.len, has ? GW_HASH_SIZE : 0);
    if (has)
        assert_memory_equal(found.data, hash, GW_HASH_SIZE);
}

static void check_text(const char *found, struct slice text)
{
    assert_true(slice_equal_str(text, found));
}

static void fill(struct gw_event *event, struct random *random, struct arena *arena)
{
    uint64_t bits = random_next(random);
    size_t size = random_next(random) % 3 ? random_next(random) % 100 : random_next(random) % 40000;
    char *text = arena_alloc(arena, size + 1);
    memset(text, 'x', size);
    *event = (struct gw_event){.message_id = bits & 1 ? "m1" : "", .name = "n", .session_id = ""};
    event->type = (enum gw_event_type)(random_next(random) % 7);
    event->has_device = bits & 2;
    event->has_user = bits & 4;
    event->has_group = bits & 8;
    event->has_previous = bits & 16;
    event->device_is_user = bits & 32;
    event->prefetch = bits & 64;
    event->opt_out = bits & 128;
    memset(event->device, 1, 16);
    memset(event->user, 2, 16);
    memset(event->group, 3, 16);
    memset(event->previous, 4, 16);
    event->timestamp_us = bits & 256 ? (int64_t)(random_next(random) >> 1) : 0;
    event->sent_at_us = bits & 512 ? -1 : 0;
    event->properties = slice_make(text, bits & 1024 ? size : 0);
    event->context = slice_make(text, bits & 2048 ? size / 2 : 0);
    if (bits & 4096)
        event->session_id = text;
}

static void test_reads_back(void **state)
{
    struct random random = {42};
    struct arena *arena = arena_create(1 << 20);
    const uint8_t tenant[16] = {9};
    for (int i = 0; i < 2000; i++) {
        struct gw_event event;
        struct buf record = {0};
        arena_reset(arena);
        fill(&event, &random, arena);
        struct slice sealed = i % 2 ? SLICE_LITERAL("\0sealed") : slice_make(NULL, 0);
        buf_append_slice(&record, gw_wire_batch(tenant, i, "segment", arena));
        buf_append_slice(&record, gw_wire_event(&event, sealed, arena));
        buf_append_slice(&record, gw_wire_event(&event, sealed, arena));
        Journey__V1__EventBatch *batch =
            journey__v1__event_batch__unpack(NULL, record.size, record.data);
        assert_non_null(batch);
        assert_int_equal(batch->n_events, 2);
        assert_int_equal(batch->received_us, i);
        assert_string_equal(batch->client, "segment");
        check_bytes(batch->tenant_id, tenant, true);
        const Journey__V1__Event *found = batch->events[1];
        check_text(found->message_id, slice_str(event.message_id));
        check_text(found->name, slice_str(event.name));
        check_text(found->session_id, slice_str(event.session_id));
        check_text(found->properties, event.properties);
        check_text(found->context, event.context);
        check_bytes(found->device, event.device, event.has_device);
        check_bytes(found->user, event.user, event.has_user);
        check_bytes(found->group, event.group, event.has_group);
        check_bytes(found->previous, event.previous, event.has_previous);
        assert_true(slice_equal(slice_make(found->sealed.data, found->sealed.len), sealed));
        assert_int_equal((int)found->type, (int)event.type);
        assert_int_equal(found->timestamp_us, event.timestamp_us);
        assert_int_equal(found->sent_at_us, event.sent_at_us);
        assert_int_equal(found->device_is_user, event.device_is_user);
        assert_int_equal(found->prefetch, event.prefetch);
        assert_int_equal(found->opt_out, event.opt_out);
        assert_int_equal(found->base.n_unknown_fields, 0);
        journey__v1__event_batch__free_unpacked(batch, NULL);
        buf_deinit(&record);
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
