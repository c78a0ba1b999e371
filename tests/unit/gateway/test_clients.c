/* What becomes of events of other vendors' forms: bodies as their clients send them, and who they turn out to be of. */
#include "domain/clients.h"
#include "domain/event.h"

#include "test.h"
#include "world.h"

#include <stdio.h>

static const uint8_t key[32] = {7};

static const char *no_header(const void *handle, const char *name)
{
    (void)handle;
    (void)name;
    return NULL;
}

/* "device:a" and the like: whose hash it is. */
static const char *who(const uint8_t hash[16], bool has, struct arena *arena)
{
    static const char *const spaces[] = {"device", "user", "group"};
    static const char *const texts[] = {"a", "b", "u", "u2", "g", "$company_g"};
    for (unsigned s = 0; has && s < ARRAY_SIZE(spaces); s++)
        for (unsigned t = 0; t < ARRAY_SIZE(texts); t++) {
            uint8_t made[16];
            gw_hash_identifier(made, key, spaces[s], slice_str(texts[t]));
            if (memcmp(made, hash, 16) == 0)
                return arena_printf(arena, "%s:%s", spaces[s], texts[t]);
        }
    return has ? "?" : "-";
}

static const char *type_name(enum gw_event_type type)
{
    static const char *const names[] = {"?",        "track", "page", "screen",
                                        "identify", "group", "alias"};
    return names[type];
}

/* One line of an event, faults instead if there are any. */
static const char *described(enum gw_client_id client, enum gw_event_type type, const char *text,
                             struct gw_event *event, struct arena *arena)
{
    struct gw_faults faults = {.n = 0};
    const struct gw_event_source source = {.hash_key = key,
                                           .form = gw_form_index(gw_clients[client].form, arena),
                                           .type = type,
                                           .masker = world_masker()};
    gw_event_map(event, slice_str(text), &source, &faults, arena);
    if (faults.n)
        return arena_printf(arena, "%s=%s", faults.list[0].field, faults.list[0].code);
    return arena_printf(arena, "%s \"%s\" %s %s%s%s", type_name(event->type), event->name,
                        who(event->device, event->has_device, arena),
                        who(event->user, event->has_user, arena),
                        event->has_group      ? " in "
                        : event->has_previous ? " was "
                                              : "",
                        event->has_group      ? who(event->group, true, arena)
                        : event->has_previous ? who(event->previous, true, arena)
                                              : "");
}

struct person_case {
    const char *name, *event, *wanted;
};

static void check_persons(enum gw_client_id client, const struct person_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena *arena = arena_create(1 << 20);
        struct gw_event event;
        const char *got = described(client, GW_EVENT_BY_BODY, cases[i].event, &event, arena);
        if (strcmp(got, cases[i].wanted) != 0)
            fail_msg("case \"%s\": %s instead of %s", cases[i].name, got, cases[i].wanted);
        arena_destroy(&arena);
    }
}

#define P(more) "\"properties\":{" more "}"

