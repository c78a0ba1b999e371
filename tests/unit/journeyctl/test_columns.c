/* Rows of CSV as events. */
#include "domain/columns.h"
#include "test.h"

#include <stdio.h>

static const struct {
    const char *name, *header, *map, *row;
    const char *event; /* or the refusal, behind "!" */
} CASES[] = {
    {"plain", "event,anonymousId", NULL, "Buy,a",
     "{\"id\":\"i\",\"anonymousId\":\"a\",\"event\":\"Buy\"}"},
    {"its own id", "id,event", NULL, "7,x", "{\"event\":\"x\",\"id\":\"7\"}"},
    {"its own id, empty", "id,event", NULL, ",x", "{\"id\":\"i\",\"event\":\"x\"}"},
    {"paths", "properties.a.c,context.page.url,properties.a.b,properties.z", NULL, "1,/,2,3",
     "{\"id\":\"i\",\"context\":{\"page\":{\"url\":\"/\"}},\"properties\":{\"a\":{\"b\":2,\"c\":1},"
     "\"z\":3}}"},
    {"empty cells are no members", "properties.a.b,properties.c,event", NULL, ",1,",
     "{\"id\":\"i\",\"properties\":{\"c\":1}}"},
    {"numbers byte for byte", "properties.a,properties.b,properties.c,properties.d", NULL,
     "1.50,1e999,-0,12345678901234567890",
     "{\"id\":\"i\",\"properties\":{\"a\":1.50,\"b\":1e999,\"c\":-0,\"d\":12345678901234567890}}"},
    {"no numbers", "properties.a,properties.b,properties.c,properties.d", NULL, "007,+1,1., 1",
     "{\"id\":\"i\",\"properties\":{\"a\":\"007\",\"b\":\"+1\",\"c\":\"1.\",\"d\":\" 1\"}}"},
    {"booleans and JSON", "properties.a,traits.b,properties.c,properties.d", NULL,
     "true,\"{\"\"x\"\":[1]}\",null,[",
     "{\"id\":\"i\",\"properties\":{\"a\":true,\"c\":\"null\","
     "\"d\":\"[\"},\"traits\":{\"b\":{\"x\":[1]}}}"},
    {"ids are texts", "userId,timestamp", NULL, "17,5",
     "{\"id\":\"i\",\"timestamp\":\"5\",\"userId\":\"17\"}"},
    {"NA is a value", "properties.country", NULL, "NA",
     "{\"id\":\"i\",\"properties\":{\"country\":\"NA\"}}"},
    {"map", "Customer No,price,internal,zip",
     "Customer No=userId,price=properties.price,internal=\nzip=properties.zip:text", "5,6,7,8",
     "{\"id\":\"i\",\"properties\":{\"price\":6,\"zip\":\"8\"},\"userId\":\"5\"}"},
    {"quoted header", "\"a,b\"", NULL, "1", "{\"id\":\"i\",\"a,b\":\"1\"}"},
    {"too few", "a,b", NULL, "1", "!it has 1 columns, the header has 2"},
    {"open quote", "a", NULL, "\"1", "!a quote is not closed"},
    {"same path twice", "a,b", "b=a", "", "!the columns 1 and 2 clash: a and a"},
    {"a value with members", "a.b,a", NULL, "", "!the columns 2 and 1 clash: a and a.b"},
    {"a beginning is no clash", "ab.c,a", NULL, "1,2",
     "{\"id\":\"i\",\"a\":\"2\",\"ab\":{\"c\":\"1\"}}"},
    {"no path", "a..b", NULL, "", "!column 1: 'a..b' is no path in an event"},
    {"no columns", "", NULL, "", "!the first line names no columns"},
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        static struct columns columns;
        struct arena *arena = arena_create(1 << 20);
        struct buf out = {0};
        struct err err = {0};
        char *header = arena_str(arena, slice_str(CASES[i].header)),
             *row = arena_str(arena, slice_str(CASES[i].row));
        int status = columns_parse(&columns, header, strlen(header), CASES[i].map, arena, &err);
        static struct slice cells[CSV_MAX_COLUMNS];
        if (status >= 0)
            status = csv_record_parse(cells, row, strlen(row), &err);
        if (status >= 0)
            status = columns_write(&columns, cells, (unsigned)status, "id", "i", &out, &err);
        if (status < 0) {
            buf_reset(&out);
            buf_printf(&out, "!%s", err.message);
        }
        buf_append_byte(&out, '\0');
        if (strcmp((const char *)out.data, CASES[i].event) != 0)
            fail_msg("case \"%s\": %s", CASES[i].name, out.data);
        buf_deinit(&out);
        arena_destroy(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
