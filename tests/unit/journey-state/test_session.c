/* The session as a fold: whatever happens in whatever order, what it says of itself is what it did. */
#include "domain/session.h"
#include "record.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 300
#define STEPS 200

static struct arena *arena;

/* What an outsider who hears the facts knows. */
struct listener {
    int32_t touchpoints, conversions;
    bool started, ended;
    enum stage stage;
};

static void hear(struct listener *l, const struct session_outcome *outcome)
{
    for (unsigned i = 0; i < outcome->n_facts; i++) {
        const struct session_fact *f = &outcome->facts[i];
        switch (f->kind) {
        case SESSION_STARTED:
            l->started = true;
            l->ended = false;
            l->stage = f->stage;
            break;
        case SESSION_REOPENED:
            assert_true(l->ended);
            l->ended = false;
            break;
        case SESSION_TOUCHPOINT:
            assert_int_equal(f->sequence, l->touchpoints + 1);
            l->touchpoints++;
            break;
        case SESSION_MOVED:
            assert_int_equal(f->sequence, l->touchpoints + 1);
            assert_int_equal(f->previous, l->stage);
            assert_int_not_equal(f->stage, l->stage);
            l->touchpoints++;
            l->stage = f->stage;
            break;
        case SESSION_CONVERTED:
            l->conversions++;
            break;
        case SESSION_ENDED:
            assert_false(l->ended);
            l->ended = true;
            break;
        }
        assert_int_equal(f->sequence, l->touchpoints);
        assert_int_equal(f->stage, l->stage);
    }
}

static void check(const struct session *s, const struct listener *l)
{
    assert_int_equal(s->total_touchpoints, l->touchpoints);
    assert_int_equal(s->conversions, l->conversions);
    assert_int_equal(s->stage, l->stage);
    assert_int_equal(s->end_us != 0, l->ended);
    assert_true(!s->ended_by_command || s->end_us);
    assert_true(s->start_us <= s->last_us);
    assert_true(session_seconds(s) >= 0);
    assert_true(s->n_orders <= SESSION_ORDERS && s->n_recent <= SESSION_CONVERSIONS);
}

static const struct session_profile profile = {.persona_type = "GeneralVisitor",
                                               .persona_confidence = .5,
                                               .device_type = "mobile",
                                               .device_fingerprint = "",
                                               .device_context = "",
                                               .entry_point = "",
                                               .entry_source = "tiktok",
                                               .utm_data = "",
                                               .referrer_data = "",
                                               .intent_signals = "",
                                               .returning_visitor = ""};

static void step(struct session *s, struct random *random, struct listener *l, int64_t *now)
{
    static const char *const events[] = {"Product Viewed", "Product Added", "Order Completed",
                                         "Other"};
    static const char *const orders[] = {"", "o1", "o2", "o3"};
    const struct session_rules *rules = &session_default_rules;
    struct session_outcome outcome = {0};
    uint64_t dice = random_next(random);
    *now += (int64_t)(dice >> 40) % (5 * MINUTE_US);
    const struct session_moment moment = {.time_us = *now - (int64_t)(dice >> 20) % MINUTE_US,
                                          .received_us = *now};
    const struct session_goal goal = {
        .type = "purchase", .currency = "EUR", .cents = 100, .order_id = orders[dice >> 8 & 3]};
    const char *event = events[dice >> 10 & 3];
    bool over = s->ended_by_command;
    enum session_verdict verdict = SESSION_DONE;
    switch (dice & 7) {
    case 0:
        verdict = session_move(s, (enum stage)((dice >> 12) % STAGE_COUNT), &moment, &outcome);
        break;
    case 1:
        verdict = session_convert(s, rules, &goal, &moment, &outcome);
        break;
    case 2:
        if (dice >> 13 & 3)
            session_idle(s, *now, &outcome);
        else
            verdict = session_end(s, "", &moment, &outcome);
        break;
    case 3:
        verdict = session_touch(s, rules, event, &moment, &outcome);
        break;
    case 4:
        (void)session_start(s, rules, &profile, &moment, &outcome);
        break;
    default:
        session_event(s, rules, event, (dice >> 10 & 3) == 2 ? &goal : NULL, &moment, &outcome);
    }
    assert_true(verdict != SESSION_OVER || over);
    if (verdict == SESSION_OVER || verdict == SESSION_ILLEGAL)
        assert_int_equal(outcome.n_facts, 0);
    hear(l, &outcome);
}

