/* The routes of consents through a whole gateway, with a test in ingest's place. */
#include "domain/identity.h"
#include "world.h"

#define SECRET(line) line "\r\nAuthorization: Bearer " SECRET_KEY
#define WRITE(line)  line "\r\nX-Api-Key: " WRITE_KEY
#define PATH         "/api/v1/consents"
#define ANSWER       "{\"purposes\":{}}"
#define BODY                                                                                       \
    "{\"subject\":{\"anonymous_id\":\"a1\"},\"purposes\":{\"analytics\":\"granted\","              \
    "\"marketing\":\"denied\",\"cross_device\":null},\"source\":\"banner\","                       \
    "\"policy_version\":\"3\",\"region\":\"EU\"}"

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world_init(world, 4);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_deinit(*state);
    free(*state);
    return 0;
}

/* Sends it, answers in ingest's place, and returns what ingest was told. */
static Journey__V1__Command *told(struct world *world, const char *head, const char *body)
{
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world, head, slice_str(body));
    Journey__V1__Command *c = world_command(world, TOPIC_COMMANDS_INGEST, &record);
    assert_true(
        slice_equal(record->key, topic_key(world_tenant, slice_str(c->subject), world->arena)));
    world_reply_of(world, record, "ingest", (const char *[]){"consents", ANSWER, NULL});
    world_receive(world, fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, ANSWER);
    return c;
}

static bool is_about(const Journey__V1__Command *c, ProtobufCBinaryData about, const char *space,
                     const char *text)
{
    uint8_t hash[16];
    char hex[33];
    gw_hash_identifier(hash, world_hash_key, space, slice_str(text));
    hex_format(hex, hash, sizeof(hash));
    return about.len == 16 && memcmp(about.data, hash, 16) == 0 && strcmp(c->subject, hex) == 0;
}

static void test_set(void **state)
{
    struct world *world = *state;
    Journey__V1__Command *c = told(world, WRITE("POST " PATH), BODY);
    const Journey__V1__SetConsent *set = c->set_consent;
    assert_int_equal(c->body_case, JOURNEY__V1__COMMAND__BODY_SET_CONSENT);
    assert_false(c->read_only);
    assert_true(is_about(c, set->about, "device", "a1"));
    assert_int_equal(set->n_choices, 2);
    assert_string_equal(set->choices[0]->purpose, "analytics");
    assert_true(set->choices[0]->granted);
    assert_string_equal(set->choices[1]->purpose, "marketing");
    assert_false(set->choices[1]->granted);
    assert_string_equal(set->source, "banner");
    assert_string_equal(set->policy_version, "3");
    assert_string_equal(set->region, "EU");
    journey__v1__command__free_unpacked(c, NULL);
    c = told(world, SECRET("POST " PATH),
             "{\"subject\":{\"user_id\":\"u1\"},\"purposes\":{\"analytics\":\"denied\"}}");
    assert_true(is_about(c, c->set_consent->about, "user", "u1"));
    journey__v1__command__free_unpacked(c, NULL);
}

static void test_get(void **state)
{
    static const struct {
        const char *head, *space, *text;
        int64_t before;
        int32_t limit;
    } cases[] = {
        {SECRET("GET " PATH "?anonymous_id=caf%C3%A9"), "device", "café", 0, 50},
        {SECRET("GET " PATH "?user_id=u1&limit=2"), "user", "u1", 0, 2},
        {SECRET("GET " PATH "?user_id=u1&cursor=13600000000000002"), "user", "u1",
         13600000000000002, 50},
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Journey__V1__Command *c = told(world, cases[i].head, "");
        const Journey__V1__GetConsents *get = c->get_consents;
        assert_case(cases[i].head, c->body_case == JOURNEY__V1__COMMAND__BODY_GET_CONSENTS);
        assert_case(cases[i].head, c->read_only);
        assert_case(cases[i].head, is_about(c, get->about, cases[i].space, cases[i].text));
        assert_case(cases[i].head, get->before == cases[i].before && get->limit == cases[i].limit);
        journey__v1__command__free_unpacked(c, NULL);
    }
    Journey__V1__Command *c =
        told(world, SECRET("GET " PATH "/000102030405060708090a0b0c0d0e0f"), "");
    assert_string_equal(c->subject, "000102030405060708090a0b0c0d0e0f");
    assert_int_equal(c->get_consents->about.data[15], 15);
    journey__v1__command__free_unpacked(c, NULL);
}

