/*
 * What no client should send. Each bad event is sent alone and between two good ones: alone it is refused with its fault,
 * in a batch it becomes a dead letter with the same fault and the good ones live.
 */
#include "journey/v1/event.pb-c.h"
#include "topics.h"
#include "world.h"

#include <zlib.h>

#define WHO          "\"anonymousId\":\"a1\""
#define BASE         "\"type\":\"track\",\"event\":\"x\"," WHO
#define E(members)   "{" BASE members "}"
#define GOOD(id)     "{\"messageId\":\"" id "\"," BASE "}"
#define DEEP8(open)  open open open open open open open open
#define DEEP64(open) DEEP8(DEEP8(open))

/* fault: the code of the first one; NULL: it is odd, and taken. */
static const struct event_case {
    const char *name, *event, *fault;
} events[] = {
    /* shape */
    {"a number", "1", "wrong_type"},
    {"a text", "\"track\"", "wrong_type"},
    {"null", "null", "wrong_type"},
    {"true", "true", "wrong_type"},
    {"a list", "[]", "wrong_type"},
    {"an empty object", "{}", "required"},
    {"a bare word", "{" BASE ",\"a\":tru}", "invalid_json"},
    {"undefined", "{" BASE ",\"a\":undefined}", "invalid_json"},
    {"NaN", "{" BASE ",\"a\":NaN}", "invalid_json"},
    {"Infinity", "{" BASE ",\"a\":-Infinity}", "invalid_json"},
    {"single quotes", "{" BASE ",\"a\":'x'}", "invalid_json"},
    {"a key without quotes", "{" BASE ",a:1}", "invalid_json"},
    {"a comma too many", "{" BASE ",}", "invalid_json"},
    {"no comma", "{" BASE " \"a\":1}", "invalid_json"},
    {"no colon", "{" BASE ",\"a\" 1}", "invalid_json"},
    {"a comment", "{" BASE ",/* x */\"a\":1}", "invalid_json"},
    {"a leading zero", "{" BASE ",\"a\":01}", "invalid_json"},
    {"a plus", "{" BASE ",\"a\":+1}", "invalid_json"},
    {"a point alone", "{" BASE ",\"a\":.5}", "invalid_json"},
    {"hexadecimal", "{" BASE ",\"a\":0x10}", "invalid_json"},
    /* bytes */
    {"half a letter", "{" BASE ",\"a\":\"\xc3\"}", "invalid_json"},
    {"split euro sign", "{" BASE ",\"a\":\"\xe2\x82\"}", "invalid_json"},
    {"an overlong slash", "{" BASE ",\"a\":\"\xc0\xaf\"}", "invalid_json"},
    {"an encoded surrogate", "{" BASE ",\"a\":\"\xed\xa0\x80\"}", "invalid_json"},
    {"beyond Unicode", "{" BASE ",\"a\":\"\xf4\x90\x80\x80\"}", "invalid_json"},
    {"Latin-1", "{" BASE ",\"a\":\"caf\xe9\"}", "invalid_json"},
    {"a bad byte in a key", "{" BASE ",\"\xff\":1}", "invalid_json"},
    {"a line feed in a text", "{" BASE ",\"a\":\"x\ny\"}", "invalid_json"},
    {"a control character", "{" BASE ",\"a\":\"\x01\"}", "invalid_json"},
    {"a bad escape", "{" BASE ",\"a\":\"\\q\"}", "invalid_json"},
    {"half an escape", "{" BASE ",\"a\":\"\\u12\"}", "invalid_json"},
    {"an escaped NUL", "{" BASE ",\"properties\":{\"a\":\"\\u0000\"}}", NULL},
    {"a lone surrogate", "{" BASE ",\"properties\":{\"a\":\"\\ud800\"}}", NULL},
    {"surrogates the wrong way round", "{" BASE ",\"properties\":{\"a\":\"\\udc00\\ud800\"}}",
     NULL},
    {"an emoji", "{" BASE ",\"properties\":{\"a\":\"\xf0\x9f\x91\x9f\"}}", NULL},
    /* numbers */
    {"1e20", "{" BASE ",\"properties\":{\"a\":1e20}}", NULL},
    {"1e999", "{" BASE ",\"properties\":{\"a\":1e999}}", NULL},
    {"-0", "{" BASE ",\"properties\":{\"a\":-0}}", NULL},
    {"forty digits", "{" BASE ",\"properties\":{\"a\":1234567890123456789012345678901234567890}}",
     NULL},
    {"2^53 + 1", "{" BASE ",\"properties\":{\"a\":9007199254740993}}", NULL},
    /* depth */
    {"64 deep", "{" BASE ",\"a\":" DEEP64("[") "1", "invalid_json"},
    {"60 lists deep", "{" BASE ",\"properties\":{\"a\":" DEEP8("[[[[[[[") DEEP8("]]]]]]]") "}}",
     NULL},
    {"65 lists deep", "{" BASE ",\"a\":[" DEEP64("[") DEEP64("]") "]}", "too_deep"},
    {"65 objects deep", "{" BASE ",\"a\":{\"b\":" DEEP64("{\"a\":") "1" DEEP64("}") "}}",
     "too_deep"},
    /* keys */
    {"a key twice", "{" BASE ",\"properties\":{\"a\":1,\"a\":2}}", NULL},
    {"a member twice", "{" BASE ",\"anonymousId\":\"a2\"}", NULL},
    {"members nobody knows", "{" BASE ",\"__proto__\":{},\"constructor\":null,\"\":0}", NULL},
    {"an escaped member", "{\"typ\\u0065\":\"track\",\"event\":\"x\"," WHO "}", NULL},
    /* who */
    {"nobody", "{\"type\":\"track\",\"event\":\"x\"}", "required"},
    {"nobody by null", "{\"type\":\"track\",\"event\":\"x\",\"anonymousId\":null,\"userId\":null}",
     "required"},
    {"nobody by empty texts",
     "{\"type\":\"track\",\"event\":\"x\",\"anonymousId\":\"\",\"userId\":\"\"}", "required"},
    {"an anonymous id that is an object", E(",\"anonymousId\":{}"), "wrong_type"},
    {"an anonymous id that is a list", E(",\"anonymousId\":[1]"), "wrong_type"},
    {"an anonymous id that is true", E(",\"anonymousId\":true"), "wrong_type"},
    {"a user id that is an object", E(",\"userId\":{\"id\":1}"), "wrong_type"},
    {"a user id that is a number", E(",\"userId\":17"), NULL},
    {"a group without its id", "{\"type\":\"group\"," WHO "}", "required"},
    {"a group id that is a list", "{\"type\":\"group\",\"groupId\":[]," WHO "}", "wrong_type"},
    {"an alias of nothing", "{\"type\":\"alias\",\"userId\":\"u\"," WHO "}", "required"},
    /* what */
    {"no name", "{\"type\":\"track\"," WHO "}", "required"},
    {"an empty name", "{\"type\":\"track\",\"event\":\"\"," WHO "}", "required"},
    {"a name that is null", "{\"type\":\"track\",\"event\":null," WHO "}", "required"},
    {"a name that is a number", "{\"type\":\"track\",\"event\":5," WHO "}", "wrong_type"},
    {"a name that is an object", "{\"type\":\"track\",\"event\":{}," WHO "}", "wrong_type"},
    {"a page's name that is a list", "{\"type\":\"page\",\"name\":[]," WHO "}", "wrong_type"},
    {"an unknown type", "{\"type\":\"poke\",\"event\":\"x\"," WHO "}", "not_allowed"},
    {"a type in capitals", "{\"type\":\"TRACK\",\"event\":\"x\"," WHO "}", "not_allowed"},
    {"a type that is a number", "{\"type\":1,\"event\":\"x\"," WHO "}", "wrong_type"},
    /* ids */
    {"a message id with NUL", E(",\"messageId\":\"a\\u0000b\""), "invalid_characters"},
    {"a message id that is an object", E(",\"messageId\":{}"), "wrong_type"},
    {"a message id that is a number", E(",\"messageId\":12"), NULL},
    {"an empty message id", E(",\"messageId\":\"\""), NULL},
    {"a session id with NUL", E(",\"sessionId\":\"a\\u0000\""), "invalid_characters"},
    {"a session id that is a list", E(",\"sessionId\":[]"), "wrong_type"},
    /* when */
    {"no time", E(",\"timestamp\":\"yesterday\""), "invalid_time"},
    {"an empty time", E(",\"timestamp\":\"\""), "invalid_time"},
    {"a time that is a number", E(",\"timestamp\":1700000000"), "wrong_type"},
    {"a time that is an object", E(",\"timestamp\":{}"), "wrong_type"},
    {"the 30th of February", E(",\"timestamp\":\"2026-02-30T00:00:00Z\""), "invalid_time"},
    {"25 o'clock", E(",\"timestamp\":\"2026-02-03T25:00:00Z\""), "invalid_time"},
    {"the year 1", E(",\"timestamp\":\"0001-01-01T00:00:00Z\""), "invalid_time"},
    {"the year 9999", E(",\"timestamp\":\"9999-01-01T00:00:00Z\""), "invalid_time"},
    {"sent at no time", E(",\"sentAt\":\"now\""), "invalid_time"},
    {"a time with an offset", E(",\"timestamp\":\"2026-02-03T00:00:00+14:00\""), NULL},
    /* the rest */
    {"properties that are a list", E(",\"properties\":[]"), "wrong_type"},
    {"properties that are a text", E(",\"properties\":\"{}\""), "wrong_type"},
    {"properties that are a number", E(",\"properties\":1"), "wrong_type"},
    {"a context that is a text", E(",\"context\":\"\""), "wrong_type"},
    {"a context that is a list", E(",\"context\":[{}]"), "wrong_type"},
    {"a context of null", E(",\"context\":null"), NULL},
    {"a page that is a text", E(",\"context\":{\"page\":\"/x\"}"), NULL},
    {"traits that are a list", E(",\"traits\":[]"), NULL},
};

