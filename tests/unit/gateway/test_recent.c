/* "Did my event arrive?" on the twins: what the accepted topic holds of one tenant, and what a request may ask. There is no
 * database here, so refused ones are left out and named. */
#include "domain/identity.h"
#include "world.h"

#include "journey/v1/event.pb-c.h"

#define RECENT         "/api/v1/events/recent"
#define GET(path, key) "GET " path "\r\nAuthorization: Bearer " key

struct given {
    const char *id, *anonymous, *properties;
    bool clamped, late, pseudonymous, other_tenant;
    int64_t sent_us, time_us;
};

static void say(struct world *world, const struct given *given, int64_t received_us)
{
    uint8_t tenant[16], device[GW_HASH_SIZE];
    Journey__V1__Accepted a;
    Journey__V1__Event e;
    memcpy(tenant, world_tenant, 16);
    tenant[0] ^= given->other_tenant;
    journey__v1__accepted__init(&a);
    journey__v1__event__init(&e);
    gw_hash_identifier(device, world_hash_key, "device", slice_str(given->anonymous));
    a.tenant_id = (ProtobufCBinaryData){16, tenant};
    a.event = &e;
    a.session_id = arena_str(world->arena, slice_str("s1"));
    a.received_us = received_us;
    a.time_us = given->time_us ? given->time_us : received_us;
    a.time_clamped = given->clamped;
    a.late = given->late;
    a.pseudonymous = given->pseudonymous;
    e.type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    e.message_id = arena_str(world->arena, slice_str(given->id));
    e.name = arena_str(world->arena, slice_str("Seen"));
    e.properties = arena_str(world->arena, slice_str(given->properties ? given->properties : ""));
    e.device = (ProtobufCBinaryData){sizeof(device), device};
    e.timestamp_us = given->sent_us;
    size_t size = journey__v1__accepted__get_packed_size(&a);
    uint8_t *value = arena_alloc(world->arena, size + 1);
    journey__v1__accepted__pack(&a, value);
    struct slice key = topic_key(tenant, slice_str(given->id), world->arena);
    const struct bus_message message = {.topic = TOPIC_ACCEPTED,
                                        .partition = topic_partition(key, WORLD_PARTITIONS),
                                        .key = key,
                                        .value = slice_make(value, size)};
    assert_int_equal(bus_send(world->peer, &message, NULL), 0);
}

static const struct given given[] = {
    {.id = "plain", .anonymous = "a1"},
    {.id = "clamped", .anonymous = "a1", .clamped = true},
    {.id = "corrected",
     .anonymous = "a2",
     .sent_us = 1000 * SECOND_US,
     .time_us = 5000 * SECOND_US},
    {.id = "nearly right",
     .anonymous = "a2",
     .sent_us = 1000 * SECOND_US,
     .time_us = 1001 * SECOND_US},
    {.id = "masked", .anonymous = "a2", .properties = "{\"note\":\"[email]\"}"},
    {.id = "pseudonymous", .anonymous = "a3", .pseudonymous = true},
    {.id = "theirs", .anonymous = "a1", .other_tenant = true},
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world_init(world, 100);
    for (unsigned i = 0; i < ARRAY_SIZE(given); i++)
        say(world, &given[i], (int64_t)(i + 1) * HOUR_US);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_deinit(*state);
    free(*state);
    return 0;
}

/* The message ids of an answer, in its order, separated by spaces. */
static const char *ids(struct world *world, const struct world_answer *answer)
{
    const struct json_node *root;
    struct buf out = {0};
    if (answer->status != 200 || json_parse(&root, slice_str(answer->body), world->arena, NULL) < 0)
        fail_msg("%d %s", answer->status, answer->body);
    for (const struct json_node *e = json_get(root, "data")->child; e; e = e->next) {
        buf_append_str(&out, out.size ? " " : "");
        buf_append_slice(&out, json_string(json_get(e, "message_id"), world->arena));
    }
    const char *text = arena_str(world->arena, buf_slice(&out));
    buf_deinit(&out);
    return text;
}

static void test_asked(void **state)
{
    static const struct {
        const char *head, *ids;
    } cases[] = {
        {GET(RECENT, SECRET_KEY), "pseudonymous masked nearly right corrected clamped plain"},
        {GET(RECENT "?limit=2", SECRET_KEY), "pseudonymous masked"},
        {GET(RECENT "?status=accepted", SECRET_KEY), "nearly right plain"},
        {GET(RECENT "?status=changed", SECRET_KEY), "pseudonymous masked corrected clamped"},
        {GET(RECENT "?message_id=nearly%20right", SECRET_KEY), "nearly right"},
        {GET(RECENT "?message_id=theirs", SECRET_KEY), ""},
        {GET(RECENT "?anonymous_id=a1", SECRET_KEY), "clamped plain"},
        {GET(RECENT "?user_id=a1", SECRET_KEY), ""},
        {GET(RECENT, OTHER_SECRET_KEY), ""},
    };
    struct world *world = *state;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(world, cases[i].head, "", &answer);
        const char *found = ids(world, &answer);
        if (strcmp(found, cases[i].ids) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", cases[i].head, found, cases[i].ids);
    }
}