static void test_fold(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random random = {seed};
        struct session s = {.session_id = "s1"};
        struct listener l = {0};
        struct session_outcome outcome = {0};
        int64_t now = 1700000000 * SECOND_US;
        const struct session_moment moment = {.time_us = now, .received_us = now};
        session_open(&s, &session_default_rules, &profile, &moment, seed & 1, &outcome);
        hear(&l, &outcome);
        assert_true(l.started);
        for (int i = 0; i < STEPS; i++) {
            struct session copy;
            step(&s, &random, &l, &now);
            check(&s, &l);
            /* nothing is lost on the way through its record */
            const Journey__V1__SessionRecord *record = record_write(&s, NULL, NULL, arena);
            size_t size = journey__v1__session_record__get_packed_size(record);
            uint8_t *bytes = arena_alloc(arena, size + 1);
            journey__v1__session_record__pack(record, bytes);
            record_read(&copy, record_decode(slice_make(bytes, size), arena));
            record = record_write(&copy, NULL, NULL, arena);
            uint8_t *again = arena_alloc(arena, size + 1);
            assert_int_equal(journey__v1__session_record__get_packed_size(record), size);
            journey__v1__session_record__pack(record, again);
            assert_memory_equal(bytes, again, size);
            arena_reset(arena);
        }
    }
}

static void open_at(struct session *s, int64_t time_us, struct session_outcome *outcome)
{
    const struct session_moment moment = {.time_us = time_us, .received_us = time_us};
    *s = (struct session){.session_id = "s1"};
    session_open(s, &session_default_rules, &profile, &moment, true, outcome);
    *outcome = (struct session_outcome){0};
}

static const struct session_goal order = {
    .type = "purchase", .currency = "EUR", .cents = 1999, .order_id = "o1"};

static void test_order_counts_once(void **state)
{
    struct session s;
    struct session_outcome outcome = {0}, again = {0}, elsewhere = {0};
    const struct session_moment moment = {.time_us = HOUR_US, .received_us = HOUR_US};
    open_at(&s, HOUR_US, &outcome);
    session_event(&s, &session_default_rules, "Order Completed", &order, &moment, &outcome);
    assert_true(outcome.counted);
    assert_int_equal(outcome.n_facts, 3); /* touchpoint, conversion, move */
    assert_int_equal(outcome.facts[1].kind, SESSION_CONVERTED);
    session_event(&s, &session_default_rules, "Order Completed", &order, &moment, &again);
    assert_false(again.counted);
    assert_int_equal(again.n_facts, 1);
    assert_memory_equal(again.conversion_id, outcome.conversion_id, 16);
    assert_int_equal(s.conversions, 1);
    assert_int_equal(s.total_touchpoints, 3);

    struct session_goal counted = order;
    counted.counted = true;
    open_at(&s, HOUR_US, &again);
    session_event(&s, &session_default_rules, "Order Completed", &counted, &moment, &elsewhere);
    assert_false(elsewhere.counted);
    assert_int_equal(s.conversions, 0);
    assert_int_equal(s.stage, STAGE_CONVERSION);
}

static void test_more_orders_than_remembered(void **state)
{
    struct session s;
    struct session_outcome outcome = {0};
    char id[16];
    struct session_goal goal = order;
    goal.order_id = id;
    open_at(&s, HOUR_US, &outcome);
    const struct session_moment moment = {.time_us = HOUR_US, .received_us = HOUR_US};
    for (int i = 0; i < 2 * SESSION_ORDERS; i++) {
        struct session_outcome o = {0};
        (void)snprintf(id, sizeof(id), "o%d", i);
        session_event(&s, &session_default_rules, "Order Completed", &goal, &moment, &o);
        assert_true(o.counted);
        o = (struct session_outcome){0};
        session_event(&s, &session_default_rules, "Order Completed", &goal, &moment, &o);
        assert_false(o.counted);
    }
    assert_int_equal(s.conversions, 2 * SESSION_ORDERS);
}

static void test_idle(void **state)
{
    struct session s;
    struct session_outcome outcome = {0};
    open_at(&s, HOUR_US, &outcome);
    const struct session_moment later = {.time_us = HOUR_US + 90 * SECOND_US,
                                         .received_us = HOUR_US + 100 * SECOND_US};
    session_event(&s, &session_default_rules, "Other", NULL, &later, &outcome);
    outcome = (struct session_outcome){0};
    session_idle(&s, HOUR_US + 30 * MINUTE_US, &outcome);
    assert_int_equal(outcome.n_facts, 0); /* early: it was seen since */
    session_idle(&s, session_idle_at(&s), &outcome);
    assert_int_equal(outcome.n_facts, 1);
    assert_int_equal(outcome.facts[0].kind, SESSION_ENDED);
    assert_int_equal(s.end_us, later.time_us + 30 * MINUTE_US);
    assert_int_equal(session_seconds(&s), 90);
    assert_false(s.ended_by_command);
    /* a command reopens it */
    outcome = (struct session_outcome){0};
    assert_int_equal(session_move(&s, STAGE_DECISION, &later, &outcome), SESSION_DONE);
    assert_int_equal(outcome.facts[0].kind, SESSION_REOPENED);
    assert_int_equal(s.end_us, 0);
}

