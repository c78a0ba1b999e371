/* The Snowplow tracker protocol: what becomes of its members, and its requests through a whole gateway. */
#include "domain/event.h"
#include "world.h"

#define UE_BASE64                                                                                  \
    "eyJzY2hlbWEiOiJpZ2x1OmNvbS5zbm93cGxvd2FuYWx5dGljcy5zbm93cGxvdy91bnN0cnVjdF9ldmVudC9qc29uc2No" \
    "ZW1hLzEtMC0wIiwiZGF0YSI6eyJzY2hlbWEiOiJpZ2x1OmNvbS5hY21lL3NhdmVfZ2FtZS9qc29uc2NoZW1hLzEtMC0y" \
    "IiwiZGF0YSI6eyAibiI6MS41MCwiYmlnIjoxZTIwICwidCI6Ilx1MDBlOVwvIn19fQ"
/* a page view's id, a product of the tenant's own, and a device's advertising id */
#define CONTEXTS_BASE64                                                                            \
    "eyJzY2hlbWEiOiJpZ2x1OmNvbS5zbm93cGxvd2FuYWx5dGljcy5zbm93cGxvdy9jb250ZXh0cy9qc29uc2NoZW1hLzEt" \
    "MC0wIiwiZGF0YSI6W3sic2NoZW1hIjoiaWdsdTpjb20uc25vd3Bsb3dhbmFseXRpY3Muc25vd3Bsb3cvd2ViX3BhZ2Uv" \
    "anNvbnNjaGVtYS8xLTAtMCIsImRhdGEiOnsiaWQiOiJwYWdlLTEifX0seyJzY2hlbWEiOiJpZ2x1OmNvbS5hY21lL3By" \
    "b2R1Y3QvanNvbnNjaGVtYS8xLTAtMCIsImRhdGEiOnsicHJpY2UiOiAwLjEwfX0seyJzY2hlbWEiOiJpZ2x1OmNvbS5z" \
    "bm93cGxvd2FuYWx5dGljcy5zbm93cGxvdy9tb2JpbGVfY29udGV4dC9qc29uc2NoZW1hLzEtMC0wIiwiZGF0YSI6eyJh" \
    "cHBsZUlkZmEiOiJzZWNyZXQifX1dfQ"

static const uint8_t key[32] = {7};

static void map(struct gw_event *event, struct gw_faults *faults, const char *text,
                struct arena *arena)
{
    const struct gw_event_source source = {
        .hash_key = key, .form = gw_form_index(&gw_snowplow_form, arena), .masker = world_masker()};
    *faults = (struct gw_faults){.n = 0};
    gw_event_map(event, slice_str(text), &source, faults, arena);
}

#define ID   "\"eid\":\"m1\",\"duid\":\"d1\","
#define DATA "\"schema\":\"iglu:com.acme/save_game/jsonschema/1-0-2\",\"data\":"