static void test_answer(void **state)
{
    struct world_answer answer;
    world_ask(*state, GET(RECENT "?message_id=clamped", SECRET_KEY), "", &answer);
    assert_non_null(strstr(answer.body, "\"code\":\"time_clamped\""));
    assert_non_null(strstr(answer.body, "\"status\":\"changed\""));
    assert_non_null(strstr(answer.body, "\"looked_back_to\":null"));
    assert_non_null(strstr(answer.body, "\"degraded\":[\"refused\"]"));
    world_ask(*state, GET(RECENT "?message_id=nowhere&status=accepted", SECRET_KEY), "", &answer);
    assert_non_null(strstr(answer.body, "\"outcome\":\"unknown_or_repeated\""));
    assert_null(strstr(answer.body, "degraded"));
    world_ask(*state, GET(RECENT "?anonymous_id=nobody&status=accepted", SECRET_KEY), "", &answer);
    assert_non_null(strstr(answer.body, "\"outcome\":\"unknown_or_pseudonymous\""));
}

/* A tenant with little, behind much of another's: found, by reading further back. */
static void test_quiet_tenant(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct given other = {.id = "b", .anonymous = "b", .other_tenant = true};
    for (unsigned i = 0; i < 3000; i++)
        say(world, &other, (int64_t)(100 + i) * HOUR_US);
    world_ask(world, GET(RECENT "?status=accepted", SECRET_KEY), "", &answer);
    assert_string_equal(ids(world, &answer), "nearly right plain");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *head;
        int status;
        const char *part;
    } cases[] = {
        {GET(RECENT, WRITE_KEY), 403, "forbidden"},
        {"GET " RECENT, 401, "unauthorized"},
        {GET(RECENT "?limit=0", SECRET_KEY), 400, "\"field\":\"limit\""},
        {GET(RECENT "?limit=501", SECRET_KEY), 400, "\"field\":\"limit\""},
        {GET(RECENT "?limit=x", SECRET_KEY), 400, "\"field\":\"limit\""},
        {GET(RECENT "?status=lost", SECRET_KEY), 400, "\"field\":\"status\""},
        {GET(RECENT "?message_id=%ff", SECRET_KEY), 400, "\"field\":\"message_id\""},
        {GET("/api/v1/dead-letters", WRITE_KEY), 403, "forbidden"},
        {GET("/api/v1/dead-letters?state=lost", SECRET_KEY), 400, "\"field\":\"state\""},
        {GET("/api/v1/dead-letters?topic=lost", SECRET_KEY), 400, "\"field\":\"topic\""},
        {GET("/api/v1/dead-letters?cursor=lost", SECRET_KEY), 400, "\"field\":\"cursor\""},
        {GET("/api/v1/dead-letters?limit=-1", SECRET_KEY), 400, "\"field\":\"limit\""},
        {GET("/api/v1/dead-letters/nothing", SECRET_KEY), 404, "not_found"},
        {"POST /api/v1/dead-letters/replay\r\nAuthorization: Bearer " SECRET_KEY, 400,
         "\"field\":\"reason\""},
        {"POST /api/v1/dead-letters/x/drop\r\nAuthorization: Bearer " SECRET_KEY, 404, "not_found"},
        {GET("/api/v1/dead-letters", SECRET_KEY), 503, "unavailable"}, /* no database */
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(*state, cases[i].head, "", &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].part))
            fail_msg("%s: %d %s", cases[i].head, answer.status, answer.body);
    }
}

static void test_page(void **state)
{
    struct world_answer answer;
    world_ask(*state, "GET /events", "", &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(world_header(&answer, "Content-Security-Policy"), "default-src 'none'"));
    assert_non_null(strstr(world_header(&answer, "Content-Type"), "text/html"));
    assert_null(strstr(answer.body, "://")); /* nothing from elsewhere */
    world_ask(*state, "GET /events.js", "", &answer);
    assert_non_null(strstr(world_header(&answer, "Content-Type"), "text/javascript"));
    assert_null(strstr(answer.body, "innerHTML"));
    assert_null(strstr(answer.body, "Storage"));
    world_ask(*state, "GET /events.css", "", &answer);
    assert_int_equal(answer.status, 200);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_asked), TEST(test_answer), TEST(test_quiet_tenant),
                                       TEST(test_refusals), TEST(test_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
