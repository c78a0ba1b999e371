/* Events of the Segment form: what leaves the gateway of each, and what is wrong with the bad ones. */
#include "domain/clients.h"
#include "domain/event.h"

#include "test.h"
#include "world.h"

static const uint8_t key[32] = {7};

struct mapped {
    struct arena *arena;
    struct gw_event event;
    struct gw_faults faults;
};

static void map(struct mapped *m, const char *text, enum gw_event_type type,
                const char *batch_context)
{
    struct gw_facts context;
    struct gw_faults none = {.n = 0};
    *m = (struct mapped){.arena = arena_create(1 << 20)};
    const struct gw_form_index *form = gw_form_index(&gw_segment_form, m->arena);
    if (batch_context)
        assert_case(text, gw_form_read(form, slice_str(batch_context), &context, &none, m->arena));
    const struct gw_event_source source = {.hash_key = key,
                                           .form = form,
                                           .type = type,
                                           .context = batch_context ? &context : NULL,
                                           .sent_at_us = 5,
                                           .masker = world_masker()};
    gw_event_map(&m->event, slice_str(text), &source, &m->faults, m->arena);
}

static bool is_hash(const uint8_t hash[16], const char *space, const char *text)
{
    uint8_t expected[16];
    gw_hash_identifier(expected, key, space, slice_str(text));
    return memcmp(hash, expected, 16) == 0;
}

#define ID "\"messageId\":\"m1\",\"anonymousId\":\"a1\""

