/* Paths, stages, names, amounts, engagement: each as a truth table in a text file. */
#include "domain/engagement.h"
#include "domain/money.h"
#include "domain/path.h"
#include "domain/session.h"
#include "domain/text.h"
#include "truth.h"

#include <math.h>
#include <string.h>

static struct arena *arena;

static void check_path(const struct truth *t)
{
    const char *path = path_choose(t->columns[0], t->columns[1], strcmp(t->columns[2], "yes") == 0);
    assert_case(t->line, strcmp(path, t->columns[3]) == 0);
}

static void test_path(void **state)
{
    truth_each("path.txt", check_path);
    assert_string_equal(path_device("mobile"), "mobile");
    assert_string_equal(path_device("fridge"), "desktop");
    assert_string_equal(path_device(""), "desktop");
}

/* ---- stages ---- */

static const uint8_t tenant[16] = {1};
static const struct session_moment moment = {.time_us = 1000, .received_us = 2000};

static struct session session_in(const char *stage)
{
    struct session s = {.session_id = "s1", .stage = stage_parse(stage), .path = ""};
    memcpy(s.tenant, tenant, sizeof(tenant));
    s.exit_point = s.last_item = "";
    return s;
}

static void check_stage(const struct truth *t)
{
    static const char *const verdicts[] = {
        [SESSION_DONE] = "moved", [SESSION_SAME] = "same", [SESSION_ILLEGAL] = "illegal"};
    struct session s = session_in(t->columns[0]);
    struct session_outcome outcome = {0};
    enum stage to = stage_parse(t->columns[1]), from = s.stage;
    enum session_verdict verdict = session_move(&s, to, &moment, &outcome);
    assert_case(t->line, strcmp(verdicts[verdict], t->columns[2]) == 0);
    assert_case(t->line, s.stage == (verdict == SESSION_DONE ? to : from));
    assert_case(t->line, s.total_touchpoints == (verdict != SESSION_ILLEGAL));
    assert_case(t->line, outcome.n_facts == (verdict != SESSION_ILLEGAL));
    if (verdict == SESSION_SAME)
        assert_case(t->line, outcome.facts[0].kind == SESSION_TOUCHPOINT);
    if (verdict == SESSION_DONE)
        assert_case(t->line,
                    outcome.facts[0].kind == SESSION_MOVED && outcome.facts[0].previous == from);
}

static void test_stages_by_command(void **state)
{
    truth_each("stages.txt", check_stage);
    assert_int_equal(stage_parse("Awareness"), STAGE_NONE);
    assert_int_equal(stage_parse(""), STAGE_NONE);
}

static void check_behaviour(const struct truth *t)
{
    struct session s = session_in(t->columns[0]);
    struct session_outcome outcome = {0};
    enum stage from = s.stage, to = stage_parse(t->columns[2]);
    session_event(&s, &session_default_rules, t->columns[1], NULL, &moment, &outcome);
    assert_case(t->line, s.stage == to);
    assert_case(t->line,
                outcome.facts[0].kind == SESSION_TOUCHPOINT && outcome.facts[0].sequence == 1);
    assert_case(t->line, outcome.n_facts == (from == to ? 1U : 2U));
    if (from != to)
        assert_case(t->line,
                    outcome.facts[1].kind == SESSION_MOVED && outcome.facts[1].sequence == 2);
}

static void test_stages_by_behaviour(void **state)
{
    truth_each("behaviour.txt", check_behaviour);
}

/* ---- texts ---- */

static void check_name(const struct truth *t)
{
    assert_case(t->line, strcmp(text_snake(arena, t->columns[0], 50), t->columns[1]) == 0);
}

static void test_names(void **state)
{
    truth_each("names.txt", check_name);
}

static void test_cut(void **state)
{
    static const struct {
        const char *text, *cut;
        size_t max;
    } cases[] = {
        {"", "", 3},
        {"abc", "abc", 3},
        {"abcd", "abc", 3},
        {"äöüß", "äöü", 3},
        {"日本語文", "日本語", 3},
        {"a\xff"
         "bc",
         "a\xef\xbf\xbd"
         "b",
         3},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 9},
        {"ab\xc3", "ab\xef\xbf\xbd", 9},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].text,
                    strcmp(text_cut(arena, cases[i].text, cases[i].max), cases[i].cut) == 0);
    assert_string_equal(text_cut(arena, NULL, 3), "");
    assert_string_equal(text_cut_slice(arena, slice_make("a\0b", 3), 9), "ab");
}

/* ---- numbers ---- */

static void check_money(const struct truth *t)
{
    char text[MONEY_TEXT_SIZE] = "";
    int64_t cents;
    int status = money_parse(&cents, slice_str(t->columns[0]));
    if (status == 0)
        money_format(text, cents);
    const char *result = status == ERR_INVALID     ? "invalid"
                         : status == ERR_TOO_LARGE ? "too_large"
                                                   : text;
    assert_case(t->line, strcmp(result, t->columns[1]) == 0);
}

static void test_money(void **state)
{
    truth_each("money.txt", check_money);
}

static double number(const char *text)
{
    return strcmp(text, "-") == 0 ? -1 : strtod(text, NULL);
}

static void check_engagement(const struct truth *t)
{
    const struct engagement e = {number(t->columns[0]), number(t->columns[1]),
                                 (int64_t)number(t->columns[2]), number(t->columns[3])};
    double score = engagement_score(&e), expected = number(t->columns[4]);
    assert_case(t->line, fabs(score - expected) < 1e-12 && score <= 1);
}

static void test_engagement(void **state)
{
    truth_each("engagement.txt", check_engagement);
    const struct engagement none = ENGAGEMENT_NONE, odd = {NAN, NAN, -1, -1},
                            large = {1e300, 7, INT64_MAX, -1};
    assert_int_equal(engagement_seconds(&none), -1);
    assert_int_equal(engagement_clicks(&none), -1);
    assert_true(engagement_scroll(&none) < 0);
    assert_true(engagement_score(&odd) < 0);
    assert_int_equal(engagement_seconds(&large), INT32_MAX);
    assert_int_equal(engagement_clicks(&large), INT32_MAX);
    assert_true(engagement_scroll(&large) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path),       cmocka_unit_test(test_stages_by_command),
        cmocka_unit_test(test_names),      cmocka_unit_test(test_stages_by_behaviour),
        cmocka_unit_test(test_cut),        cmocka_unit_test(test_money),
        cmocka_unit_test(test_engagement),
    };
    arena = arena_create(1 << 20);
    int failed = cmocka_run_group_tests_name("journey-state rules", tests, NULL, NULL);
    arena_destroy(&arena);
    return failed;
}
