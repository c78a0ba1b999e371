/* What other vendors' clients ask for and what they hear: at start, with a key in each of its places, from another origin. */
#include "json.h"
#include "world.h"

#define ORIGIN  "\r\nOrigin: https://shop.example"
#define EVENT   "{\"event\":\"T\",\"distinct_id\":\"u\",\"uuid\":\"m1\"}"
#define TRACK   "{\"type\":\"track\",\"event\":\"T\",\"anonymousId\":\"a\",\"messageId\":\"m1\"}"
#define CLASSIC "[{\"event_type\":\"T\",\"user\":{\"anonymous_id\":\"a\"}}]"

static void test_answers(void **state)
{
    static const struct {
        const char *name, *head, *body;
        int status;
        const char *holds; /* in the answer; NULL: anything */
    } cases[] = {
        {"PostHog, key in the body", "POST /e/",
         "{\"api_key\":\"" WRITE_KEY "\",\"event\":\"T\",\"distinct_id\":\"u\"}", 200,
         "{\"status\":1}"},
        {"PostHog, no slash", "POST /e?api_key=" WRITE_KEY, EVENT, 200, "{\"status\":1}"},
        {"PostHog, its new path", "POST /i/v0/e/?token=" WRITE_KEY, EVENT, 200, NULL},
        {"PostHog, capture", "POST /capture/?token=" WRITE_KEY, EVENT, 200, NULL},
        {"PostHog, track", "POST /track/?token=" WRITE_KEY, EVENT, 200, NULL},
        {"PostHog, batch", "POST /batch/", "{\"api_key\":\"" WRITE_KEY "\",\"batch\":[" EVENT "]}",
         200, "{\"status\":1}"},
        {"PostHog, of a person", "POST /engage/",
         "{\"$token\":\"" WRITE_KEY "\",\"$distinct_id\":\"u\",\"$set\":{}}", 200, NULL},
        {"PostHog, in an address",
         "GET /e/?data=eyJldmVudCI6IlQiLCJkaXN0aW5jdF9pZCI6InUifQ%3D%3D&token=" WRITE_KEY, "", 200,
         NULL},
        {"PostHog, a wrong key", "POST /e/?token=phc_nope", EVENT, 401, NULL},
        {"PostHog, no key", "POST /e/", EVENT, 401, NULL},
        {"PostHog, nonsense", "POST /e/?token=" WRITE_KEY, "data=!", 400, "invalid_json"},
        {"PostHog, a bad event alone", "POST /e/?token=" WRITE_KEY, "{\"event\":5}", 400,
         "wrong_type"},
        {"PostHog, a bad event among others", "POST /e/?token=" WRITE_KEY, "[{\"event\":5}]", 200,
         NULL},
        {"PostHog, a recording", "POST /s/?compression=gzip-js", "\x1f\x8b", 200, NULL},
        {"PostHog, flags", "POST /flags/?v=2", "{\"token\":\"x\"}", 200, "\"flags\":{}"},
        {"PostHog, decide", "POST /decide/?v=3", "data=e30%3D", 200, "\"featureFlags\":{}"},
        {"PostHog, configuration", "GET /array/" WRITE_KEY "/config", "", 200,
         "{\"token\":\"" WRITE_KEY "\""},
        {"PostHog, configuration as a script", "GET /array/" WRITE_KEY "/config.js", "", 200,
         "all[\"" WRITE_KEY "\"]={config:{\"token\""},
        {"PostHog, configuration of nobody", "GET /array/phc_nope/config.js", "", 401, NULL},
        {"PostHog, surveys", "GET /api/surveys/?token=x", "", 200, "\"surveys\":[]"},
        {"PostHog, its own scripts", "GET /static/recorder.js?v=1", "", 404, NULL},
        {"PostHog, its own scripts by version", "GET /static/1.449.2/surveys.js", "", 404, NULL},
        {"Jitsu", "POST /api/s/track\r\nX-Write-Key: " WRITE_KEY, TRACK, 200, "{\"ok\":true}"},
        {"Jitsu, a server", "POST /api/s/s2s/track?writekey=" WRITE_KEY, TRACK, 200,
         "{\"ok\":true}"},
        {"Jitsu, its key twice, masked in the body", "POST /api/s/page\r\nX-Write-Key: " WRITE_KEY,
         "{\"type\":\"page\",\"anonymousId\":\"a\",\"writeKey\":\"k:***\"}", 200, NULL},
        {"Jitsu, a batch", "POST /api/s/batch\r\nX-Write-Key: " WRITE_KEY,
         "{\"batch\":[" TRACK "]}", 200, NULL},
        {"Jitsu, a wrong key", "POST /api/s/track\r\nX-Write-Key: nope", TRACK, 401, NULL},
        {"Jitsu before", "POST /api/v1/event?token=" WRITE_KEY, CLASSIC, 200,
         "{\"status\":\"ok\"}"},
        {"Jitsu before, by header", "POST /api/v1/s2s/event\r\nX-Auth-Token: " WRITE_KEY, CLASSIC,
         200, NULL},
        {"RudderStack, a beacon", "POST /beacon/v1/batch?writeKey=" WRITE_KEY,
         "{\"batch\":[" TRACK "]}", 200, NULL},
        {"RudderStack, its source", "GET /sourceConfig/?p=npm&writeKey=" WRITE_KEY, "", 200,
         "\"destinations\":[]"},
        {"RudderStack, its source by header",
         "GET /sourceConfig?p=npm\r\nAuthorization: Basic am1fd2tfdGVzdDo=", "", 200,
         "\"enabled\":true"},
        {"RudderStack, the source of nobody", "GET /sourceConfig/?p=npm&writeKey=nope", "", 401,
         NULL},
        {"RudderStack, no key", "GET /sourceConfig/", "", 401, NULL},
        {"Segment, an import", "POST /v1/import?writeKey=" WRITE_KEY, "{\"batch\":[" TRACK "]}",
         200, NULL},
        {"Segment, metrics", "POST /v1/m", "{}", 200, "{\"success\":true}"},
        {"refused before any route", "POST /v1/track\r\nTransfer-Encoding: gzip", "{}", 501,
         "not_implemented"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world *world = *state;
        struct world_answer answer;
        world_ask(world, arena_printf(world->arena, "%s" ORIGIN, cases[i].head), cases[i].body,
                  &answer);
        if (answer.status != cases[i].status ||
            (cases[i].holds && !strstr(answer.body, cases[i].holds)))
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
        const char *origin = world_header(&answer, "Access-Control-Allow-Origin");
        assert_case(cases[i].name, origin && strcmp(origin, "https://shop.example") == 0);
    }
}

static void test_preflights(void **state)
{
    static const char *const paths[] = {"/e/",
                                        "/flags/?v=2",
                                        "/v1/track",
                                        "/beacon/v1/batch",
                                        "/sourceConfig/?p=npm",
                                        "/api/s/track",
                                        "/api/v1/event?token=k",
                                        "/array/k/config"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct world *world = *state;
        struct world_answer answer;
        world_ask(world,
                  arena_printf(world->arena,
                               "OPTIONS %s" ORIGIN
                               "\r\nAccess-Control-Request-Headers: anonymousid,x-y",
                               paths[i]),
                  "", &answer);
        assert_case(paths[i], answer.status == 204);
        assert_string_equal(world_header(&answer, "Access-Control-Allow-Headers"),
                            "anonymousid,x-y");
        assert_string_equal(world_header(&answer, "Access-Control-Allow-Origin"),
                            "https://shop.example");
    }
}

/* A script that a page runs, and JSON that its clients parse. */
static void test_configuration(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct json_node *root = NULL;
    struct err err = {0};
    world_ask(world, "GET /array/" WRITE_KEY "/config.js", "", &answer);
    assert_string_equal(world_header(&answer, "Content-Type"), "application/javascript");
    world_ask(world, "GET /array/" WRITE_KEY "/config", "", &answer);
    assert_int_equal(json_parse(&root, slice_str(answer.body), world->arena, &err), 0);
    assert_true(json_is(json_get(root, "sessionRecording"), JSON_FALSE));
    world_ask(world, "POST /flags/?v=2", "{}", &answer);
    assert_int_equal(json_parse(&root, slice_str(answer.body), world->arena, &err), 0);
    world_ask(world, "GET /sourceConfig/?writeKey=" WRITE_KEY, "", &answer);
    assert_int_equal(json_parse(&root, slice_str(answer.body), world->arena, &err), 0);
    assert_true(json_is(json_path(root, "source.config"), JSON_OBJECT));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {TEST(test_answers), TEST(test_preflights),
                                       TEST(test_configuration)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