static void test_faults(void **state)
{
    static const struct {
        const char *name, *event;
        enum gw_event_type type;
        const char *faults;
    } cases[] = {
        {"track", "{" ID ",\"event\":\"Product Viewed\"}", GW_EVENT_TRACK, ""},
        {"track by its own type", "{" ID ",\"type\":\"track\",\"event\":\"x\"}", GW_EVENT_BY_BODY,
         ""},
        {"no type is a track", "{" ID ",\"event\":\"x\"}", GW_EVENT_BY_BODY, ""},
        {"unknown type", "{" ID ",\"type\":\"poke\",\"event\":\"x\"}", GW_EVENT_BY_BODY,
         "type=not_allowed"},
        {"type number", "{" ID ",\"type\":1}", GW_EVENT_BY_BODY, "type=wrong_type"},
        {"the route's type counts", "{" ID ",\"type\":\"poke\",\"event\":\"x\"}", GW_EVENT_TRACK,
         ""},
        {"no name", "{" ID "}", GW_EVENT_TRACK, "event=required"},
        {"empty name", "{" ID ",\"event\":\"\"}", GW_EVENT_TRACK, "event=required"},
        {"name number", "{" ID ",\"event\":5}", GW_EVENT_TRACK, "event=wrong_type"},
        {"page without name", "{" ID "}", GW_EVENT_PAGE, ""},
        {"nobody", "{\"event\":\"x\"}", GW_EVENT_TRACK, "anonymousId=required"},
        {"user null, anonymous empty", "{\"event\":\"x\",\"userId\":null,\"anonymousId\":\"\"}",
         GW_EVENT_TRACK, "anonymousId=required"},
        {"user alone", "{\"event\":\"x\",\"userId\":\"u\"}", GW_EVENT_TRACK, ""},
        {"user number", "{\"event\":\"x\",\"userId\":17}", GW_EVENT_TRACK, ""},
        {"user object", "{\"event\":\"x\",\"userId\":{}}", GW_EVENT_TRACK,
         "userId=wrong_type anonymousId=required"},
        {"session alone", "{\"event\":\"x\",\"context\":{\"session_id\":\"s\"}}", GW_EVENT_TRACK,
         ""},
        {"time bad", "{" ID ",\"event\":\"x\",\"timestamp\":\"now\"}", GW_EVENT_TRACK,
         "timestamp=invalid_time"},
        {"time number", "{" ID ",\"event\":\"x\",\"timestamp\":1}", GW_EVENT_TRACK,
         "timestamp=wrong_type"},
        {"properties list", "{" ID ",\"event\":\"x\",\"properties\":[]}", GW_EVENT_TRACK,
         "properties=wrong_type"},
        {"properties null", "{" ID ",\"event\":\"x\",\"properties\":null}", GW_EVENT_TRACK, ""},
        {"context text", "{" ID ",\"event\":\"x\",\"context\":\"\"}", GW_EVENT_TRACK,
         "context=wrong_type"},
        {"message id with NUL",
         "{\"messageId\":\"a\\u0000\",\"anonymousId\":\"a\",\"event\":\"x\"}", GW_EVENT_TRACK,
         "messageId=invalid_characters"},
        {"group", "{" ID ",\"groupId\":\"g\"}", GW_EVENT_GROUP, ""},
        {"group without id", "{" ID "}", GW_EVENT_GROUP, "groupId=required"},
        {"alias", "{" ID ",\"userId\":\"u\",\"previousId\":\"p\"}", GW_EVENT_ALIAS, ""},
        {"alias without previous", "{" ID "}", GW_EVENT_ALIAS, "previousId=required"},
        {"no object", "[1]", GW_EVENT_BY_BODY, "=wrong_type"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mapped m;
        struct buf got = {0};
        map(&m, cases[i].event, cases[i].type, NULL);
        buf_append_str(&got, "");
        for (unsigned f = 0; f < m.faults.n; f++)
            buf_printf(&got, "%s%s=%s", f ? " " : "", m.faults.list[f].field,
                       m.faults.list[f].code);
        if (strcmp(got.data ? (const char *)got.data : "", cases[i].faults) != 0)
            fail_msg("case \"%s\": %s instead of %s", cases[i].name, got.data, cases[i].faults);
        buf_deinit(&got);
        arena_destroy(&m.arena);
    }
}

static void test_track(void **state)
{
    struct mapped m;
    map(&m,
        "{" ID ",\"userId\":\"u1\",\"event\":\"Product\\u0000 Viewed\",\"properties\":{ \"a\" : "
        "1e20, \"b\":\"\\ud800\" },"
        "\"timestamp\":\"1970-01-01T00:00:01Z\",\"sentAt\":\"1970-01-01T00:00:02Z\",\"sessionId\":"
        "5,"
        "\"context\":{\"ip\":\"203.0.113.7\",\"traits\":{\"email\":\"a@b.c\"},\"page\":{\"url\":\"/"
        "x\"},"
        "\"device\":{\"id\":\"d\",\"advertisingId\":\"x\",\"type\":\"ios\"},\"userAgent\":\"UA\","
        "\"network\":{}}}",
        GW_EVENT_TRACK, NULL);
    const struct gw_event *e = &m.event;
    assert_int_equal(m.faults.n, 0);
    assert_string_equal(e->message_id, "m1");
    assert_string_equal(e->name, "Product\xef\xbf\xbd Viewed");
    assert_string_equal(e->session_id, "5");
    assert_true(is_hash(e->device, "device", "a1") && is_hash(e->user, "user", "u1") &&
                e->has_user);
    assert_false(e->device_is_user);
    assert_int_equal(e->timestamp_us, SECOND_US);
    assert_int_equal(e->sent_at_us, 2 * SECOND_US);
    assert_true(slice_equal_str(e->properties, "{ \"a\" : 1e20, \"b\":\"\\ud800\" }"));
    assert_true(slice_equal_str(
        e->context, "{\"page\":{\"url\":\"/x\"},\"userAgent\":\"UA\",\"device\":{\"type\":\"ios\"},"
                    "\"ip\":\"203.0.113.0\"}"));
    arena_destroy(&m.arena);
}

static void test_identify(void **state)
{
    struct mapped m;
    map(&m, "{\"userId\":\"u1\",\"traits\":{\"email\":\"a@b.c\"},\"properties\":{\"x\":1}}",
        GW_EVENT_IDENTIFY, "{\"context\":{\"library\":{\"name\":\"l\"}}}");
    assert_int_equal(m.faults.n, 0);
    assert_null(m.event.message_id);
    assert_true(m.event.device_is_user && is_hash(m.event.device, "user", "u1"));
    assert_int_equal(m.event.properties.size, 0);
    assert_int_equal(m.event.sent_at_us, 5); /* the batch's */
    assert_true(slice_equal_str(m.event.context, "{\"library\":{\"name\":\"l\"}}"));
    arena_destroy(&m.arena);
}

static void test_others(void **state)
{
    struct mapped m;
    map(&m, "{\"event\":\"x\",\"context\":{\"sessionId\":\"s1\"}}", GW_EVENT_TRACK, NULL);
    assert_true(is_hash(m.event.device, "session", "s1"));
    assert_false(m.event.device_is_user || m.event.has_user);
    arena_destroy(&m.arena);
    map(&m, "{" ID ",\"userId\":\"u\",\"previousId\":\"a1\"}", GW_EVENT_ALIAS, NULL);
    assert_true(m.event.has_previous && is_hash(m.event.previous, "device", "a1"));
    arena_destroy(&m.arena);
    map(&m, "{" ID ",\"userId\":\"u\",\"previousId\":\"old\"}", GW_EVENT_ALIAS, NULL);
    assert_true(is_hash(m.event.previous, "user", "old"));
    arena_destroy(&m.arena);
    map(&m, "{" ID ",\"groupId\":\"g\",\"traits\":{}}", GW_EVENT_GROUP, NULL);
    assert_true(m.event.has_group && is_hash(m.event.group, "group", "g"));
    arena_destroy(&m.arena);
    map(&m, "{" ID ",\"name\":\"Home\",\"category\":\"Docs\"}", GW_EVENT_PAGE, NULL);
    assert_string_equal(m.event.name, "Home");
    arena_destroy(&m.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_track),
        cmocka_unit_test(test_identify),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
