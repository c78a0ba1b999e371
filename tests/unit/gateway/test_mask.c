/* Personal data: what is found and what is not, by a table; and what holds for any text, by made-up ones. */
#include "domain/mask.h"
#include "domain/pii.h"
#include "json.h"
#include "table.h"
#include "test.h"

struct state {
    struct gw_masker *masker;
    struct arena *arena;
};

static void each_row(const struct table_row *row, void *user)
{
    struct state *s = user;
    const char *as = row->columns[0], *text = row->columns[1], *expected = row->columns[2];
    if (*as == '=')
        return;
    struct gw_masked masked;
    int r;
    bool same = strcmp(expected, "same") == 0;
    if (strcmp(as, "text") == 0)
        r = gw_mask_text(s->masker, slice_str(text), &masked, s->arena);
    else
        r = gw_mask_json(s->masker, slice_str(text),
                         slice_str(strncmp(as, "allow:", 6) ? "" : as + 6), &masked, s->arena);
    assert_row(row, r == 0);
    if (!slice_equal_str(masked.json, same ? text : expected))
        fail_msg("%s:%d: %.*s", row->file, row->line, (int)masked.json.size,
                 (const char *)masked.json.data);
    assert_row(row, masked.changed == !same);
    arena_reset(s->arena);
}

static void test_table(void **state)
{
    table_each_of("gateway/mask.txt", 3, each_row, *state);
}

static void test_findings_are_counted(void **state)
{
    struct state *s = *state;
    struct gw_masked masked;
    assert_int_equal(
        gw_mask_json(s->masker,
                     SLICE_LITERAL("{\"a\":\"x@y.de z@y.de\",\"zip\":1234,\"iban\":\"q\"}"),
                     SLICE_LITERAL(""), &masked, s->arena),
        0);
    assert_int_equal(masked.found[GW_PERSONAL_EMAIL], 2);
    assert_int_equal(masked.found[GW_PERSONAL_ADDRESS], 1);
    assert_int_equal(masked.found[GW_PERSONAL_IBAN], 1);
    assert_int_equal(masked.found[GW_PERSONAL_PHONE], 0);
}

static void test_a_full_arena(void **state)
{
    struct state *s = *state;
    struct gw_masked masked;
    struct arena *small = arena_create(64);
    assert_int_equal(gw_mask_json(s->masker,
                                  SLICE_LITERAL("[\"a@b.de\",\"c@b.de\",\"d@b.de\",\"e@b.de\"]"),
                                  SLICE_LITERAL(""), &masked, small),
                     ERR_NO_MEMORY);
    arena_destroy(&small);
}

/* With more findings than a text may have, and when a pattern reaches its limit, all of the text goes. */
static void test_too_much_is_personal_as_a_whole(void **state)
{
    struct state *s = *state;
    struct buf text = {0};
    struct gw_masked masked;
    struct gw_find finds[GW_FINDS_MAX];
    struct gw_pii *pii = NULL;
    for (int i = 0; i <= GW_FINDS_MAX; i++)
        buf_printf(&text, "a%d@b.de ", i);
    assert_int_equal(gw_mask_text(s->masker, buf_slice(&text), &masked, s->arena), 0);
    assert_true(slice_equal_str(masked.json, "[email]"));
    assert_int_equal(gw_pii_create(&pii, 1, NULL), 0);
    struct slice call = SLICE_LITERAL("call (0) +49 170 1234567x or +49 170 1234567");
    assert_int_equal(gw_pii_find(pii, call, false, finds), 1);
    assert_int_equal(finds[0].from, 0);
    assert_int_equal(finds[0].to, call.size);
    gw_pii_destroy(&pii);
    buf_deinit(&text);
}

/* ---- any text ---- */

