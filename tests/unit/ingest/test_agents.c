/* The patterns of user agents against uap-core's own cases, and what is remembered of them. */
#include "agents.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

#define FOLDER    "/usr/share/uap-core/"
#define NAME_SIZE 64

static struct agents *agents;

static int load(void **state)
{
    return agents_create(&agents, FOLDER "regexes.yaml", NULL);
}

static int unload(void **state)
{
    agents_destroy(&agents);
    return 0;
}

/* ---- a file of cases: a mapping of texts for each ---- */

struct sample {
    char keys[12][32], values[12][600];
    unsigned n;
};

static const char *value(const struct sample *sample, const char *key)
{
    for (unsigned i = 0; i < sample->n; i++) {
        if (strcmp(sample->keys[i], key) == 0)
            return sample->values[i];
    }
    return "";
}

static unsigned each_sample(const char *path, unsigned every, void (*each)(const struct sample *))
{
    struct sample sample = {.n = 0};
    yaml_parser_t parser;
    unsigned n = 0, depth = 0;
    bool key = true, done = false;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(yaml_parser_initialize(&parser));
    yaml_parser_set_input_file(&parser, file);
    while (!done) {
        yaml_event_t event;
        assert_true(yaml_parser_parse(&parser, &event));
        if (event.type == YAML_MAPPING_START_EVENT && ++depth == 2)
            sample.n = 0;
        if (event.type == YAML_MAPPING_END_EVENT && depth-- == 2 && n++ % every == 0)
            each(&sample);
        if (event.type == YAML_SCALAR_EVENT && depth == 2) {
            char *to = key ? sample.keys[sample.n] : sample.values[sample.n++];
            (void)snprintf(to, key ? 32 : 600, "%s", (char *)event.data.scalar.value);
            key = !key;
            assert_true(sample.n < 12);
        }
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    assert_int_equal(fclose(file), 0);
    return n;
}

/* ---- comparing ---- */

static bool is_judged(const struct sample *sample)
{
    return strlen(value(sample, "user_agent_string")) <= INGEST_AGENT_BYTES;
}

static bool known(const char *name)
{
    return strcmp(name, "Other") != 0;
}

static void same(const struct sample *sample, struct slice found, const char *expected)
{
    struct slice want = slice_str(expected);
    want.size = want.size < NAME_SIZE ? want.size : NAME_SIZE;
    if (!slice_equal(found, want))
        fail_msg("%s: '%.*s', not '%s'", value(sample, "user_agent_string"), (int)found.size,
                 (const char *)found.data, expected);
}

static struct ingest_agent find(const struct sample *sample)
{
    return agents_find(agents, slice_str(value(sample, "user_agent_string"))).agent;
}

static void browser(const struct sample *sample)
{
    bool good = known(value(sample, "family"));
    if (!is_judged(sample))
        return;
    same(sample, find(sample).browser, good ? value(sample, "family") : "");
    same(sample, find(sample).browser_version, good ? value(sample, "major") : "");
}

static void system_of(const struct sample *sample)
{
    char version[200];
    const char *minor = value(sample, "minor");
    bool good = known(value(sample, "family"));
    if (!is_judged(sample))
        return;
    assert_true(snprintf(version, sizeof(version), "%s%s%s", value(sample, "major"),
                         minor[0] ? "." : "", minor) >= 0);
    same(sample, find(sample).os, good ? value(sample, "family") : "");
    same(sample, find(sample).os_version, good ? version : "");
}

static void device(const struct sample *sample)
{
    const char *brand = value(sample, "brand");
    bool spider = strcmp(brand, "Spider") == 0;
    bool good = !spider && strncmp(brand, "Generic", 7) != 0 && known(value(sample, "family"));
    if (!is_judged(sample))
        return;
    if (spider && !find(sample).bot)
        fail_msg("no bot: %s", value(sample, "user_agent_string"));
    same(sample, find(sample).brand, good ? brand : "");
    same(sample, find(sample).model, good ? value(sample, "model") : "");
}

/* of the devices each sixteenth: they take seconds */
static void the_patterns_cases_hold(void **state)
{
    assert_true(each_sample(FOLDER "tests/test_ua.yaml", 1, browser) > 1000);
    assert_true(each_sample(FOLDER "tests/test_os.yaml", 1, system_of) > 400);
    assert_true(each_sample(FOLDER "tests/test_device.yaml", 16, device) > 10000);
}

/* ---- memory ---- */

static void what_is_remembered_is_the_same(void **state)
{
    struct slice safari = SLICE_LITERAL("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
                                        "AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15");
    char text[100];
    struct agents_found found = agents_find(agents, safari);
    assert_false(found.remembered);
    assert_true(slice_equal_str(found.agent.browser, "Safari"));
    found = agents_find(agents, safari);
    assert_true(found.remembered);
    assert_true(slice_equal_str(found.agent.browser, "Safari"));
    assert_true(slice_equal_str(found.agent.os_version, "10.15"));
    for (int i = 0; i < 4 * AGENTS_REMEMBERED; i++) {
        assert_true(snprintf(text, sizeof(text), "Firefox/%d.0", i) > 0);
        found = agents_find(agents, slice_str(text));
        assert_false(found.remembered);
    }
    found = agents_find(agents, safari);
    assert_false(found.remembered); /* by now it is forgotten */
    assert_true(slice_equal_str(found.agent.browser, "Safari"));
}

static void a_long_one_is_cut(void **state)
{
    static char text[100000];
    memset(text, '(', sizeof(text));
    memcpy(text, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) ", 41);
    struct agents_found found = agents_find(agents, slice_make(text, sizeof(text)));
    assert_true(slice_equal_str(found.agent.os, "iOS"));
    assert_true(agents_find(agents, slice_make(text, INGEST_AGENT_BYTES)).remembered);
}

/* ---- files ---- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_bad_file_says_why(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"user_agent_parsers:\n  - regex: '(a'\n", "user_agent_parsers: pattern 1 is wrong"},
        {"user_agent_parsers:\n  - regex: 'a'\n", "no os_parsers"},
        {"user_agent_parsers: [\n", "no YAML at line"},
        {"", "no user_agent_parsers"},
    };
    struct agents *made = NULL;
    struct err err = {0};
    char path[] = "/tmp/agents_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_file(path, cases[i].text);
        assert_true(agents_create(&made, path, &err) < 0);
        assert_null(made);
        assert_case(err.message, strstr(err.message, cases[i].why));
    }
    unlink(path);
    assert_int_equal(agents_create(&made, path, &err), ERR_NOT_FOUND);
}

/* A pattern that would try for ever is given up, and that is said. */
static void a_pattern_has_so_many_steps(void **state)
{
    struct agents *made = NULL;
    char path[] = "/tmp/agents_XXXXXX", text[19];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "user_agent_parsers:\n  - regex: '(a+a+a+)+[bc]'\n  - regex: '(aa)'\n"
                     "os_parsers:\n  - regex: 'x'\ndevice_parsers:\n  - regex: 'x'\n");
    assert_int_equal(agents_create(&made, path, NULL), 0);
    memset(text, 'a', 18);
    text[18] = 0;
    struct agents_found found = agents_find(made, slice_str(text));
    assert_true(found.limited);
    assert_true(slice_equal_str(found.agent.browser, "aa"));
    agents_destroy(&made);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_patterns_cases_hold),
        cmocka_unit_test(what_is_remembered_is_the_same),
        cmocka_unit_test(a_long_one_is_cut),
        cmocka_unit_test(a_bad_file_says_why),
        cmocka_unit_test(a_pattern_has_so_many_steps),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
