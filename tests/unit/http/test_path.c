/* Path patterns, percent decoding, query parameters. */
#include "http.h"

#include <stdio.h>

#include "test.h"

static void path_patterns(void **state)
{
    static const struct {
        const char *pattern, *path, *first, *second; /* first NULL: no match */
    } cases[] = {
        {"/livez", "/livez", "", NULL},
        {"/livez", "/livez/", NULL, NULL},
        {"/livez", "/live", NULL, NULL},
        {"/livez", "livez", NULL, NULL},
        {"/livez", "", NULL, NULL},
        {"/", "/", "", NULL},
        {"/a/{id}", "/a/1", "1", NULL},
        {"/a/{id}", "/a/", NULL, NULL},
        {"/a/{id}", "/a", NULL, NULL},
        {"/a/{id}", "/a/1/b", NULL, NULL},
        {"/a/{id}/b/{n}", "/a/x/b/y", "x", "y"},
        {"/a/{id}/b/{n}", "/a/x/c/y", NULL, NULL},
        {"/a/{id}", "/a/%2Fb%20c", "/b c", NULL},
        {"/a/{id}", "/a/%C3%A9", "\xC3\xA9", NULL},
        {"/a/{id}", "/a/100%", "100%", NULL},
        {"/a/{id}", "/a/%zz%4", "%zz%4", NULL},
        {"/a/{id}", "/a/a+b", "a+b", NULL},
        {"/api/journey/sessions/{id}/stage", "/api/journey/sessions/s1/stage", "s1", NULL},
    };
    struct arena *arena = arena_create(1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice got[2] = {{0}};
        bool match = http_path_match(cases[i].pattern, slice_str(cases[i].path), arena, got, 2);
        if (match != (cases[i].first != NULL) ||
            (cases[i].first && cases[i].first[0] && !slice_equal_str(got[0], cases[i].first)) ||
            (cases[i].second && !slice_equal_str(got[1], cases[i].second)))
            fail_msg("%s against %s", cases[i].pattern, cases[i].path);
    }
    arena_destroy(&arena);
}

static void query_parameters(void **state)
{
    static const struct {
        const char *query, *name, *want;
    } cases[] = {
        {"a=1&b=2", "a", "1"},  {"a=1&b=2", "b", "2"},
        {"a=1&b=2", "c", NULL}, {"", "a", NULL},
        {"a", "a", ""},         {"a=", "a", ""},
        {"a=1&a=2", "a", "1"},  {"q=a+b%2Bc", "q", "a b+c"},
        {"%61=x", "a", "x"},    {"&&a=1", "a", "1"},
        {"a=b=c", "a", "b=c"},  {"from=%", "from", "%"},
    };
    struct arena *arena = arena_create(1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice got = http_query_get(slice_str(cases[i].query), cases[i].name, arena);
        if ((got.data != NULL) != (cases[i].want != NULL) ||
            (cases[i].want && !slice_equal_str(got, cases[i].want)))
            fail_msg("%s of %s", cases[i].name, cases[i].query);
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_patterns),
        cmocka_unit_test(query_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
