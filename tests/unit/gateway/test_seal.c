/* Sealed parts open for whom they were sealed, and for nobody else. */
#include "domain/seal.h"
#include "test.h"

static const uint8_t key[GW_SEAL_KEY_SIZE] = {1, 2, 3}, other_key[GW_SEAL_KEY_SIZE] = {1, 2, 4};
static const uint8_t tenant[16] = {0xaa}, other_tenant[16] = {0xab};
static const uint8_t subject[16] = {0xcc}, other_subject[16] = {0xcd};
static const uint8_t nonce[24] = {7};

static int setup(void **state)
{
    *state = arena_create(1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

static void test_what_is_sealed_opens(void **state)
{
    struct arena *arena = *state;
    static const struct slice texts[] = {{NULL, 0},
                                         {(const uint8_t *)"{\"email\":\"a@b.de\"}", 18}};
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        struct slice plain, sealed = gw_seal(key, tenant, subject, nonce, texts[i], arena);
        assert_int_equal(sealed.size, texts[i].size + PRIVACY_SEAL_OVERHEAD);
        assert_int_equal(sealed.data[0], PRIVACY_SEAL_VERSION);
        assert_memory_equal(sealed.data + 1, nonce, sizeof(nonce));
        assert_int_equal(gw_unseal(&plain, key, tenant, subject, sealed, arena), 0);
        assert_true(slice_equal(plain, texts[i]));
    }
}

static void test_for_nobody_else(void **state)
{
    struct arena *arena = *state;
    struct slice plain, sealed = gw_seal(key, tenant, subject, nonce, SLICE_LITERAL("text"), arena);
    const struct {
        const char *name;
        const uint8_t *key, *tenant, *subject;
    } cases[] = {{"key", other_key, tenant, subject},
                 {"tenant", key, other_tenant, subject},
                 {"subject", key, tenant, other_subject},
                 {"both swapped", key, subject, tenant}};
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
        if (gw_unseal(&plain, cases[i].key, cases[i].tenant, cases[i].subject, sealed, arena) !=
            ERR_INVALID)
            fail_msg("%s", cases[i].name);
}

static void test_not_when_it_was_changed(void **state)
{
    struct arena *arena = *state;
    struct slice plain, sealed = gw_seal(key, tenant, subject, nonce, SLICE_LITERAL("text"), arena);
    for (size_t i = 0; i < sealed.size; i++) {
        uint8_t *changed = arena_copy(arena, sealed.data, sealed.size);
        changed[i] ^= 1;
        assert_int_equal(
            gw_unseal(&plain, key, tenant, subject, slice_make(changed, sealed.size), arena),
            ERR_INVALID);
        assert_int_equal(gw_unseal(&plain, key, tenant, subject, slice_make(sealed.data, i), arena),
                         ERR_INVALID);
    }
}

static void test_a_full_arena(void **state)
{
    struct slice plain,
        sealed = gw_seal(key, tenant, subject, nonce, SLICE_LITERAL("text"), *state);
    struct arena *small = arena_create(32);
    void *first = arena_alloc(small, 32);
    assert_non_null(first);
    assert_int_equal(gw_unseal(&plain, key, tenant, subject, sealed, small), ERR_NO_MEMORY);
    assert_int_equal(gw_seal(key, tenant, subject, nonce, SLICE_LITERAL("text"), small).size, 0);
    arena_destroy(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_sealed_opens),
        cmocka_unit_test(test_for_nobody_else),
        cmocka_unit_test(test_not_when_it_was_changed),
        cmocka_unit_test(test_a_full_arena),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
