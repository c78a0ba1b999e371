/* REDIS_URL as text. */
#include "test.h"
#include "url.h"

static void urls(void **state)
{
    static const struct {
        const char *text, *host, *user, *password; /* host NULL: refused */
        int port, database;
    } cases[] = {
        {"redis://127.0.0.1:6379", "127.0.0.1", "", "", 6379, 0},
        {"redis://cache", "cache", "", "", 6379, 0},
        {"redis://cache/3", "cache", "", "", 6379, 3},
        {"redis://cache:1/", "cache", "", "", 1, 0},
        {"redis://:secret@cache:7000/2", "cache", "", "secret", 7000, 2},
        {"redis://me:s%40cret@cache", "cache", "me", "s@cret", 6379, 0},
        {"redis://:a@b@cache", "cache", "", "a@b", 6379, 0},
        {"redis://secret@cache", "cache", "", "secret", 6379, 0},
        {"rediss://cache", NULL, NULL, NULL, 0, 0},
        {"http://cache", NULL, NULL, NULL, 0, 0},
        {"redis://", NULL, NULL, NULL, 0, 0},
        {"redis://:6379", NULL, NULL, NULL, 0, 0},
        {"redis://cache:0", NULL, NULL, NULL, 0, 0},
        {"redis://cache:70000", NULL, NULL, NULL, 0, 0},
        {"redis://cache/x", NULL, NULL, NULL, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct redis_url url;
        struct err err = {0};
        int status = redis_url_parse(&url, cases[i].text, &err);
        assert_case(cases[i].text, (status == 0) == (cases[i].host != NULL));
        if (status < 0) {
            assert_case(cases[i].text, err.class == ERR_CLASS_PERMANENT && err.message[0]);
            continue;
        }
        assert_case(cases[i].text, strcmp(url.host, cases[i].host) == 0);
        assert_case(cases[i].text, strcmp(url.user, cases[i].user) == 0);
        assert_case(cases[i].text, strcmp(url.password, cases[i].password) == 0);
        assert_case(cases[i].text, url.port == cases[i].port && url.database == cases[i].database);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(urls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