static void test_refusals(void **state)
{
#define A1 "{\"subject\":{\"anonymous_id\":\"a1\"},\"purposes\":"
    static const struct {
        const char *name, *head, *body;
        int status;
        const char *part;
    } cases[] = {
        {"no key", "POST " PATH, BODY, 401, "\"detail\":\"A key is needed"},
        {"another key", "POST " PATH "\r\nAuthorization: Bearer nobody", BODY, 401,
         "\"detail\":\"The key is not known"},
        {"a user, with a write key", WRITE("POST " PATH),
         "{\"subject\":{\"user_id\":\"u1\"},\"purposes\":{\"analytics\":\"granted\"}}", 403,
         "\"code\":\"forbidden\""},
        {"reading, with a write key", WRITE("GET " PATH "?anonymous_id=a1"), "", 403, "secret key"},
        {"nothing", WRITE("POST " PATH), "{}", 400, "\"field\":\"subject\",\"code\":\"required\""},
        {"nobody", WRITE("POST " PATH), "{\"subject\":{},\"purposes\":{\"analytics\":\"denied\"}}",
         400, "\"field\":\"subject\""},
        {"both", SECRET("POST " PATH),
         "{\"subject\":{\"user_id\":\"u\",\"anonymous_id\":\"a\"},\"purposes\":{\"analytics\":"
         "\"denied\"}}",
         400, "\"field\":\"subject\""},
        {"no purpose", WRITE("POST " PATH), A1 "{}}", 400, "\"field\":\"purposes\""},
        {"purposes are no object", WRITE("POST " PATH), A1 "[1]}", 400, "\"field\":\"purposes\""},
        {"an unknown purpose", WRITE("POST " PATH), A1 "{\"fun\":\"granted\"}}", 400,
         "\"errors\":[{\"field\":\"purposes.fun\",\"code\":\"unknown_purpose\",\"message\":"
         "\"is no purpose; there are necessary analytics "},
        {"an unknown purpose is all that is told", WRITE("POST " PATH), A1 "{\"fun\":\"granted\"}}",
         400, "sale_or_sharing\"}]"},
        {"an unknown state", WRITE("POST " PATH), A1 "{\"analytics\":\"maybe\"}}", 400,
         "\"field\":\"purposes.analytics\",\"code\":\"not_allowed\""},
        {"a state of another type", WRITE("POST " PATH), A1 "{\"analytics\":true}}", 400,
         "\"field\":\"purposes.analytics\",\"code\":\"wrong_type\""},
        {"the necessary is not denied", WRITE("POST " PATH), A1 "{\"necessary\":\"denied\"}}", 400,
         "\"field\":\"purposes.necessary\",\"code\":\"not_allowed\""},
        {"a long source", WRITE("POST " PATH),
         A1 "{\"analytics\":\"denied\"},\"source\":"
            "\"123456789012345678901234567890123456789012345678901\"}",
         400, "\"field\":\"source\",\"code\":\"too_long\""},
        {"no hash", SECRET("GET " PATH "/a1"), "", 400, "\"field\":\"subject\""},
        {"of nobody", SECRET("GET " PATH), "", 400, "\"field\":\"subject\""},
        {"of both", SECRET("GET " PATH "?user_id=u&anonymous_id=a"), "", 400,
         "\"field\":\"subject\""},
        {"limit 501", SECRET("GET " PATH "?user_id=u&limit=501"), "", 400, "\"field\":\"limit\""},
        {"cursor", SECRET("GET " PATH "?user_id=u&cursor=x"), "", 400, "\"field\":\"cursor\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(*state, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].part))
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
    }
}

static void test_late(void **state)
{
    struct world_answer answer;
    world_ask(*state, SECRET("POST " PATH), BODY, &answer);
    assert_int_equal(answer.status, 202);
    assert_non_null(strstr(answer.body, "\"location\":\"/api/v1/consents/"));
}

static void test_browser(void **state)
{
    struct world_answer answer;
    world_ask(*state,
              "OPTIONS " PATH "\r\nOrigin: https://shop.example\r\n"
              "Access-Control-Request-Method: POST\r\n"
              "Access-Control-Request-Headers: authorization, content-type",
              "", &answer);
    assert_int_equal(answer.status, 204);
    assert_string_equal(world_header(&answer, "Access-Control-Allow-Origin"),
                        "https://shop.example");
}

/* The same key says the same command. */
static void test_idempotency(void **state)
{
    struct world *world = *state;
    Journey__V1__Command *a = told(world, WRITE("POST " PATH) "\r\nIdempotency-Key: k", BODY),
                         *b = told(world, WRITE("POST " PATH) "\r\nIdempotency-Key: k", BODY),
                         *c = told(world, WRITE("POST " PATH), BODY);
    assert_memory_equal(a->id.data, b->id.data, 16);
    assert_memory_not_equal(a->id.data, c->id.data, 16);
    journey__v1__command__free_unpacked(a, NULL);
    journey__v1__command__free_unpacked(b, NULL);
    journey__v1__command__free_unpacked(c, NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_set),  TEST(test_get),     TEST(test_refusals),
        TEST(test_late), TEST(test_browser), TEST(test_idempotency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
