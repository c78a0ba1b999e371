/* Keys and trace context as they come in headers. */
#include "domain/credentials.h"

#include "test.h"

static void test_key_forms(void **state)
{
    static const struct {
        const char *name, *authorization, *x_api_key, *key;
    } cases[] = {
        {"none", NULL, NULL, ""},
        {"basic, empty password", "Basic d2tfdGVzdF8xMjM6", NULL, "wk_test_123"},
        {"basic, a password", "Basic a2V5OnBhc3M=", NULL, "key"},
        {"basic, a key with a colon", "Basic a2V5OnNlY3JldDo=", NULL, "key:secret"},
        {"basic, no colon", "Basic a2V5", NULL, "key"},
        {"basic, small letters", "basic d2tfdGVzdF8xMjM6", NULL, "wk_test_123"},
        {"basic, no padding", "Basic a2V5Og", NULL, "key"},
        {"basic, no base64", "Basic !!!", NULL, ""},
        {"basic, empty", "Basic ", NULL, ""},
        {"basic, only a colon", "Basic Og==", NULL, ""},
        {"bearer", "Bearer jm_sk_abc", NULL, "jm_sk_abc"},
        {"bearer, spaces around", "Bearer   jm_sk_abc \t", NULL, "jm_sk_abc"},
        {"bearer, a space inside", "Bearer a b", NULL, ""},
        {"x-api-key", NULL, "jm_sk_abc", "jm_sk_abc"},
        {"other scheme", "Digest x", NULL, ""},
        {"other scheme beside x-api-key", "Digest x", "jm_sk_abc", "jm_sk_abc"},
        {"both: authorization", "Bearer a", "b", "a"},
        {"not ASCII", "Bearer \xc3\xa4", NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(65536);
        struct slice key = gw_key_text(cases[i].authorization, cases[i].x_api_key, arena);
        assert_case(cases[i].name, slice_equal_str(key, cases[i].key));
        arena_destroy(&arena);
    }
}

static void test_key_length(void **state)
{
    char long_key[GW_MAX_KEY_TEXT + 2];
    memset(long_key, 'a', sizeof(long_key));
    assert_true(gw_key_plausible(slice_make(long_key, GW_MAX_KEY_TEXT)));
    assert_false(gw_key_plausible(slice_make(long_key, GW_MAX_KEY_TEXT + 1)));
    assert_false(gw_key_plausible(slice_make(NULL, 0)));
}

static void test_traceparent(void **state)
{
    static const struct {
        const char *name, *header;
        bool taken;
    } cases[] = {
        {"good", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
        {"none", NULL, false},
        {"other version", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false},
        {"capitals", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
        {"zero trace", "00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
        {"zero span", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false},
        {"short", "00-0af7", false},
        {"long", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false},
        {"no dash", "00-0af7651916cd43dd8448eb211c80319cxb7ad6b7169203331-01", false},
    };
    uint8_t random[24];
    for (size_t i = 0; i < sizeof(random); i++)
        random[i] = (uint8_t)(i + 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[GW_TRACEPARENT_SIZE];
        gw_traceparent(out, cases[i].header, random);
        assert_case(cases[i].name,
                    strcmp(out, cases[i].taken
                                    ? cases[i].header
                                    : "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01") ==
                        0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_forms),
        cmocka_unit_test(test_key_length),
        cmocka_unit_test(test_traceparent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