static const char *const pieces[] = {"ann@example.com",
                                     "a",
                                     " ",
                                     "-",
                                     ".",
                                     "/",
                                     "+49 170 1234567",
                                     "4111 1111 1111 1111",
                                     "378282246310005",
                                     "DE89",
                                     "DE89370400440532013000",
                                     "219-09-9999",
                                     "AB123456C",
                                     "86095742719",
                                     "12345678Z",
                                     "203.0.113.7",
                                     "::1",
                                     "2001:db8::8a2e:370:7334",
                                     "%40",
                                     "%25",
                                     "%",
                                     "=",
                                     "?email=",
                                     "&first_name=",
                                     "@",
                                     "@b.de",
                                     "0",
                                     "7",
                                     "12",
                                     "0170",
                                     "(",
                                     ")",
                                     ":",
                                     "2026-01-02T03:04:05Z",
                                     "550e8400-e29b-41d4-a716-446655440000",
                                     "RSSMRA85T10A562S",
                                     "[email]",
                                     "\xc3\xbc",
                                     "\xc2\xa0",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     ",",
                                     "v",
                                     "x",
                                     "BSN 111222333",
                                     "06 12 34 56 78",
                                     "415-555-2671",
                                     "token="};
static const char *const keys[] = {"a",       "email",     "phone", "address",
                                   "version", "is_mobile", "zip",   "url"};

static void made_up_string(struct random *random, struct buf *text, int depth);

static void made_up_value(struct random *random, struct buf *text, int depth)
{
    unsigned kind = (unsigned)(random_next(random) % 10);
    if (depth == 0 && kind >= 8)
        kind -= 4;
    struct json_writer w = json_writer_make(text);
    if (kind == 0) {
        buf_append_str(text, "4111111111111111");
    } else if (kind == 1) {
        buf_printf(text, "%lld",
                   (long long)(random_next(random) >> (random_next(random) % 63 + 1)));
    } else if (kind == 2) {
        buf_append_str(text, "true");
    } else if (kind < 8) {
        struct buf inner = {0};
        made_up_string(random, &inner, depth);
        json_write_slice(&w, buf_slice(&inner));
        buf_deinit(&inner);
    } else {
        unsigned n = (unsigned)(random_next(random) % 4);
        buf_append_byte(text, kind == 8 ? '{' : '[');
        for (unsigned i = 0; i < n; i++) {
            buf_append_str(text, i ? " ," : " ");
            if (kind == 8)
                buf_printf(text, "\"%s\" :", keys[random_next(random) % ARRAY_SIZE(keys)]);
            made_up_value(random, text, depth - 1);
        }
        buf_append_byte(text, kind == 8 ? '}' : ']');
    }
}

