/* Which events a request holds, told by brackets alone; and the members that a form's table finds in them. */
#include "domain/clients.h"
#include "test.h"

#include <stdio.h>

static const char *no_header(const void *handle, const char *name)
{
    (void)handle;
    (void)name;
    return NULL;
}

static void test_batches(void **state)
{
    static const struct {
        const char *body, *events; /* one after the other, each behind a bar; "!": refused */
        bool broken;
        const char *key;
    } cases[] = {
        {"{\"batch\":[]}", "", false, ""},
        {"{\"batch\":[{\"a\":1},{\"b\":[2]}],\"writeKey\":\"k\"}", "|{\"a\":1}|{\"b\":[2]}", false,
         "k"},
        {"{\"writeKey\":\"k\\u0065y\",\"batch\":[1 , null]}", "|1|null", false, "key"},
        {"{\"batch\":[{\"a\":nul},{\"b\":\"\x01\"},{\"c\":1e999}]}",
         "|{\"a\":nul}|{\"b\":\"\x01\"}|{\"c\":1e999}", false, ""},
        /* what is missing takes what follows with it, and nothing that comes before */
        {"{\"writeKey\":\"k\",\"batch\":[{\"a\":1},{\"b\":\"x},{\"c\":1}]}",
         "|{\"a\":1}|{\"b\":\"x},{\"c\":1}]}", true, "k"},
        {"{\"batch\":[{\"a\":1},{\"b\":2", "|{\"a\":1}|{\"b\":2", true, ""},
        {"{\"batch\":[{\"a\":1} {\"b\":2}]}", "|{\"a\":1}|{\"b\":2}]}", true, ""},
        {"{\"batch\":[{\"a\":1},,{\"b\":2}]}", "|{\"a\":1}|,{\"b\":2}]}", true, ""},
        {"{\"batch\":[{\"a\":1}],", "|{\"a\":1}", true, ""},
        {"{\"batch\":{}}", "!", false, ""},
        {"{\"batch\":null}", "!", false, ""},
        {"{\"batch\"", "!", true, ""},
        {"[]", "!", true, ""},
        {"", "!", true, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena *arena = arena_create(1 << 20);
        const struct gw_request request = {.body = slice_str(cases[i].body),
                                           .header = no_header,
                                           .form = gw_form_index(&gw_segment_form, arena),
                                           .max_events = 4,
                                           .arena = arena};
        struct gw_cut cut = {.n = 0};
        struct gw_faults faults = {.n = 0};
        char found[256] = "";
        size_t n = 0;
        if (!gw_cut_segment_batch(&request, &cut, &faults)) {
            assert_case(cases[i].body, faults.n == 1);
            n = (size_t)snprintf(found, sizeof(found), "!");
        }
        for (unsigned e = 0; e < cut.n; e++)
            n += (size_t)snprintf(found + n, sizeof(found) - n, "|%.*s", (int)cut.events[e].size,
                                  (const char *)cut.events[e].data);
        if (strcmp(found, cases[i].events) != 0 || cut.broken != cases[i].broken)
            fail_msg("case \"%s\": %s, broken %d", cases[i].body, found, cut.broken);
        assert_case(cases[i].body, slice_equal_str(cut.key, cases[i].key));
        arena_destroy(&arena);
    }
}

static void test_too_many(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    const struct gw_request request = {.body = SLICE_LITERAL("{\"batch\":[1,2,3,4,5]}"),
                                       .header = no_header,
                                       .max_events = 4,
                                       .arena = arena};
    struct gw_cut cut = {.n = 0};
    struct gw_faults faults = {.n = 0};
    assert_false(gw_cut_segment_batch(&request, &cut, &faults));
    assert_string_equal(faults.list[0].code, "too_large");
    arena_destroy(&arena);
}

/* ---- the table ---- */

static const struct gw_row rows[] = {
    {GW_FACT_SESSION_ID, "context.session"},
    {GW_FACT_SESSION_ID, "session"},
    {GW_FACT_CONTEXT, "context"},
    {GW_FACT_PAGE_URL, "context.page.url"},
    {GW_FACT_NAME, "event"},
    {GW_FACT_TYPE, "event"},
};
static const struct gw_form form = {.rows = rows, .n_rows = ARRAY_SIZE(rows)};

static void test_table(void **state)
{
    static const struct {
        const char *event, *session, *context, *url, *name, *fault;
    } cases[] = {
        {"{}", "", "", "", "", NULL},
        {"{\"session\":\"a\"}", "\"a\"", "", "", "", NULL},
        /* the first row that is there counts, wherever it stands */
        {"{\"session\":\"a\",\"context\":{\"session\":\"b\"}}", "\"b\"", "{\"session\":\"b\"}", "",
         "", NULL},
        {"{\"context\":{\"session\":\"b\"},\"session\":\"a\"}", "\"b\"", "{\"session\":\"b\"}", "",
         "", NULL},
        {"{\"context\":{\"session\":null},\"session\":\"a\"}", "\"a\"", "{\"session\":null}", "",
         "", NULL},
        /* of a member that is given twice the last */
        {"{\"session\":1,\"session\":2}", "2", "", "", "", NULL},
        {"{\"context\": {\"page\" : {\"x\":[],\"url\":5 } } }", "",
         "{\"page\" : {\"x\":[],\"url\":5 } }", "5", "", NULL},
        {"{\"context\":[{\"page\":1}]}", "", "[{\"page\":1}]", "", "", NULL},
        {"{\"ev\\u0065nt\":\"x\",\"other\":{\"event\":1}}", "", "", "", "\"x\"", NULL},
        {"{\"event\":\"x\"}}", "", "", "", "", "invalid_json"},
        {"{\"event\":\"x\",\"other\":tru}", "", "", "", "", "invalid_json"},
        {"{\"event\":\"x\",\"other\":\"\xff\"}", "", "", "", "", "invalid_json"},
        {"[]", "", "", "", "", "wrong_type"},
        {"nul", "", "", "", "", "invalid_json"},
        {"", "", "", "", "", "invalid_json"},
    };
    struct arena *arena = arena_create(1 << 20);
    const struct gw_form_index *index = gw_form_index(&form, arena);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gw_facts facts;
        struct gw_faults faults = {.n = 0};
        bool read = gw_form_read(index, slice_str(cases[i].event), &facts, &faults, arena);
        assert_case(cases[i].event, read == !cases[i].fault);
        if (!read) {
            assert_case(cases[i].event, strcmp(faults.list[0].code, cases[i].fault) == 0);
            continue;
        }
        assert_case(cases[i].event,
                    slice_equal_str(facts.at[GW_FACT_SESSION_ID], cases[i].session));
        assert_case(cases[i].event, slice_equal_str(facts.at[GW_FACT_CONTEXT], cases[i].context));
        assert_case(cases[i].event, slice_equal_str(facts.at[GW_FACT_PAGE_URL], cases[i].url));
        assert_case(cases[i].event, slice_equal_str(facts.at[GW_FACT_NAME], cases[i].name));
        assert_case(cases[i].event, slice_equal(facts.at[GW_FACT_NAME], facts.at[GW_FACT_TYPE]));
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
