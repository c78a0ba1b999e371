/* The small ones: slots, gzip bodies, derived ids, problems. */
#include "domain/identity.h"
#include "domain/problem.h"
#include "gunzip.h"
#include "slots.h"

#include <zlib.h>

#include "test.h"

static void test_slots(void **state)
{
    struct slots *slots = slots_create(2);
    int a = 1, b = 2;
    unsigned at = 0;
    uint64_t first = slots_add(slots, &a), second = slots_add(slots, &b);
    assert_true(first && second && first != second);
    assert_true(slots_add(slots, &a) == 0);
    assert_ptr_equal(slots_get(slots, first), &a);
    slots_remove(slots, first);
    slots_remove(slots, first);
    assert_null(slots_get(slots, first));
    assert_null(slots_get(slots, 0));
    assert_null(slots_get(slots, 77));
    uint64_t third = slots_add(slots, &b);
    assert_true(third != first);
    assert_null(slots_get(slots, first));
    assert_int_equal(slots_count(slots), 2);
    assert_ptr_equal(slots_next(slots, &at), &b);
    assert_ptr_equal(slots_next(slots, &at), &b);
    assert_null(slots_next(slots, &at));
    slots_destroy(&slots);
}

static struct slice gzipped(struct slice text, struct arena *arena)
{
    z_stream z = {.next_in = arena_copy(arena, text.data, text.size), .avail_in = (uInt)text.size};
    size_t room = text.size + 1000;
    uint8_t *out = arena_alloc(arena, room);
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = room - z.avail_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
    return slice_make(out, size);
}

static void test_gunzip(void **state)
{
    struct arena *arena = arena_create(4 << 20);
    uint8_t *zeros = arena_alloc(arena, 1000000);
    struct slice text = SLICE_LITERAL("{\"a\":1}"), out;
    struct slice small = gzipped(text, arena), bomb = gzipped(slice_make(zeros, 1000000), arena);
    assert_true(gunzip_looks_like(small));
    assert_false(gunzip_looks_like(text));
    assert_int_equal(gunzip(&out, small, 100, arena), 0);
    assert_true(slice_equal(out, text));
    assert_int_equal(gunzip(&out, small, text.size, arena), 0);
    assert_int_equal(gunzip(&out, small, text.size - 1, arena), ERR_TOO_LARGE);
    assert_int_equal(gunzip(&out, bomb, 512000, arena), ERR_TOO_LARGE);
    assert_int_equal(gunzip(&out, slice_make(small.data, small.size - 1), 100, arena), ERR_INVALID);
    assert_int_equal(gunzip(&out, SLICE_LITERAL("\x1f\x8bnonsense"), 100, arena), ERR_INVALID);
    arena_destroy(&arena);
}

static void test_command_id(void **state)
{
    const uint8_t tenant[16] = {1}, other[16] = {2};
    struct slice none = slice_make(NULL, 0), s1 = slice_str("s1"), k = slice_str("k"),
                 m = slice_str("m");
    uint8_t a[16], b[16];
#define DIFFER(...)                                                                                \
    do {                                                                                           \
        gw_command_id(b, __VA_ARGS__);                                                             \
        assert_memory_not_equal(a, b, 16);                                                         \
    } while (0)
    gw_command_id(a, tenant, "stage", s1, k, m);
    gw_command_id(b, tenant, "stage", s1, k, slice_str("another message id"));
    assert_memory_equal(a, b, 16); /* the key alone counts */
    DIFFER(other, "stage", s1, k, m);
    DIFFER(tenant, "end", s1, k, m);
    DIFFER(tenant, "stage", slice_str("s2"), k, m);
    DIFFER(tenant, "stage", s1, slice_str("k2"), m);
    gw_command_id(a, tenant, "stage", s1, none, m);
    DIFFER(tenant, "stage", s1, none, slice_str("m2"));
    DIFFER(tenant, "stage", s1, m, none); /* a key is no message id */
}

static void test_problem(void **state)
{
    struct gw_faults faults = {.n = 0};
    struct buf out = {0};
    gw_fault_add(&faults, "persona.type", "required", "is required");
    gw_problem_write(&out, GW_PROBLEM_INVALID_REQUEST, "No", &faults);
    assert_string_equal(
        out.data,
        "{\"type\":\"urn:journey:problem:invalid_request\",\"title\":\"Invalid "
        "request\",\"status\":400,"
        "\"detail\":\"No\",\"code\":\"invalid_request\",\"errors\":[{\"field\":\"persona.type\","
        "\"code\":\"required\",\"message\":\"is required\"}]}");
    buf_reset(&out);
    gw_problem_write(&out, GW_PROBLEM_INVALID_REQUEST, NULL, &faults);
    assert_non_null(strstr((const char *)out.data, "\"detail\":\"persona.type: is required\""));
    buf_reset(&out);
    gw_problem_write(&out, GW_PROBLEM_INVALID_REQUEST, NULL, NULL);
    assert_non_null(strstr((const char *)out.data, "\"detail\":\"Invalid request\""));
    buf_deinit(&out);
    for (unsigned i = 0; i < GW_PROBLEM_COUNT; i++)
        assert_int_equal(gw_problem_find(gw_problem_info((enum gw_problem)i)->code), i);
    assert_int_equal(gw_problem_find("unheard_of"), GW_PROBLEM_INTERNAL);
    assert_int_equal(gw_problem_find(NULL), GW_PROBLEM_INTERNAL);
    for (unsigned i = 0; i < 2 * GW_MAX_FAULTS; i++)
        gw_fault_add(&faults, "x", "y", "z");
    assert_int_equal(faults.n, GW_MAX_FAULTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_gunzip),
        cmocka_unit_test(test_command_id),
        cmocka_unit_test(test_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
