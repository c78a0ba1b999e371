/* Compressed bodies: several members, what follows them, and little that would become much. */
#include "gunzip.h"

#include "test.h"

#include <zlib.h>

#define LIMIT 100000

static void append_member(struct buf *out, const void *data, size_t size)
{
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t most = deflateBound(&z, size);
    z.next_out = buf_extend(out, most);
    z.avail_out = (uInt)most;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->size -= z.avail_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
}

static int unpack(const struct buf *packed, size_t cut, struct slice *text, struct arena *arena)
{
    arena_reset(arena);
    return gunzip(text, slice_make(packed->data, packed->size - cut), LIMIT, arena);
}

static void test_members(void **state)
{
    static const struct {
        const char *name, *members[3], *after;
        size_t cut;
        int status;
        const char *text;
    } cases[] = {
        {"one", {"abc"}, "", 0, 0, "abc"},
        {"two", {"abc", "def"}, "", 0, 0, "abcdef"},
        {"an empty one between", {"abc", "", "def"}, "", 0, 0, "abcdef"},
        {"the first cut", {"abc"}, "", 1, ERR_INVALID, NULL},
        {"the second cut", {"abc", "def"}, "", 1, ERR_INVALID, NULL},
        {"half a header follows", {"abc"}, "\x1f", 0, ERR_INVALID, NULL},
        {"something else follows", {"abc"}, "{}", 0, ERR_INVALID, NULL},
    };
    struct arena *arena = arena_create((size_t)8 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf packed = {0};
        struct slice text = {NULL, 0};
        for (size_t k = 0; k < ARRAY_SIZE(cases[i].members) && cases[i].members[k]; k++)
            append_member(&packed, cases[i].members[k], strlen(cases[i].members[k]));
        buf_append_str(&packed, cases[i].after);
        assert_case(cases[i].name, unpack(&packed, cases[i].cut, &text, arena) == cases[i].status);
        assert_case(cases[i].name, !cases[i].text || slice_equal_str(text, cases[i].text));
        buf_deinit(&packed);
    }
    arena_destroy(&arena);
}

static void test_bombs(void **state)
{
    struct arena *arena = arena_create((size_t)8 << 20);
    struct buf zeros = {0}, packed = {0};
    struct slice text = {NULL, 0};
    memset(buf_extend(&zeros, LIMIT), 0, LIMIT);
    append_member(&packed, zeros.data, LIMIT);
    assert_int_equal(unpack(&packed, 0, &text, arena), 0);
    assert_int_equal(text.size, LIMIT);
    append_member(&packed, "x", 1); /* over it by the second one */
    assert_int_equal(unpack(&packed, 0, &text, arena), ERR_TOO_LARGE);
    buf_reset(&packed);
    memset(buf_extend(&zeros, 50000000), 0, 50000000);
    append_member(&packed, zeros.data, zeros.size);
    assert_int_equal(unpack(&packed, 0, &text, arena), ERR_TOO_LARGE);
    assert_int_equal(arena_used(arena), 0);
    buf_reset(&packed);
    for (int i = 0; i < 1001; i++) /* each costs, and nothing comes out */
        append_member(&packed, "", 0);
    assert_int_equal(unpack(&packed, 0, &text, arena), ERR_INVALID);
    buf_deinit(&zeros);
    buf_deinit(&packed);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