static void made_up_string(struct random *random, struct buf *text, int depth)
{
    unsigned n = (unsigned)(random_next(random) % 8);
    if (depth > 0 && random_next(random) % 6 == 0) {
        made_up_value(random, text, depth - 1);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        buf_append_str(text, pieces[random_next(random) % ARRAY_SIZE(pieces)]);
}

static size_t mark_at(struct slice text, size_t at)
{
    static const char *const marks[] = {
#define MARK(id, mark) mark,
        GW_PERSONAL_TABLE(MARK)
#undef MARK
    };
    for (unsigned k = 0; k < ARRAY_SIZE(marks); k++)
        if (text.size - at >= strlen(marks[k]) &&
            memcmp(text.data + at, marks[k], strlen(marks[k])) == 0)
            return strlen(marks[k]);
    return 0;
}

#define CUT_MAX 300

/* Whether masked is the text with marks in place of some of its bytes; quotes beside a mark may be its own.
 * fits[i][t]: what is left of masked from i is so made from what is left of the text from t. */
static bool is_cut_from(struct slice masked, struct slice text)
{
    static bool fits[CUT_MAX + 1][CUT_MAX + 1];
    for (size_t i = masked.size + 1; i-- > 0;) {
        size_t mark = i < masked.size ? mark_at(masked, i) : 0;
        bool own = i < masked.size && (masked.data[i] == '"' || masked.data[i] == '\\');
        for (size_t t = text.size + 1; t-- > 0;) {
            bool fit = i == masked.size && t == text.size;
            fit = fit || (i < masked.size && t < text.size && masked.data[i] == text.data[t] &&
                          fits[i + 1][t + 1]);
            fit = fit || (own && fits[i + 1][t]);
            for (size_t after = t; mark && !fit && after <= text.size; after++)
                fit = fits[i + mark][after];
            fits[i][t] = fit;
        }
    }
    return fits[0][0];
}

static void test_of_any_text(void **state)
{
    struct state *s = *state;
    for (unsigned seed = 1; seed <= 20000; seed++) {
        struct random random = {seed};
        struct buf text = {0};
        struct gw_masked once, twice;
        const struct json_node *root;
        made_up_value(&random, &text, 3);
        assert_int_equal(
            gw_mask_json(s->masker, buf_slice(&text), SLICE_LITERAL(""), &once, s->arena), 0);
        if (json_parse(&root, once.json, s->arena, NULL) < 0)
            fail_msg("seed %u: no JSON: %.*s\nfrom %.*s", seed, (int)once.json.size,
                     (const char *)once.json.data, (int)text.size, (const char *)text.data);
        assert_int_equal(gw_mask_json(s->masker, once.json, SLICE_LITERAL(""), &twice, s->arena),
                         0);
        if (twice.changed)
            fail_msg("seed %u: found again: %.*s\nthen %.*s\nfrom %.*s", seed, (int)once.json.size,
                     (const char *)once.json.data, (int)twice.json.size,
                     (const char *)twice.json.data, (int)text.size, (const char *)text.data);
        if (!once.changed)
            assert_true(slice_equal(once.json, buf_slice(&text)));
        else if (once.json.size <= CUT_MAX && text.size <= CUT_MAX &&
                 !is_cut_from(once.json, buf_slice(&text)))
            fail_msg("seed %u: other bytes: %.*s\nfrom %.*s", seed, (int)once.json.size,
                     (const char *)once.json.data, (int)text.size, (const char *)text.data);
        buf_deinit(&text);
        arena_reset(s->arena);
    }
}

/* Bytes that are no JSON at all are read, not trusted. */
static void test_of_any_bytes(void **state)
{
    struct state *s = *state;
    static const char letters[] = "\"\\{}[]:,@%40123456789+-. ue\x80\xc2\xa0=?&";
    for (unsigned seed = 1; seed <= 20000; seed++) {
        struct random random = {seed};
        struct gw_masked masked;
        size_t size = random_next(&random) % 64;
        uint8_t *bytes = malloc(size + 1); /* of just this size, so that a step beyond is seen */
        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)letters[random_next(&random) % (sizeof(letters) - 1)];
        struct slice text = slice_make(bytes, size);
        assert_int_equal(gw_mask_json(s->masker, text, SLICE_LITERAL("a.b"), &masked, s->arena), 0);
        assert_int_equal(gw_mask_text(s->masker, text, &masked, s->arena), 0);
        free(bytes);
        arena_reset(s->arena);
    }
}

static void test_addresses_are_cut(void **state)
{
    struct state *s = *state;
    static const char *const cases[][2] = {
        {"203.0.113.7", "203.0.113.0"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1::"},
        {"::ffff:203.0.113.7", "203.0.113.0"},
        {"2001:db8::1", "2001:db8::"},
        {"", ""},
        {"203.0.113", ""},
        {"203.0.113.7:80", ""},
        {"x", ""},
        {"203.0.113.7 ", ""},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice cut = gw_address_cut(slice_str(cases[i][0]), s->arena);
        if (!slice_equal_str(cut, cases[i][1]))
            fail_msg("%s: %.*s", cases[i][0], (int)cut.size, (const char *)cut.data);
    }
    assert_int_equal(gw_address_cut(slice_make("1.2.3.4\0", 8), s->arena).size, 0);
}

static int setup(void **state)
{
    static struct state s;
    s.arena = arena_create((size_t)16 << 20);
    *state = &s;
    return s.arena && gw_masker_create(&s.masker, NULL) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    struct state *s = *state;
    gw_masker_destroy(&s->masker);
    arena_destroy(&s->arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_findings_are_counted),
        cmocka_unit_test(test_a_full_arena),
        cmocka_unit_test(test_too_much_is_personal_as_a_whole),
        cmocka_unit_test(test_of_any_text),
        cmocka_unit_test(test_of_any_bytes),
        cmocka_unit_test(test_addresses_are_cut),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