static unsigned events_in(struct world *world, unsigned expected)
{
    unsigned n = 0;
    while (n < expected) {
        const struct bus_record *record = world_take(world, TOPIC_EVENTS);
        if (!record)
            break;
        Journey__V1__EventBatch *batch =
            journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
        n += (unsigned)batch->n_events;
        journey__v1__event_batch__free_unpacked(batch, NULL);
    }
    return n;
}

static void check_alone(struct world *world, const struct event_case *c)
{
    struct world_answer answer;
    world_ask(world, "POST /api/v1/events\r\nX-Api-Key: " WRITE_KEY, c->event, &answer);
    char *code = arena_printf(world->arena, "\"code\":\"%s\"", c->fault ? c->fault : "");
    if (answer.status != (c->fault ? 400 : 200) || (c->fault && !strstr(answer.body, code)))
        fail_msg("case \"%s\" alone: %d %s", c->name, answer.status, answer.body);
    if (!c->fault)
        assert_case(c->name, events_in(world, 1) == 1);
}

static void check_between(struct world *world, const struct event_case *c)
{
    struct world_answer answer;
    unsigned live = c->fault ? 2 : 3;
    double dead = world_dead_letters(world);
    /* what has no end takes what follows with it: it stands last */
    bool whole = strcmp(c->name, "64 deep") != 0;
    world_ask(world, "POST /v1/batch\r\nX-Api-Key: " WRITE_KEY,
              whole ? arena_printf(world->arena, "{\"batch\":[%s,%s,%s]}", GOOD("g1"), c->event,
                                   GOOD("g2"))
                    : arena_printf(world->arena, "{\"batch\":[%s,%s,%s]}", GOOD("g1"), GOOD("g2"),
                                   c->event),
              &answer);
    if (answer.status != 200)
        fail_msg("case \"%s\" of three: %d %s", c->name, answer.status, answer.body);
    unsigned found = events_in(world, live);
    if (found != live)
        fail_msg("case \"%s\" of three: %u live instead of %u", c->name, found, live);
    assert_case(c->name, world_dead_letters(world) - dead == (c->fault ? 1 : 0));
}