static void test_posthog_persons(void **state)
{
    static const struct person_case cases[] = {
        {"a browser, nobody known",
         "{\"event\":\"T\"," P("\"distinct_id\":\"a\",\"$device_id\":\"a\",\"$lib\":\"web\","
                               "\"$is_identified\":false") "}",
         "track \"T\" device:a -"},
        {"a browser, somebody known",
         "{\"event\":\"T\"," P("\"distinct_id\":\"u\",\"$device_id\":\"a\",\"$user_id\":\"u\","
                               "\"$lib\":\"web\",\"$is_identified\":true") "}",
         "track \"T\" device:a user:u"},
        {"a browser that was told at start who it is",
         "{\"event\":\"T\"," P("\"distinct_id\":\"u\",\"$device_id\":\"a\",\"$lib\":\"web\","
                               "\"$is_identified\":true") "}",
         "track \"T\" device:a user:u"},
        {"an old browser, reset: a new nobody on the same device",
         "{\"event\":\"T\"," P("\"distinct_id\":\"b\",\"$device_id\":\"a\",\"$lib\":\"web\"") "}",
         "track \"T\" device:a -"},
        {"a browser becomes known",
         "{\"event\":\"$identify\"," P("\"distinct_id\":\"u\",\"$anon_distinct_id\":\"a\","
                                       "\"$device_id\":\"a\",\"$user_id\":\"u\","
                                       "\"$is_identified\":true") "}",
         "identify \"\" device:a user:u"},
        {"an app becomes known",
         "{\"event\":\"$identify\",\"distinct_id\":\"u\"," P("\"$anon_distinct_id\":\"a\","
                                                             "\"$session_id\":\"s\"") "}",
         "identify \"\" device:a user:u"},
        {"an app, nobody known",
         "{\"event\":\"T\",\"distinct_id\":\"a\"," P("\"$session_id\":\"s\"") "}",
         "track \"T\" device:a -"},
        {"an app, somebody known",
         "{\"event\":\"T\",\"distinct_id\":\"u\"," P(
             "\"$session_id\":\"s\",\"$is_identified\":true") "}",
         "track \"T\" user:u user:u"},
        {"an app with a device",
         "{\"event\":\"T\",\"distinct_id\":\"u\"," P("\"$device_id\":\"a\"") "}",
         "track \"T\" device:a user:u"},
        {"a server", "{\"event\":\"T\",\"distinct_id\":\"u\"," P("\"$lib\":\"posthog-node\"") "}",
         "track \"T\" user:u user:u"},
        {"a server, in a session",
         "{\"event\":\"T\",\"distinct_id\":\"u\"," P(
             "\"$is_server\":true,\"$session_id\":\"s\"") "}",
         "track \"T\" user:u user:u"},
        {"a server, of nobody",
         "{\"event\":\"T\",\"distinct_id\":\"a\"," P("\"$process_person_profile\":false") "}",
         "track \"T\" device:a -"},
        {"a server's identify", "{\"event\":\"$identify\",\"distinct_id\":\"u\",\"$set\":{}}",
         "identify \"\" user:u user:u"},
        {"a number", "{\"event\":\"T\",\"distinct_id\":7}", "track \"T\" ? ?"},
        {"nobody", "{\"event\":\"T\"," P("") "}", "properties.$device_id=required"},
        {"a session alone", "{\"event\":\"T\"," P("\"$session_id\":\"s\"") "}", "track \"T\" ? -"},
        {"an alias of a user",
         "{\"event\":\"$create_alias\",\"distinct_id\":\"u\"," P(
             "\"distinct_id\":\"u\",\"alias\":\"u2\"") "}",
         "alias \"\" user:u user:u was user:u2"},
        {"an alias of a device: who it turned out to be",
         "{\"event\":\"$create_alias\"," P("\"distinct_id\":\"a\",\"$device_id\":\"a\",\"alias\":"
                                           "\"u\",\"$is_identified\":false") "}",
         "alias \"\" device:a user:u was device:a"},
        {"a group",
         "{\"event\":\"$groupidentify\",\"distinct_id\":\"u\"," P("\"$group_key\":\"g\"") "}",
         "group \"\" user:u user:u in group:g"},
        {"a group by nobody",
         "{\"event\":\"$groupidentify\",\"distinct_id\":\"$company_g\"," P(
             "\"$group_key\":\"g\"") "}",
         "group \"\" device:$company_g - in group:g"},
        {"a page", "{\"event\":\"$pageview\",\"distinct_id\":\"u\"}", "page \"\" user:u user:u"},
        {"a screen",
         "{\"event\":\"$screen\",\"distinct_id\":\"u\"," P("\"$screen_name\":\"Cart\"") "}",
         "screen \"Cart\" user:u user:u"},
        {"its own word", "{\"event\":\"$autocapture\",\"distinct_id\":\"u\"}",
         "track \"$autocapture\" user:u user:u"},
        {"no name", "{\"distinct_id\":\"u\"}", "event=required"},
        {"no text for a name", "{\"event\":5,\"distinct_id\":\"u\"}", "event=wrong_type"},
        {"properties are a list", "{\"event\":\"T\",\"distinct_id\":\"u\",\"properties\":[]}",
         "properties=wrong_type"},
    };
    check_persons(GW_CLIENT_POSTHOG, cases, ARRAY_SIZE(cases));
}