static void test_mapping(void **state)
{
    static const struct {
        const char *name, *event;
        enum gw_event_type type;
        const char *event_name, *properties, *fault;
    } cases[] = {
        {"page view", "{" ID "\"e\":\"pv\",\"url\":\"https://a.example/\",\"page\":\"A\"}",
         GW_EVENT_PAGE, "", "", ""},
        {"page ping", "{" ID "\"e\":\"pp\",\"pp_mix\":\"0\",\"pp_may\":\"0900\"}", GW_EVENT_TRACK,
         "page_ping", "{\"x_offset_min\":\"0\",\"y_offset_max\":\"0900\"}", ""},
        {"structured",
         "{" ID "\"e\":\"se\",\"se_ca\":\"c\\u0061t\",\"se_ac\":\"play\",\"se_va\":\"1.50\"}",
         GW_EVENT_TRACK, "play", "{\"category\":\"c\\u0061t\",\"value\":\"1.50\"}", ""},
        {"structured without action", "{" ID "\"e\":\"se\",\"se_ca\":\"c\"}", GW_EVENT_TRACK, "",
         "{\"category\":\"c\"}", "se_ac=required"},
        {"of one's own, plain",
         "{" ID "\"e\":\"ue\",\"ue_pr\":\"{\\\"schema\\\":\\\"s\\\",\\\"data\\\":{\\\"schema\\\":"
         "\\\"iglu:com.acme/save_game/jsonschema/1-0-2\\\",\\\"data\\\":{\\\"a\\\":1e999}}}\"}",
         GW_EVENT_TRACK, "save_game", "{\"a\":1e999}", ""},
        {"of one's own, base64", "{" ID "\"e\":\"ue\",\"ue_px\":\"" UE_BASE64 "\"}", GW_EVENT_TRACK,
         "save_game", "{\"n\":1.50,\"big\":1e20 ,\"t\":\"\\u00e9\\/\"}", ""},
        {"contexts",
         "{" ID "\"e\":\"ue\",\"ue_px\":\"" UE_BASE64 "\",\"cx\":\"" CONTEXTS_BASE64 "\"}",
         GW_EVENT_TRACK, "save_game",
         "{\"n\":1.50,\"big\":1e20 ,\"t\":\"\\u00e9\\/\",\"page_view_id\":\"page-1\",\"contexts\":["
         "{\"schema\":\"iglu:com.acme/product/jsonschema/1-0-0\",\"data\":{\"price\": 0.10}}]}",
         ""},
        {"page view id", "{" ID "\"e\":\"pv\",\"cx\":\"" CONTEXTS_BASE64 "\"}", GW_EVENT_PAGE, "",
         "{\"page_view_id\":\"page-1\",\"contexts\":[{\"schema\":\"iglu:com.acme/product/"
         "jsonschema/1-0-0\",\"data\":{\"price\": 0.10}}]}",
         ""},
        {"order", "{" ID "\"e\":\"tr\",\"tr_id\":\"o1\",\"tr_tt\":\"19.90\",\"tr_cu\":\"EUR\"}",
         GW_EVENT_TRACK, "Order Completed",
         "{\"order_id\":\"o1\",\"total\":\"19.90\",\"currency\":\"EUR\"}", ""},
        {"an export's words", "{" ID "\"e\":\"unstruct\",\"event_name\":\"link_click\"}",
         GW_EVENT_TRACK, "link_click", "", ""},
        {"a kind unheard of", "{" ID "\"e\":\"xx\"}", GW_EVENT_BY_BODY, "", "", "e=not_allowed"},
        {"no kind", "{" ID "\"p\":\"web\"}", GW_EVENT_TRACK, "", "", "e=required"},
        {"no base64", "{" ID "\"e\":\"ue\",\"ue_px\":\"a*\"}", GW_EVENT_TRACK, "", "",
         "ue_px=invalid_base64"},
        {"no text", "{" ID "\"e\":\"ue\",\"ue_px\":{}}", GW_EVENT_TRACK, "", "",
         "ue_px=invalid_base64"},
        {"no JSON", "{" ID "\"e\":\"ue\",\"ue_px\":\"YWJj\"}", GW_EVENT_TRACK, "", "",
         "ue_px=invalid_json"},
        {"no document", "{" ID "\"e\":\"ue\",\"ue_pr\":\"[1]\"}", GW_EVENT_TRACK, "", "",
         "ue_pr=wrong_type"},
        {"no schema of its own",
         "{" ID "\"e\":\"ue\",\"ue_pr\":\"{\\\"schema\\\":1,\\\"data\\\":{}}\"}", GW_EVENT_TRACK,
         "", "", "ue_pr=invalid_schema"},
        {"contexts no list", "{" ID "\"e\":\"pv\",\"co\":\"{\\\"schema\\\":1,\\\"data\\\":{}}\"}",
         GW_EVENT_PAGE, "", "", "co=wrong_type"},
        {"time", "{" ID "\"e\":\"pv\",\"dtm\":\"yesterday\"}", GW_EVENT_PAGE, "", "",
         "dtm=invalid_time"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(1 << 20);
        struct gw_event event;
        struct gw_faults faults;
        map(&event, &faults, cases[i].event, arena);
        const char *fault =
            faults.n ? arena_printf(arena, "%s=%s", faults.list[0].field, faults.list[0].code) : "";
        if (strcmp(fault, cases[i].fault) != 0)
            fail_msg("case \"%s\": fault %s", cases[i].name, fault);
        assert_case(cases[i].name, strcmp(event.message_id, "m1") == 0);
        assert_case(cases[i].name, event.type == cases[i].type);
        if (strcmp(event.name, cases[i].event_name) != 0)
            fail_msg("case \"%s\": name %s", cases[i].name, event.name);
        if (!slice_equal_str(event.properties, cases[i].properties))
            fail_msg("case \"%s\": %.*s", cases[i].name, (int)event.properties.size,
                     (const char *)event.properties.data);
        arena_destroy(&arena);
    }
}

static bool is_hash(const uint8_t hash[16], const char *space, const char *text)
{
    uint8_t expected[16];
    gw_hash_identifier(expected, key, space, slice_str(text));
    return memcmp(hash, expected, 16) == 0;
}

#define SESSION_OF(user)                                                                           \
    "\"co\":\"{\\\"schema\\\":\\\"x\\\",\\\"data\\\":[{\\\"schema\\\":\\\"iglu:com."               \
    "snowplowanalytics.snowplow/client_session/jsonschema/1-0-2\\\",\\\"data\\\":{\\\"userId\\\":" \
    "\\\"" user "\\\",\\\"sessionId\\\":\\\"s9\\\"}}]}\""
#define SESSION           SESSION_OF("app1")
#define ANONYMOUS_SESSION SESSION_OF("00000000-0000-0000-0000-000000000000")

static void test_who_and_when(void **state)
{
    static const struct {
        const char *name, *members;
        const char *space, *device, *session;
        int64_t time_us, sent_us;
    } cases[] = {
        {"device", "\"duid\":\"d\",\"nuid\":\"n\",\"sid\":\"s\"", "device", "d", "s", 0, 0},
        {"network user", "\"tnuid\":\"t\"", "device", "t", "", 0, 0},
        {"user alone", "\"uid\":\"u\"", "user", "u", "", 0, 0},
        {"session alone", "\"sid\":\"s\"", "session", "s", "s", 0, 0},
        {"app", SESSION, "device", "app1", "s9", 0, 0},
        {"app of nobody", ANONYMOUS_SESSION, "session", "s9", "s9", 0, 0},
        {"nobody is the event itself", "\"p\":\"srv\"", "device", "m1", "", 0, 0},
        {"device's clock", "\"duid\":\"d\",\"dtm\":\"1614809252001\",\"stm\":\"1614809252002\"",
         "device", "d", "", 1614809252001000, 1614809252002000},
        {"true time",
         "\"duid\":\"d\",\"dtm\":\"1614809252001\",\"ttm\":\"1614809000000\",\"stm\":"
         "\"1614809252002\"",
         "device", "d", "", 1614809000000000, 0},
        {"an export's time", "\"duid\":\"d\",\"dtm\":\"2021-03-03 22:07:32.001\"", "device", "d",
         "", 1614809252001000, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(1 << 20);
        struct gw_event event;
        struct gw_faults faults;
        map(&event, &faults,
            arena_printf(arena, "{\"eid\":\"m1\",\"e\":\"pv\",%s}", cases[i].members), arena);
        assert_case(cases[i].name, faults.n == 0);
        assert_case(cases[i].name, is_hash(event.device, cases[i].space, cases[i].device));
        assert_case(cases[i].name, strcmp(event.session_id, cases[i].session) == 0);
        assert_case(cases[i].name, event.timestamp_us == cases[i].time_us);
        assert_case(cases[i].name, event.sent_at_us == cases[i].sent_us);
        arena_destroy(&arena);
    }
}

static void test_context(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct gw_event event;
    struct gw_faults faults;
    map(&event, &faults,
        "{" ID
        "\"e\":\"pv\",\"url\":\"https://a.example/\",\"refr\":\"https://b.example/\",\"page\":"
        "\"A\",\"ua\":\"UA\",\"lang\":\"en\",\"tz\":\"Europe/Paris\",\"res\":\"1920x1080\",\"tv\":"
        "\"js-4.0\",\"ip\":\"203.0.113.9\"}",
        arena);
    assert_true(slice_equal_str(
        event.context,
        "{\"page\":{\"url\":\"https://a.example/\",\"title\":\"A\",\"referrer\":\"https://"
        "b.example/\"},\"userAgent\":\"UA\",\"locale\":\"en\",\"library\":{\"name\":\"js-4.0\"},"
        "\"screen\":{\"width\":1920,\"height\":1080},\"timezone\":\"Europe/Paris\","
        "\"ip\":\"203.0.113.0\"}"));
    arena_destroy(&arena);
}

/* ---- through the gateway ---- */

#define TP2           "/com.snowplowanalytics.snowplow/tp2"
#define LIST(element) "{\"schema\":\"iglu:x\",\"data\":[" element "]}"
#define VIEW          "{\"e\":\"pv\",\"eid\":\"m1\",\"duid\":\"d\"}"
#define VIEW_OF_SHOP  "{\"e\":\"pv\",\"eid\":\"m1\",\"duid\":\"d\",\"aid\":\"shop\"}"

static void test_requests(void **state)
{
    static const struct {
        const char *name, *head, *body;
        int status;
        const char *type;
    } cases[] = {
        {"app id of the first event", "POST " TP2, LIST(VIEW_OF_SHOP), 200, "text/plain"},
        {"app id in the query", "POST " TP2 "?aid=shop", LIST(VIEW), 200, "text/plain"},
        {"no app id", "POST " TP2, LIST(VIEW), 401, "application/problem+json"},
        {"unknown app id", "POST " TP2 "?aid=nope", LIST(VIEW), 401, "application/problem+json"},
        {"a key is no app id", "POST " TP2 "?aid=" WRITE_KEY, LIST(VIEW), 401,
         "application/problem+json"},
        {"an app id is no key by path", "POST /shop" TP2, LIST(VIEW), 401,
         "application/problem+json"},
        {"key in the path", "POST /" WRITE_KEY TP2, LIST(VIEW), 200, "text/plain"},
        {"header", "POST " TP2 "\r\nX-Api-Key: " WRITE_KEY, LIST(VIEW), 200, "text/plain"},
        {"no list", "POST " TP2 "?aid=shop", "{}", 400, "application/problem+json"},
        {"picture", "GET /i?e=pv&eid=m1&duid=d&aid=shop", "", 200, "image/gif"},
        {"old picture", "GET /ice.png?e=pv&eid=m1&duid=d&aid=shop", "", 200, "image/gif"},
        {"picture by path", "GET /" WRITE_KEY "/i?e=pv&eid=m1&duid=d", "", 200, "image/gif"},
        {"picture of a bad event", "GET /i?e=xx&eid=m1&duid=d&aid=shop", "", 200, "image/gif"},
        {"picture of nobody", "GET /i?e=pv", "", 401, "application/problem+json"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(*state, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status)
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
        const char *type = world_header(&answer, "Content-Type");
        assert_case(cases[i].name,
                    type && strncmp(type, cases[i].type, strlen(cases[i].type)) == 0);
        if (strcmp(cases[i].type, "image/gif") == 0)
            assert_case(cases[i].name, strncmp(answer.body, "GIF89a", 6) == 0);
        if (strcmp(cases[i].type, "text/plain") == 0)
            assert_case(cases[i].name, strcmp(answer.body, "ok") == 0);
    }
}

static Journey__V1__EventBatch *take(struct world *world)
{
    const struct bus_record *record = world_take(world, TOPIC_EVENTS);
    assert_non_null(record);
    return journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
}

/* One event's document that is none spoils none of the others. */
static void test_one_bad(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    world_ask(world, "POST " TP2,
              LIST(VIEW_OF_SHOP ",{\"e\":\"ue\",\"eid\":\"m2\",\"duid\":\"d\",\"ue_px\":\"*\"},"
                                "{\"e\":\"ue\",\"eid\":\"m3\",\"duid\":\"d\",\"ue_px\":\"" UE_BASE64
                                "\"}"),
              &answer);
    assert_int_equal(answer.status, 200);
    Journey__V1__EventBatch *batch = take(world);
    assert_string_equal(batch->client, "snowplow");
    assert_int_equal(batch->n_events, 2);
    assert_string_equal(batch->events[0]->message_id, "m1");
    assert_string_equal(batch->events[1]->message_id, "m3");
    assert_string_equal(batch->events[1]->name, "save_game");
    const struct bus_record *dead = world_take(world, topic_dlq(TOPIC_EVENTS));
    assert_true(slice_equal_str(bus_record_header(dead, "dlq-code")->value, "invalid_base64"));
    journey__v1__event_batch__free_unpacked(batch, NULL);
}

static void test_picture(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    world_ask(world,
              "GET /i?e=se&se_ca=a%20b&se_ac=caf%C3%A9&se_la=1%2B1&eid=m1&duid=d&aid=shop&dtm="
              "1614809252001",
              "", &answer);
    assert_int_equal(answer.status, 200);
    Journey__V1__EventBatch *batch = take(world);
    assert_string_equal(batch->events[0]->name, "caf\xc3\xa9");
    assert_string_equal(batch->events[0]->properties, "{\"category\":\"a b\",\"label\":\"1+1\"}");
    assert_true(batch->events[0]->timestamp_us == 1614809252001000);
    journey__v1__event_batch__free_unpacked(batch, NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_who_and_when),
        cmocka_unit_test(test_context),
        TEST(test_requests),
        TEST(test_one_bad),
        TEST(test_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
