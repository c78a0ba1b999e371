#include "domain/visitor.h"
#include "json.h"
#include "test.h"

#include <stdio.h>

static void assert_json(const struct buf *body)
{
    const struct json_node *root;
    struct arena *arena = arena_create((size_t)1 << 20);
    assert_non_null(arena);
    assert_int_equal(json_parse(&root, buf_slice(body), arena, NULL), 0);
    arena_destroy(&arena);
}

/* A whole life, as letters. */
static void test_life(void **state)
{
    struct visitor visitor;
    struct visitor_request request = {0};
    struct buf life = {0}, record = {0};
    visitor_init(&visitor, "run", 7);
    for (; visitor.step < visitor_steps(); visitor.step++) {
        visitor_request(&visitor, &request);
        assert_json(&request.body);
        buf_append_byte(&life, (uint8_t) "SeTCE"[request.kind]);
        assert_true(request.secret == (request.kind == VISITOR_STAGE));
        visitor_acknowledge(&visitor, &request, 200, &record);
    }
    buf_append_str(&life, "");
    assert_non_null(record.data);
    assert_string_equal((const char *)life.data, "SeeeTeeeTeeeTCE");
    assert_non_null(strstr((const char *)record.data, "start\tload-run-7\tload-run-7\t200\n"));
    assert_non_null(strstr((const char *)record.data, "event\tload-run-7\tload-run-7.1.4\t200\n"));
    assert_non_null(strstr((const char *)record.data, "stage\tload-run-7\tconsideration\t200\n"));
    assert_non_null(strstr((const char *)record.data, "stage\tload-run-7\tconversion\t200\n"));
    assert_non_null(strstr((const char *)record.data, "conversion\tload-run-7\tload-run-7\t200\n"));
    buf_deinit(&life);
    buf_deinit(&record);
    buf_deinit(&request.path);
    buf_deinit(&request.body);
}

static void test_the_same_request_again_is_the_same(void **state)
{
    struct visitor visitor;
    struct visitor_request a = {0}, b = {0};
    visitor_init(&visitor, "run", 1);
    visitor.step = 2;
    visitor_request(&visitor, &a);
    visitor_request(&visitor, &b);
    assert_string_equal(a.key, b.key);
    assert_true(slice_equal(buf_slice(&a.body), buf_slice(&b.body)));
    assert_non_null(strstr((const char *)a.body.data, "\"messageId\":\"load-run-1.2.0\""));
    buf_deinit(&a.path);
    buf_deinit(&a.body);
    buf_deinit(&b.path);
    buf_deinit(&b.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_the_same_request_again_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