static void test_posthog_event(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct gw_event event;
    const char *got = described(
        GW_CLIENT_POSTHOG, GW_EVENT_BY_BODY,
        "{\"uuid\":\"m1\",\"event\":\"$pageview\",\"$set\":{\"plan\":\"pro\"},\"properties\":{ "
        "\"$current_url\":\"https://x/"
        "\",\"distinct_id\":\"u\",\"utm_source\":\"news\",\"utm_term\":null,"
        "\"$referrer\":\"$direct\",\"$raw_user_agent\":\"UA\",\"$lib\":\"web\",\"$screen_width\":"
        "800,"
        "\"$device_id\":\"a\",\"$ip\":\"203.0.113.7\", \"price\" : "
        "1e21,\"t\\u006fken\":\"k\",\"text\":"
        "\"\\ud800\\u0000\",\"$session_id\":\"s\",\"$groups\":{},\"$time\":1795899674.5,\"$user_"
        "id\":\"u\"}}",
        &event, arena);
    assert_string_equal(got, "page \"\" device:a user:u");
    assert_string_equal(event.message_id, "m1");
    assert_string_equal(event.session_id, "s");
    assert_int_equal(event.timestamp_us, INT64_C(1795899674500000));
    if (!slice_equal_str(
            event.properties,
            "{\"$current_url\":\"https://x/\",\"utm_source\":\"news\",\"utm_term\":null,"
            "\"$referrer\":\"$direct\",\"$lib\":\"web\",\"$screen_width\":800,\"price\" : 1e21,"
            "\"text\":\"\\ud800\\u0000\",\"$session_id\":\"s\",\"$time\":1795899674.5}"))
        fail_msg("%.*s", (int)event.properties.size, (const char *)event.properties.data);
    if (!slice_equal_str(
            event.context,
            "{\"page\":{\"url\":\"https://x/\"},\"campaign\":{\"source\":\"news\"},"
            "\"userAgent\":\"UA\",\"library\":{\"name\":\"web\"},\"screen\":{\"width\":800},"
            "\"ip\":\"203.0.113.0\"}"))
        fail_msg("%.*s", (int)event.context.size, (const char *)event.context.data);
    assert_non_null(memmem(event.personal.data, event.personal.size, "{\"plan\":\"pro\"}", 14));
    arena_destroy(&arena);
}

