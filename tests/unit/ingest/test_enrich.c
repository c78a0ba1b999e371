/* What is read out of contexts, by truth tables. */
#include "agents.h"
#include "domain/agent.h"
#include "ingest.h"
#include "json.h"
#include "mmdb.h"
#include "places.h"
#include "tables.h"

#include <stdlib.h>
#include <unistd.h>

#define USER_AGENTS "/usr/share/uap-core/regexes.yaml"

static const Journey__V1__Enrichment *enriched(const char *context, struct arena *arena)
{
    struct stream_decision d = {.arena = arena};
    struct ingest_context read;
    Journey__V1__Event event;
    journey__v1__event__init(&event);
    ingest_context_read(&read, context, arena);
    const Journey__V1__Enrichment *enrichment = ingest_enrich(&d, &event, &read);
    assert_non_null(enrichment);
    return enrichment;
}

static void text_member(struct json_writer *w, const char *key, const char *text)
{
    if (!text[0])
        return;
    json_key(w, key);
    json_write_str(w, text);
}

static const char *context_of(char *const columns[5], struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf text = {0};
    struct json_writer w = json_writer_make(&text);
    json_begin_object(&w);
    json_key(&w, "campaign");
    json_begin_object(&w);
    text_member(&w, "source", columns[0]);
    text_member(&w, "medium", columns[1]);
    text_member(&w, "name", columns[2]);
    json_end_object(&w);
    json_key(&w, "page");
    json_begin_object(&w);
    text_member(&w, "referrer", columns[3]);
    text_member(&w, "url", columns[4]);
    json_end_object(&w);
    json_end_object(&w);
    return arena_str(arena, buf_slice(&text));
}

static void channel_row(const struct table_row *row, void *user)
{
    const char *channel = enriched(context_of(row->columns, user), user)->channel;
    if (strcmp(channel, row->columns[5]) != 0)
        fail_msg("%s:%d: '%s'", row->file, row->line, channel);
}

static void page_row(const struct table_row *row, void *user)
{
    char empty[] = "";
    char *const columns[5] = {empty, empty, empty, row->columns[1], row->columns[0]};
    const Journey__V1__Enrichment *e = enriched(context_of(columns, user), user);
    assert_row(row, strcmp(e->page_host, row->columns[2]) == 0);
    assert_row(row, strcmp(e->page_path, row->columns[3]) == 0);
    assert_row(row, strcmp(e->referrer_host, row->columns[4]) == 0);
}

static void agent_row(const struct table_row *row, void *user)
{
    struct slice user_agent = slice_str(row->columns[0]), os = slice_str(row->columns[1]);
    struct ingest_agent agent = {.bot = false};
    ingest_agent_judge(&agent, user_agent);
    assert_row(row, strcmp(ingest_agent_class(user_agent, os), row->columns[2]) == 0);
    assert_row(row, agent.bot == (strcmp(row->columns[3], "bot") == 0));
}

static void tables(void **state)
{
    struct arena *arena = arena_create(4 << 20);
    table_each("channels.txt", 6, channel_row, arena);
    table_each("pages.txt", 5, page_row, arena);
    table_each("agents.txt", 4, agent_row, arena);
    assert_false(arena_overflowed(arena));
    arena_destroy(&arena);
}

static void a_context_that_says_nothing_is_no_fault(void **state)
{
    static const char *const contexts[] = {"",
                                           "{}",
                                           "[]",
                                           "{\"page\":3,\"campaign\":[],\"os\":null}",
                                           "{\"page\":{\"url\":7}}",
                                           "{",
                                           "{\"userAgent\":\"\"}"};
    struct arena *arena = arena_create(1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(contexts); i++) {
        const Journey__V1__Enrichment *e = enriched(contexts[i], arena);
        assert_case(contexts[i], !e->page_host[0] && !e->page_path[0] && !e->channel[0] && !e->bot);
    }
    const Journey__V1__Enrichment *e = enriched("{\"bot\":true,\"page\":{\"path\":\"/p\"}}", arena);
    assert_true(e->bot);
    assert_string_equal(e->page_path, "/p");
    arena_destroy(&arena);
}

static void the_first_of_a_session_tells_its_device(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct ingest_context context;
    Journey__V1__Enrichment enrichment;
    journey__v1__enrichment__init(&enrichment);
    assert_int_equal(agents_create(&ingest_files.agents, USER_AGENTS, NULL), 0);
    ingest_context_read(&context,
                        "{\"userAgent\":\"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) "
                        "AppleWebKit/605.1.15 "
                        "(KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1\","
                        "\"os\":{\"name\":\"iPhone "
                        "OS\",\"version\":\"3\"},\"page\":{\"url\":\"https://a.example/x?y\"}}",
                        arena);
    Journey__V1__SessionStart *start = ingest_opening(&context, &enrichment, false, arena);
    assert_string_equal(start->browser, "Mobile Safari");
    assert_string_equal(start->browser_version, "17");
    assert_string_equal(start->os, "iOS");
    assert_string_equal(start->os_version, "17.1");
    assert_string_equal(start->device_brand, "Apple");
    assert_string_equal(start->device_model, "iPhone");
    assert_string_equal(start->device_class, "mobile");
    assert_string_equal(start->channel, "Direct");
    /* an app without a user agent */
    ingest_context_read(&context, "{\"os\":{\"name\":\"tvOS\",\"version\":\"16.2\"}}", arena);
    start = ingest_opening(&context, &enrichment, false, arena);
    assert_string_equal(start->os, "tvOS");
    assert_string_equal(start->os_version, "16.2");
    assert_string_equal(start->device_class, "tv");
    assert_string_equal(start->device_type, "desktop");
    assert_string_equal(start->browser, "");
    agents_destroy(&ingest_files.agents);
    arena_destroy(&arena);
}

static void the_first_of_a_session_tells_its_place(void **state)
{
    static const struct mmdb_place place = {"203.0.113.0", 120, "DE", "BY", "Nuremberg"};
    struct arena *arena = arena_create(1 << 20);
    struct ingest_context context;
    Journey__V1__Enrichment enrichment;
    char path[] = "/tmp/places_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    mmdb_write(path, &place, 1);
    journey__v1__enrichment__init(&enrichment);
    ingest_context_read(&context, "{\"ip\":\"203.0.113.0\"}", arena);
    assert_string_equal(ingest_opening(&context, &enrichment, false, arena)->country, "");
    assert_int_equal(places_open(&ingest_files.places, path, NULL), 0);
    const Journey__V1__SessionStart *start = ingest_opening(&context, &enrichment, false, arena);
    assert_string_equal(start->country, "DE");
    assert_string_equal(start->region, "BY");
    assert_string_equal(start->city, "Nuremberg");
    places_close(&ingest_files.places);
    unlink(path);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(a_context_that_says_nothing_is_no_fault),
        cmocka_unit_test(the_first_of_a_session_tells_its_device),
        cmocka_unit_test(the_first_of_a_session_tells_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
