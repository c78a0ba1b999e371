/* Sessions without consent to analytics: known by their pseudonym, and gone within 48 hours. */
#include "say.h"

#include "borrow.h"
#include "domain/session.h"
#include "tables.h"

static struct rig *rig;
static Journey__V1__ConsentStamp none, analytics;
static char *granted[1];

static int setup(void **state)
{
    rig = rig_create(&journey_state_service);
    journey__v1__consent_stamp__init(&none);
    journey__v1__consent_stamp__init(&analytics);
    granted[0] = borrow_text("analytics");
    analytics.granted = granted;
    analytics.n_granted = 1;
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(&rig);
    return 0;
}

static void accept(const char *name, const char *properties, Journey__V1__ConsentStamp *consent)
{
    Journey__V1__Accepted *a = rig_event(rig, "s1", name, properties);
    a->consent = consent;
    a->pseudonymous = consent == &none;
    if (consent == &analytics)
        a->event->user = borrow_id(rig_user);
    rig_accept(rig, a);
}

static void expect(unsigned pseudonymous, unsigned others)
{
    assert_int_equal(rig_count(rig, &pseudonymous_touchpoints_table), pseudonymous);
    assert_int_equal(rig_count(rig, &touchpoints_table), others);
}

static void test_rows_go_within_48_hours(void **state)
{
    accept("Newsletter Read", NULL, &none);
    accept("Order Completed", "{\"order_id\":\"o1\",\"revenue\":5}", &none);
    expect(3, 0); /* and the move */
    assert_int_equal(rig_count(rig, &conversions_table), 1);
    assert_int_equal(rig_status(rig_ask(rig, rig_touchpoint(rig, "s1", "interaction", "{}"))), 201);
    expect(4, 0);
    rig_pass(rig, 30 * HOUR_US);
    accept("Newsletter Read", NULL, &none); /* a late sign of life */
    rig_pass(rig, 20 * HOUR_US);
    assert_non_null(rig_row(rig, &sessions_table, "s1"));
    rig_pass(rig, 28 * HOUR_US);
    assert_null(rig_row(rig, &sessions_table, "s1"));
    assert_int_equal(rig_count(rig, &conversions_table), 0);
    assert_true(rig_counter(rig, "journey_sessions_forgotten") == 1);
    assert_true(rig_counter(rig, "journey_touchpoint_events") == 5); /* counts stay */
    accept("Newsletter Read", NULL, &none);                          /* begins anew */
    assert_non_null(rig_row(rig, &sessions_table, "s1"));
}

static void test_more_conversions_than_are_remembered(void **state)
{
    for (unsigned i = 0; i < SESSION_CONVERSIONS + 2; i++)
        accept("Order Completed",
               arena_printf(rig->arena, "{\"order_id\":\"o%u\",\"revenue\":5}", i), &none);
    assert_int_equal(rig_count(rig, &conversions_table), SESSION_CONVERSIONS);
    rig_pass(rig, 48 * HOUR_US);
    assert_int_equal(rig_count(rig, &conversions_table), 0);
}

static void test_consent_given_during_the_session(void **state)
{
    accept("Newsletter Read", NULL, &none);
    accept("Newsletter Read", NULL, &analytics);
    expect(1, 1);
    assert_false(rig_row(rig, &sessions_table, "s1")[SESSIONS_USER_ID].null);
    rig_pass(rig, 60 * HOUR_US);
    assert_non_null(rig_row(rig, &sessions_table, "s1"));
}

static void test_consent_withdrawn_during_the_session(void **state)
{
    const Journey__V1__Touchpoint *said[RIG_MAX];
    accept("Newsletter Read", NULL, &analytics);
    assert_false(rig_row(rig, &sessions_table, "s1")[SESSIONS_USER_ID].null);
    accept("Newsletter Read", NULL, &none);
    expect(1, 1);
    assert_true(rig_row(rig, &sessions_table, "s1")[SESSIONS_USER_ID].null);
    assert_int_equal(rig_touchpoints(rig, said), 2);
    assert_int_equal(said[0]->user.len, 16);
    assert_int_equal(said[1]->user.len, 0);
    rig_pass(rig, 48 * HOUR_US);
    assert_null(rig_row(rig, &sessions_table, "s1"));
}

static void test_a_start_without_consent(void **state)
{
    Journey__V1__Command *start = rig_start(rig, "s1", "mobile", "google");
    start->consent = &none;
    assert_int_equal(rig_status(rig_ask(rig, start)), 200);
    assert_int_equal(rig_status(rig_ask(rig, rig_touchpoint(rig, "s1", "interaction", "{}"))), 201);
    expect(1, 0);
    Journey__V1__Command *page = rig_command(rig, "s1");
    Journey__V1__ListTouchpoints list;
    journey__v1__list_touchpoints__init(&list);
    page->read_only = true;
    page->body_case = JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS;
    page->list_touchpoints = &list;
    const char *json = rig_part(rig_ask(rig, page), "page");
    assert_non_null(strstr(json, "\"touchpoint_sequence\":1"));
    rig_pass(rig, 48 * HOUR_US);
    assert_null(rig_row(rig, &sessions_table, "s1"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_rows_go_within_48_hours),
        TEST(test_more_conversions_than_are_remembered),
        TEST(test_consent_given_during_the_session),
        TEST(test_consent_withdrawn_during_the_session),
        TEST(test_a_start_without_consent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
