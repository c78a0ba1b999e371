#include "base.h"
#include "json.h"
#include "test.h"
#include <unistd.h>

/* What is written to stderr between begin and end. */
struct capture {
    int pipe[2], stderr_fd;
    char text[16384];
    ssize_t size;
};

static void capture_begin(struct capture *capture)
{
    assert_int_equal(pipe(capture->pipe), 0);
    capture->stderr_fd = dup(STDERR_FILENO);
    assert_true(capture->stderr_fd >= 0);
    assert_true(dup2(capture->pipe[1], STDERR_FILENO) >= 0);
    close(capture->pipe[1]);
}

static void capture_end(struct capture *capture)
{
    assert_true(dup2(capture->stderr_fd, STDERR_FILENO) >= 0);
    close(capture->stderr_fd);
    capture->size = read(capture->pipe[0], capture->text, sizeof(capture->text) - 1);
    assert_true(capture->size >= 0);
    capture->text[capture->size] = '\0';
    close(capture->pipe[0]);
}

/* The one line that was written, as JSON. */
static const struct json_node *capture_line(struct capture *capture, struct arena *arena)
{
    const struct json_node *root = NULL;
    struct err err;
    assert_true(capture->size > 0 && capture->text[capture->size - 1] == '\n');
    assert_ptr_equal(strchr(capture->text, '\n'), capture->text + capture->size - 1);
    assert_int_equal(json_parse(&root, slice_str(capture->text), arena, &err), STATUS_OK);
    return root;
}

static bool member_is(const struct json_node *root, const char *key, const char *value,
                      struct arena *arena)
{
    return slice_equal_str(json_string(json_get(root, key), arena), value);
}

static void test_a_line_has_all_members(void **state)
{
    struct capture capture;
    struct arena *arena = arena_create(65536);
    log_setup("ingest", "i-\"1\"\n", LOG_INFO);
    capture_begin(&capture);
    log_event(LOG_WARN, "partition_owned", "0123456789abcdef0123456789abcdef",
              "\"partition\":%d,\"x\":\"%s\"", 7, "y");
    capture_end(&capture);
    const struct json_node *root = capture_line(&capture, arena);
    int64_t number = 0;
    assert_true(member_is(root, "level", "warn", arena));
    assert_true(member_is(root, "service", "ingest", arena));
    assert_true(member_is(root, "instance", "i-\"1\"\n", arena));
    assert_true(member_is(root, "event", "partition_owned", arena));
    assert_true(member_is(root, "trace", "0123456789abcdef0123456789abcdef", arena));
    assert_true(member_is(root, "x", "y", arena));
    assert_int_equal(json_int(json_get(root, "partition"), &number), STATUS_OK);
    assert_int_equal(number, 7);
    assert_int_equal(time_parse(&number, NULL, json_string(json_get(root, "time"), arena)), 0);
    arena_destroy(&arena);
}

static void test_a_line_without_fields_or_trace(void **state)
{
    struct capture capture;
    struct arena *arena = arena_create(65536);
    log_setup("s", "i", LOG_DEBUG);
    capture_begin(&capture);
    log_event(LOG_DEBUG, "started", NULL, NULL);
    capture_end(&capture);
    const struct json_node *root = capture_line(&capture, arena);
    assert_int_equal(root->count, 5);
    assert_null(json_get(root, "trace"));
    arena_destroy(&arena);
}

static void test_levels_below_are_dropped(void **state)
{
    struct capture capture;
    log_setup("s", "i", LOG_WARN);
    capture_begin(&capture);
    log_event(LOG_INFO, "x", NULL, NULL);
    capture_end(&capture);
    assert_int_equal(capture.size, 0);
}

/* Around the line's limit the line stays one JSON object: with its fields or marked as cut. */
static void test_long_fields_are_cut_whole(void **state)
{
    struct arena *arena = arena_create(65536);
    log_setup("s", "i", LOG_INFO);
    bool whole = false, cut = false;
    for (int width = 3900; width < 4200; width++) {
        struct capture capture;
        capture_begin(&capture);
        log_event(LOG_INFO, "x", NULL, "\"n\":%*d", width, 1);
        capture_end(&capture);
        assert_true(capture.size <= 4096);
        arena_reset(arena);
        const struct json_node *root = capture_line(&capture, arena);
        whole |= json_get(root, "n") != NULL;
        cut |= json_is(json_get(root, "truncated"), JSON_TRUE);
        assert_true(!json_get(root, "n") == json_is(json_get(root, "truncated"), JSON_TRUE));
    }
    assert_true(whole && cut);
    arena_destroy(&arena);
}

static void test_escape(void **state)
{
    static const struct {
        const char *text, *escaped;
        size_t size;
    } cases[] = {
        {"", "", 1},
        {NULL, "", 10},
        {"abc", "abc", 4},
        {"abc", "ab", 3},
        {"abc", "", 1},
        {"a\"b\\c", "a\\\"b\\\\c", 20},
        {"a\"b", "a", 3}, /* never half an escape */
        {"\n\x01", "\\u000a\\u0001", 20},
        {"\n\x01", "\\u000a", 12},
        {"\xc3\xa9", "\xc3\xa9", 3},
        {"\xc3\xa9", "", 2}, /* never half a letter */
        {"a\xff", "a\xef\xbf\xbd", 10},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[32];
        assert_string_equal(log_escape(out, cases[i].size, cases[i].text), cases[i].escaped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_has_all_members),
        cmocka_unit_test(test_a_line_without_fields_or_trace),
        cmocka_unit_test(test_levels_below_are_dropped),
        cmocka_unit_test(test_long_fields_are_cut_whole),
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
