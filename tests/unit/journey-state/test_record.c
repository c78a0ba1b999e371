/* What goes into columns and records unchanged, and what does not. */
#include "record.h"

#include "jsonb.h"
#include "test.h"

static struct arena *arena;

static void test_jsonb(void **state)
{
    static const struct {
        const char *json, *fit;
    } cases[] = {
        {"{}", "{}"},
        {"{\"a\": [1, \"x\"]}", "{\"a\": [1, \"x\"]}"},
        {" {\"a\":1} ", "{\"a\":1}"},
        {"\"\xc3\xa4\\n\"", "\"\xc3\xa4\\n\""},
        {"1e20", "1e20"},
        {"1e301", "\"1e301\""},
        {"-1.5E-999", "\"-1.5E-999\""},
        {"[1e99999999999999999999]", "[\"1e99999999999999999999\"]"},
        {"\"a\\u0000b\"", "\"a\xef\xbf\xbd"
                          "b\""},
        {"{\"a\\u0000\":1,\"b\":true}", "{\"a\xef\xbf\xbd\":1,\"b\":true}"},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\\ud83d\"", "\"\xef\xbf\xbd\""},
        {"\"\\u0041\"", "\"A\""},
        {"", ""},
        {"{", ""},
        {"{\"a\":\"\xff\"}", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].json, strcmp(jsonb_text(cases[i].json, arena), cases[i].fit) == 0);
    assert_string_equal(jsonb_text(NULL, arena), "");
}

static void test_jsonb_long_number(void **state)
{
    char text[400];
    memset(text, '7', sizeof(text));
    text[350] = '\0';
    const char *fit = jsonb_text(text, arena);
    assert_int_equal(strlen(fit), 352);
    assert_int_equal(fit[0], '"');
}

/* A later release's fields survive this one. */
static void test_unknown_fields_stay(void **state)
{
    uint8_t later[64], *bytes;
    Journey__V1__SessionRecord record;
    struct session session;
    journey__v1__session_record__init(&record);
    record.total_touchpoints = 7;
    size_t size = journey__v1__session_record__pack(&record, later);
    const uint8_t field[] = {0xfa, 0x3f, 3, 'n', 'e', 'w'}; /* field 1023, three bytes */
    memcpy(later + size, field, sizeof(field));
    const Journey__V1__SessionRecord *read =
        record_decode(slice_make(later, size + sizeof(field)), arena);
    assert_non_null(read);
    record_read(&session, read);
    assert_int_equal(session.total_touchpoints, 7);
    const Journey__V1__SessionRecord *written = record_write(&session, NULL, read, arena);
    bytes = arena_alloc(arena, journey__v1__session_record__get_packed_size(written) + 1);
    size = journey__v1__session_record__pack(written, bytes);
    assert_non_null(memmem(bytes, size, field, sizeof(field)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonb),
        cmocka_unit_test(test_jsonb_long_number),
        cmocka_unit_test(test_unknown_fields_stay),
    };
    arena = arena_create(1 << 20);
    int failed = cmocka_run_group_tests_name("journey-state records", tests, NULL, NULL);
    arena_destroy(&arena);
    return failed;
}