static void test_end(void **state)
{
    struct session s;
    struct session_outcome outcome = {0};
    open_at(&s, HOUR_US, &outcome);
    struct session_moment end = {.time_us = 2 * HOUR_US, .received_us = 2 * HOUR_US}, event = end;
    assert_int_equal(session_end(&s, "\"checkout\"", &end, &outcome), SESSION_DONE);
    assert_int_equal(s.end_us, 2 * HOUR_US);
    assert_int_equal(session_seconds(&s), 3600);
    assert_int_equal(session_end(&s, "", &end, &outcome), SESSION_OVER);
    assert_int_equal(session_touch(&s, &session_default_rules, "", &end, &outcome), SESSION_OVER);
    assert_int_equal(session_convert(&s, &session_default_rules, &order, &end, &outcome),
                     SESSION_OVER);
    assert_int_equal(session_move(&s, STAGE_DECISION, &end, &outcome), SESSION_OVER);
    assert_int_equal(session_start(&s, &session_default_rules, &profile, &end, &outcome),
                     SESSION_SAME);
    /* from before the end, but late */
    event.time_us -= SECOND_US;
    outcome = (struct session_outcome){0};
    session_event(&s, &session_default_rules, "Other", NULL, &event, &outcome);
    assert_int_equal(outcome.n_facts, 1);
    assert_int_equal(s.end_us, 2 * HOUR_US);
    assert_string_equal(s.exit_point, "\"checkout\"");
    /* after it */
    event.time_us = end.time_us + 1;
    outcome = (struct session_outcome){0};
    session_event(&s, &session_default_rules, "Other", NULL, &event, &outcome);
    assert_int_equal(outcome.facts[0].kind, SESSION_REOPENED);
    assert_int_equal(outcome.facts[1].sequence, 2);
    assert_int_equal(s.end_us, 0);
    assert_string_equal(s.exit_point, "");
}

static void test_end_before_its_start(void **state)
{
    struct session s;
    struct session_outcome outcome = {0};
    open_at(&s, HOUR_US, &outcome);
    const struct session_moment end = {.time_us = MINUTE_US, .received_us = 2 * HOUR_US};
    assert_int_equal(session_end(&s, "", &end, &outcome), SESSION_DONE);
    assert_int_equal(s.start_us, HOUR_US);
    assert_int_equal(s.end_us, HOUR_US);
    assert_int_equal(session_seconds(&s), 0);
}

static void test_start_completes(void **state)
{
    struct session s = {.session_id = "s1"};
    struct session_outcome outcome = {0};
    struct session_profile visitor = profile;
    struct session_moment moment = {.time_us = HOUR_US, .received_us = HOUR_US};
    visitor.device_type = "desktop";
    visitor.entry_source = "email";
    visitor.utm_data = "{\"source\":\"email\"}";
    session_open(&s, &session_default_rules, &visitor, &moment, false, &outcome);
    session_event(&s, &session_default_rules, "Product Added", NULL, &moment, &outcome);
    assert_string_equal(s.path, "standard_conversion_funnel");
    moment.time_us += MINUTE_US;
    outcome = (struct session_outcome){0};
    assert_int_equal(session_start(&s, &session_default_rules, &profile, &moment, &outcome),
                     SESSION_DONE);
    assert_string_equal(s.path, "mobile_tiktok_fast_track");
    assert_string_equal(s.profile.utm_data, "{\"source\":\"email\"}");
    assert_int_equal(s.total_touchpoints, 2);
    assert_int_equal(s.stage, STAGE_DECISION);
    assert_int_equal(s.start_us, HOUR_US);
    assert_int_equal(outcome.n_facts, 1);
    assert_int_equal(outcome.facts[0].kind, SESSION_STARTED);
    assert_int_equal(session_start(&s, &session_default_rules, &visitor, &moment, &outcome),
                     SESSION_SAME);
    assert_string_equal(s.path, "mobile_tiktok_fast_track");
}

static void test_retention(void **state)
{
    static const struct {
        const char *name;
        int64_t converted_us, at_us;
        enum stage stage;
    } cases[] = {
        {"never", 0, 1000 * DAY_US, STAGE_AWARENESS},
        {"just now", 1000 * DAY_US, 1000 * DAY_US, STAGE_RETENTION},
        {"a year ago", 635 * DAY_US, 1000 * DAY_US, STAGE_RETENTION},
        {"longer ago", 635 * DAY_US - 1, 1000 * DAY_US, STAGE_AWARENESS},
        {"only later", 1001 * DAY_US, 1000 * DAY_US, STAGE_AWARENESS},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct session s = {.session_id = "s1"};
        struct session_outcome outcome = {0};
        const uint8_t user[16] = {7};
        const struct session_moment moment = {.time_us = cases[i].at_us,
                                              .received_us = cases[i].at_us,
                                              .user = user,
                                              .seen_before = true,
                                              .converted_us = cases[i].converted_us};
        session_open(&s, &session_default_rules, &profile, &moment, true, &outcome);
        assert_case(cases[i].name, s.stage == cases[i].stage);
        assert_case(cases[i].name, s.converted_us == cases[i].converted_us && s.known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_order_counts_once),
        cmocka_unit_test(test_more_orders_than_remembered),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_end_before_its_start),
        cmocka_unit_test(test_start_completes),
        cmocka_unit_test(test_retention),
    };
    arena = arena_create(1 << 20);
    int failed = cmocka_run_group_tests_name("journey-state sessions", tests, NULL, NULL);
    arena_destroy(&arena);
    return failed;
}