static void test_posthog_times(void **state)
{
    static const struct {
        const char *members;
        int64_t us;
    } cases[] = {
        {"\"timestamp\":\"2026-11-28T21:01:14.509Z\"", INT64_C(1795899674509000)},
        {"\"timestamp\":1795899674509", INT64_C(1795899674509000)},
        {P("\"$time\":1795899674.509"), INT64_C(1795899674509000)},
        {P("\"$time\":1795899674.50912"), INT64_C(1795899674509000)},
        {P("\"$time\":1795899674"), INT64_C(1795899674000000)},
        {P("\"$time\":\"now\""), 0},
        {"\"timestamp\":\"2026-11-28T21:01:14Z\"," P("\"$time\":1.5"), INT64_C(1795899674000000)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(1 << 20);
        struct gw_event event;
        (void)described(
            GW_CLIENT_POSTHOG, GW_EVENT_BY_BODY,
            arena_printf(arena, "{\"event\":\"T\",\"distinct_id\":\"u\",%s}", cases[i].members),
            &event, arena);
        assert_case(cases[i].members, event.timestamp_us == cases[i].us);
        arena_destroy(&arena);
    }
}

/* Where the events and the key of a request stand. */
static void test_posthog_requests(void **state)
{
    static const struct {
        const char *name, *body, *query;
        const char *wanted; /* key, then each event behind a bar; "!": refused */
    } cases[] = {
        {"one", "{\"api_key\":\"k\",\"event\":\"T\"}", "", "k|{\"api_key\":\"k\",\"event\":\"T\"}"},
        {"a batch", "{\"api_key\":\"k\",\"batch\":[{\"event\":\"T\"},{}]}", "",
         "k|{\"event\":\"T\"}|{}"},
        {"a list", "[{\"properties\":{\"token\":\"k\"}},{}]", "",
         "k|{\"properties\":{\"token\":\"k\"}}|{}"},
        {"a list behind a blank", " [{\"token\":\"k\"}]", "", "k|{\"token\":\"k\"}"},
        {"a key that is another's property",
         "{\"token\":\"k\",\"properties\":{\"token\":\"x\",\"api_key\":\"y\"}}", "",
         "k|{\"token\":\"k\",\"properties\":{\"token\":\"x\",\"api_key\":\"y\"}}"},
        {"of a person", "{\"$token\":\"k\",\"$set\":{}}", "", "k|{\"$token\":\"k\",\"$set\":{}}"},
        {"base64 in a form", "data=eyJhcGlfa2V5IjoiayIsInQiOiLFviJ9&ip=1", "",
         "k|{\"api_key\":\"k\",\"t\":\"\xc5\xbe\"}"},
        {"base64 escaped", "data=eyJhcGlfa2V5IjoiayJ9%0A", "", "!"},
        {"base64 with its padding escaped", "data=eyJ0b2tlbiI6ImsifQ%3D%3D", "",
         "k|{\"token\":\"k\"}"},
        {"base64 whose plus became a space", "data=eyJ0b2tlbiI6Imvvv74ifQ==", "",
         "k\xef\xbf\xbe|{\"token\":\"k\xef\xbf\xbe\"}"},
        {"JSON in a form", "ip=1&data=%7B%22token%22%3A%22k%22%7D", "", "k|{\"token\":\"k\"}"},
        {"base64 alone", "eyJ0b2tlbiI6ImsifQ==", "compression=base64", "k|{\"token\":\"k\"}"},
        {"in the query", "", "ip=1&data=eyJ0b2tlbiI6ImsifQ%3D%3D", "k|{\"token\":\"k\"}"},
        {"nothing", "", "", "!"},
        {"no base64", "data=!", "", "!"},
        {"base64 of no JSON", "data=aGVsbG8=", "", "|hello"},
        {"a batch that is none", "{\"batch\":{}}", "", "!"},
        {"a broken one", "{\"api_key\":\"k\",\"event\":\"T", "",
         "k|{\"api_key\":\"k\",\"event\":\"T"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(1 << 20);
        const struct gw_request request = {.body = slice_str(cases[i].body),
                                           .query = slice_str(cases[i].query),
                                           .header = no_header,
                                           .max_events = 9,
                                           .arena = arena};
        struct gw_cut cut = {.n = 0};
        struct gw_faults faults = {.n = 0};
        const char *got = "!";
        if (gw_cut_posthog(&request, &cut, &faults)) {
            got = arena_printf(arena, "%.*s", (int)cut.key.size, (const char *)cut.key.data);
            for (unsigned e = 0; e < cut.n; e++)
                got = arena_printf(arena, "%s|%.*s", got, (int)cut.events[e].size,
                                   (const char *)cut.events[e].data);
        } else {
            assert_case(cases[i].name, faults.n == 1);
        }
        if (strcmp(got, cases[i].wanted) != 0)
            fail_msg("case \"%s\": %s instead of %s", cases[i].name, got, cases[i].wanted);
        arena_destroy(&arena);
    }
}

static void test_posthog_sent_at(void **state)
{
    static const struct {
        const char *body, *query;
        int64_t us;
    } cases[] = {
        {"{\"sent_at\":\"1970-01-01T00:00:01Z\"}", "_=1795899685545", SECOND_US},
        {"{}", "ip=1&_=1795899685545&ver=1", INT64_C(1795899685545000)},
        {"[]", "_=1795899685545", INT64_C(1795899685545000)},
        {"{\"sent_at\":\"soon\"}", "", 0},
        {"{}", "_=179589968554x", 0},
        {"{}", "", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(1 << 20);
        const struct gw_request request = {.body = slice_str(cases[i].body),
                                           .query = slice_str(cases[i].query),
                                           .header = no_header,
                                           .max_events = 9,
                                           .arena = arena};
        struct gw_cut cut = {.n = 0};
        struct gw_faults faults = {.n = 0};
        assert_case(cases[i].body, gw_cut_posthog(&request, &cut, &faults));
        assert_case(cases[i].query, cut.sent_at_us == cases[i].us);
        arena_destroy(&arena);
    }
}

static void test_jitsu_classic(void **state)
{
    static const struct person_case cases[] = {
        {"nobody known", "{\"event_type\":\"T\",\"user\":{\"anonymous_id\":\"a\"}}",
         "track \"T\" device:a -"},
        {"somebody known", "{\"event_type\":\"T\",\"user\":{\"anonymous_id\":\"a\",\"id\":\"u\"}}",
         "track \"T\" device:a user:u"},
        {"a server", "{\"event_type\":\"T\",\"user\":{\"anonymous_id\":\"\",\"id\":\"u\"}}",
         "track \"T\" user:u user:u"},
        {"before it was flat",
         "{\"event_type\":\"T\",\"eventn_ctx\":{\"user\":{\"anonymous_id\":\"a\",\"internal_id\":"
         "\"u\"}}}",
         "track \"T\" device:a user:u"},
        {"a page", "{\"event_type\":\"pageview\",\"user\":{\"anonymous_id\":\"a\"}}",
         "page \"\" device:a -"},
        {"who it is",
         "{\"event_type\":\"user_identify\",\"user\":{\"anonymous_id\":\"a\",\"id\":\"u\"}}",
         "identify \"\" device:a user:u"},
        {"nobody", "{\"event_type\":\"T\",\"user\":{}}", "user.anonymous_id=required"},
    };
    struct arena *arena = arena_create(1 << 20);
    struct gw_event event;
    check_persons(GW_CLIENT_JITSU_CLASSIC, cases, ARRAY_SIZE(cases));
    (void)described(GW_CLIENT_JITSU_CLASSIC, GW_EVENT_BY_BODY,
                    "{\"event_id\":\"m1\",\"user\":{\"anonymous_id\":\"a\",\"email\":\"x\"},"
                    "\"utc_time\":\"1970-01-01T00:00:01.500000Z\",\"url\":\"https://x/\",\"utm\":{"
                    "\"source\":\"news\"},\"api_key\":\"k\",\"event_type\":\"T\",\"price\":1e21, "
                    "\"text\":\"\\ud800\"}",
                    &event, arena);
    assert_string_equal(event.message_id, "m1");
    assert_int_equal(event.timestamp_us, 1500000);
    assert_true(slice_equal_str(event.properties, "{\"price\":1e21,\"text\":\"\\ud800\"}"));
    assert_true(slice_equal_str(
        event.context, "{\"page\":{\"url\":\"https://x/\"},\"campaign\":{\"source\":\"news\"}}"));
    assert_non_null(memmem(event.personal.data, event.personal.size, "\"email\":\"x\"", 11));
    arena_destroy(&arena);
}

/* RudderStack's and Jitsu's clients speak Segment's form with habits of their own. */
static void test_segment_family(void **state)
{
    static const struct person_case cases[] = {
        {"RudderStack, nobody known",
         "{\"type\":\"track\",\"event\":\"T\",\"userId\":\"\",\"anonymousId\":\"a\",\"context\":{"
         "\"sessionId\":1795899579067}}",
         "track \"T\" device:a -"},
        {"RudderStack, a page without a name",
         "{\"type\":\"page\",\"userId\":\"u\",\"anonymousId\":\"a\"}", "page \"\" device:a user:u"},
        {"Jitsu, nobody known",
         "{\"type\":\"track\",\"event\":\"T\",\"userId\":null,\"anonymousId\":\"a\"}",
         "track \"T\" device:a -"},
        {"an alias",
         "{\"type\":\"alias\",\"userId\":\"u2\",\"previousId\":\"u\",\"anonymousId\":\"a\"}",
         "alias \"\" device:a user:u2 was user:u"},
    };
    struct arena *arena = arena_create(1 << 20);
    struct gw_event event;
    check_persons(GW_CLIENT_SEGMENT, cases, ARRAY_SIZE(cases));
    (void)described(
        GW_CLIENT_SEGMENT, GW_EVENT_TRACK,
        "{\"event\":\"T\",\"anonymousId\":\"a\",\"context\":{\"sessionId\":1795899579067},"
        "\"originalTimestamp\":\"1970-01-01T00:00:01Z\"}",
        &event, arena);
    assert_string_equal(event.session_id, "1795899579067");
    assert_int_equal(event.timestamp_us, SECOND_US);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posthog_persons), cmocka_unit_test(test_posthog_event),
        cmocka_unit_test(test_posthog_times),   cmocka_unit_test(test_posthog_requests),
        cmocka_unit_test(test_posthog_sent_at), cmocka_unit_test(test_jitsu_classic),
        cmocka_unit_test(test_segment_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