static void test_events(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        check_alone(*state, &events[i]);
        check_between(*state, &events[i]);
    }
}

static char *repeated(struct world *world, const char *before, char c, size_t n, const char *after)
{
    size_t head = strlen(before), tail = strlen(after);
    char *text = arena_alloc(world->arena, head + n + tail + 1);
    memcpy(text, before, head);
    memset(text + head, c, n);
    memcpy(text + head + n, after, tail);
    return text;
}

/* Over a limit by one, and exactly at it. */
static void test_lengths(void **state)
{
    struct world *world = *state;
    const struct {
        const char *name, *before, *after;
        size_t most;
        const char *fault;
    } cases[] = {
        {"message id", "{\"messageId\":\"", "\"," BASE "}", 200, "too_long"},
        {"name", "{\"type\":\"track\"," WHO ",\"event\":\"", "\"}", 255, "too_long"},
        {"session id", "{" BASE ",\"sessionId\":\"", "\"}", 100, "too_long"},
        {"user id", "{" BASE ",\"userId\":\"", "\"}", 1024, "too_long"},
        {"anonymous id", "{\"type\":\"track\",\"event\":\"x\",\"anonymousId\":\"", "\"}", 1024,
         "too_long"},
        {"event", "{" BASE ",\"a\":\"", "\"}", 32768 - sizeof("{" BASE ",\"a\":\"\"}") + 1,
         "too_large"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t over = 0; over < 2; over++) {
            struct event_case c = {cases[i].name, NULL, over ? cases[i].fault : NULL};
            c.event = repeated(world, cases[i].before, 'x', cases[i].most + over, cases[i].after);
            if (strcmp(cases[i].name, "event") != 0 || !over)
                check_alone(world, &c);
            check_between(world, &c);
        }
}

/* ---- requests as a whole ---- */

static void test_requests(void **state)
{
    struct world *world = *state;
#define HEAD "POST /v1/batch\r\nX-Api-Key: " WRITE_KEY
    const struct {
        const char *name, *head, *body;
        int status;
        const char *part;
    } cases[] = {
        {"no body", HEAD, "", 400, "batch"},
        {"a list", HEAD, "[]", 400, "wrong_type"},
        {"a text", HEAD, "\"batch\"", 400, "wrong_type"},
        {"not JSON", HEAD, "batch=1", 400, "wrong_type"},
        {"a NUL", HEAD, "{\"batch\"", 400, "invalid_json"},
        {"cut before the list", HEAD, "{\"sentAt\":\"x\",\"bat", 400, "invalid_json"},
        {"no list", HEAD, "{\"batch\":{}}", 400, "wrong_type"},
        {"a list of null", HEAD, "{\"batch\":null}", 400, "required"},
        {"sent at no time", HEAD, "{\"batch\":[" GOOD("g") "],\"sentAt\":17}", 200, "g"},
        {"a context that is a list", HEAD, "{\"batch\":[" GOOD("g") "],\"context\":[]}", 200, "g"},
        {"cut in the last event", HEAD, "{\"batch\":[" GOOD("g") ",{\"a\":\"x", 200, "g"},
        {"the list is not closed", HEAD, "{\"batch\":[" GOOD("g"), 200, "g"},
        {"the body is not closed", HEAD, "{\"batch\":[" GOOD("g") "]", 200, "g"},
        {"something behind the body", HEAD, "{\"batch\":[" GOOD("g") "]}}", 200, "g"},
        {"3,000 commas", HEAD, repeated(world, "{\"batch\":[1", ',', 2999, "]}"), 200, ""},
        {"no key", "POST /v1/batch", "{\"batch\":[]}", 401, "unauthorized"},
        {"a key of spaces", "POST /v1/batch\r\nX-Api-Key:   ", "{\"batch\":[]}", 401,
         "unauthorized"},
        {"a key that is an object", "POST /v1/batch", "{\"batch\":[],\"writeKey\":{}}", 401,
         "unauthorized"},
        {"Basic that is no base64", "POST /v1/batch\r\nAuthorization: Basic ###", "{\"batch\":[]}",
         401, "unauthorized"},
        {"a key of 300 letters", repeated(world, "POST /v1/batch\r\nX-Api-Key: ", 'k', 300, ""),
         "{\"batch\":[]}", 401, "unauthorized"},
        {"GET", "GET /v1/batch\r\nX-Api-Key: " WRITE_KEY, "", 405, "method_not_allowed"},
        {"DELETE", "DELETE /v1/batch\r\nX-Api-Key: " WRITE_KEY, "", 405, "method_not_allowed"},
        {"a path that climbs", "POST /v1/../v1/batch\r\nX-Api-Key: " WRITE_KEY, "{}", 404,
         "not_found"},
        {"a path with NUL", "POST /v1/batch%00\r\nX-Api-Key: " WRITE_KEY, "{}", 404, "not_found"},
        {"a path without end", repeated(world, "POST /v1/", 'a', 3000, "\r\nX-Api-Key: " WRITE_KEY),
         "{}", 404, "not_found"},
        {"half of gzip", HEAD, "\x1f\x8b\x08", 400, "gzip"},
        {"gzip of nothing", HEAD, "\x1f\x8b", 400, "gzip"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(world, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].part))
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
    }
}

/* A little gzip that would become very much. */
static void test_gzip_bomb(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    static uint8_t out[65536], zeros[65536];
    z_stream z = {.next_out = out, .avail_out = sizeof(out)};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    for (int i = 0; i < 512; i++) {
        z.next_in = zeros;
        z.avail_in = sizeof(zeros);
        assert_int_equal(deflate(&z, Z_NO_FLUSH), Z_OK);
    }
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    struct slice body = slice_make(out, sizeof(out) - z.avail_out);
    assert_int_equal(deflateEnd(&z), Z_OK);
    world_receive(world, world_send(world, "POST /v1/batch\r\nX-Api-Key: " WRITE_KEY, body),
                  &answer);
    assert_int_equal(answer.status, 413);
    assert_non_null(strstr(answer.body, "too_large"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_events),
        TEST(test_lengths),
        TEST(test_requests),
        TEST(test_gzip_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
