/* What a decision asks for happens, all of it or nothing; one service whose decisions each test gives. */
#include "rig/rig.h"

static const struct store_column columns[] = {{"tenant_id", STORE_UUID, 0},
                                              {"id", STORE_TEXT, 0},
                                              {"value", STORE_BIGINT, 0},
                                              {"hundreds", STORE_INT, STORE_COLUMN_SELDOM},
                                              {"tens", STORE_FLOAT, STORE_COLUMN_SELDOM},
                                              {"units", STORE_TEXT, STORE_COLUMN_SELDOM},
                                              {"state", STORE_BYTES, 0}};
static const struct store_column part_columns[] = {{"tenant_id", STORE_UUID, 0},
                                                   {"id", STORE_TEXT, 0},
                                                   {"sub", STORE_TIME, 0},
                                                   {"data", STORE_BYTES, 0}};
static const struct store_table things = {
    .name = "things", .columns = columns, .n_columns = 7, .n_key = 2};
static const struct store_table parts_table = {
    .name = "parts", .columns = part_columns, .n_columns = 4, .n_key = 3};

static void (*next_decision)(struct stream_decision *d, const struct stream_message *m);
static void (*next_due)(struct stream_decision *d, const struct stream_message *m);

static void project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values)
{
    int64_t value = ((const Journey__V1__TemplateRecord *)state)->value;
    values[2].i = value;
    values[3].i = value / 100;
    values[4].f = (double)(value / 10 % 10) / 10;
    values[5].null = value % 10 == 0;
    values[5].s = slice_str(arena_printf(arena, "%lld", (long long)value % 10));
}

static int key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
               struct err *err)
{
    memcpy(key->tenant, rig_tenant, 16);
    key->id = slice_str(((const Journey__V1__Command *)body)->subject);
    return STATUS_OK;
}

static void decide(struct stream_decision *d, const struct stream_message *m)
{
    next_decision(d, m);
}

static void due(struct stream_decision *d, const struct stream_message *m)
{
    next_due(d, m);
}

static const struct stream_parts parts = {.table = &parts_table, .keep_us = HOUR_US};
static const struct stream_state thing = {
    "thing", &things, &journey__v1__template_record__descriptor, project, due, &parts};
static const struct stream_state *const states[] = {&thing};
static const struct stream_input inputs[] = {{.topic = TOPIC_TEMPLATE_COMMANDS,
                                              .lane = BUS_LANE_COMMANDS,
                                              .type = &journey__v1__command__descriptor,
                                              .state = &thing,
                                              .key = key,
                                              .decide = decide}};
static const struct stream_counter counters[] = {{"things_total", NULL, "Things."},
                                                 {"refusals_total", NULL, "Refusals."}};
static const struct stream_service service = {.name = "sketch",
                                              .schema = "sketch",
                                              .inputs = inputs,
                                              .n_inputs = 1,
                                              .states = states,
                                              .n_states = 1,
                                              .counters = counters,
                                              .n_counters = 2};

static int ask(struct rig *rig,
               void (*decision)(struct stream_decision *, const struct stream_message *))
{
    next_decision = decision;
    return rig_status(rig_ask(rig, rig_command(rig, "a")));
}

static Journey__V1__TemplateRecord *make(struct stream_decision *d)
{
    Journey__V1__TemplateRecord *state = arena_alloc(d->arena, sizeof(*state));
    journey__v1__template_record__init(state);
    return state;
}

static void add_one(struct stream_decision *d, const struct stream_message *m)
{
    Journey__V1__TemplateRecord *state = d->state ? d->state : make(d);
    state->value++;
    stream_put_state(d, state);
    stream_count(d, 0, 1);
    stream_reply_part(d, 200, "value", "1");
}

static void remove_it(struct stream_decision *d, const struct stream_message *m)
{
    stream_put_state(d, NULL);
    stream_reply_part(d, 200, "value", "0");
}

static void refuse(struct stream_decision *d, const struct stream_message *m)
{
    Journey__V1__TemplateRecord *state = d->state;
    if (state)
        state->value = 1000;
    stream_put_state(d, state ? state : make(d));
    stream_put_part(d, d->now_us, SLICE_LITERAL("no"));
    stream_set_timer(d, "no", d->now_us);
    stream_count(d, 1, 1);
    stream_reply_part(d, 200, "value", "no");
    stream_reject(d, "invalid", "for a test");
}

static int64_t value(struct rig *rig)
{
    const struct store_value *row = rig_row(rig, &things, "a");
    return row ? row[2].i : -1;
}

/* In the same owner's memory, and read anew. */
static void state_is_removed_and_made_anew(void **state)
{
    struct rig *rig = rig_create(&service);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(ask(rig, add_one), 200);
        assert_int_equal(ask(rig, add_one), 200);
        assert_int_equal(value(rig), 2);
        if (round == 1)
            rig_restart(rig);
        assert_int_equal(ask(rig, remove_it), 200);
        assert_int_equal(value(rig), -1);
        if (round == 2)
            rig_restart(rig);
    }
    assert_int_equal(ask(rig, remove_it), 200); /* what is not there */
    assert_int_equal(ask(rig, add_one), 200);
    assert_int_equal(value(rig), 1);
    assert_string_equal(rig->alarm, "");
    rig_destroy(&rig);
}

/* Counters are kept, for a refusal is what they are to tell. */
static void refused_decision_leaves_only_its_counters(void **state)
{
    struct rig *rig = rig_create(&service);
    assert_int_equal(ask(rig, refuse), 400);
    assert_int_equal(value(rig), -1);
    assert_int_equal(ask(rig, add_one), 200);
    assert_int_equal(ask(rig, refuse), 400);
    assert_int_equal(ask(rig, add_one), 200);
    assert_int_equal(value(rig), 2);
    rig_pass(rig, MINUTE_US); /* no timer */
    assert_int_equal(rig_count(rig, &parts_table), 0);
    assert_int_equal(rig_said(rig, topic_dlq(TOPIC_TEMPLATE_COMMANDS)), 2);
    assert_true(rig_counter(rig, "things_total") == 2);
    assert_true(rig_counter(rig, "refusals_total") == 2);
    rig->alarm[0] = '\0'; /* the dead letters */
    rig_destroy(&rig);
}

static int64_t wanted;

static void set_wanted(struct stream_decision *d, const struct stream_message *m)
{
    Journey__V1__TemplateRecord *state = d->state ? d->state : make(d);
    state->value = wanted;
    stream_put_state(d, state);
    stream_reply_part(d, 200, "value", "1");
}

/* Those that seldom change are written when they do, each alone, and not otherwise forgotten. */
static void columns_say_what_the_state_says(void **state)
{
    static const int64_t values[] = {111, 211, 221, 222, 222, 220, 225,
                                     325, 325, 335, 335, 1,   0,   1};
    for (unsigned restarts = 0; restarts < 2; restarts++) {
        struct rig *rig = rig_create(&service);
        for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
            char units[2] = {(char)('0' + values[i] % 10), '\0'};
            wanted = values[i];
            if (restarts)
                rig_restart(rig);
            assert_int_equal(ask(rig, set_wanted), 200);
            const struct store_value *row = rig_row(rig, &things, "a");
            assert_int_equal(row[2].i, wanted);
            assert_int_equal(row[3].i, wanted / 100);
            assert_true(row[4].f == (double)(wanted / 10 % 10) / 10);
            assert_int_equal(row[5].null, wanted % 10 == 0);
            assert_true(row[5].null || slice_equal_str(row[5].s, units));
        }
        rig_destroy(&rig);
    }
}

static int64_t seen_at[8];
static unsigned n_seen;

static void put_part(struct stream_decision *d, const struct stream_message *m)
{
    n_seen = 0;
    for (unsigned i = 0; i < d->n_parts && i < ARRAY_SIZE(seen_at); i++)
        seen_at[n_seen++] = d->parts[i].sub;
    stream_put_state(d, d->state ? d->state : make(d));
    stream_put_part(d, d->now_us, SLICE_LITERAL("part"));
    stream_reply_part(d, 200, "value", "1");
}

/* Whether they were kept in memory or are read: those of the last hour, in their order. */
static void parts_are_seen_as_long_as_they_are_kept(void **state)
{
    for (unsigned restarts = 0; restarts < 2; restarts++) {
        struct rig *rig = rig_create(&service);
        int64_t put_at[6];
        for (unsigned i = 0; i < ARRAY_SIZE(put_at); i++) {
            if (restarts)
                rig_restart(rig);
            put_at[i] = rig->now_us;
            assert_int_equal(ask(rig, put_part), 200);
            unsigned kept = i < 2 ? i : 2; /* one each 25 minutes: two of the last hour */
            assert_int_equal(n_seen, kept);
            for (unsigned k = 0; k < kept; k++)
                assert_in_range(seen_at[k], put_at[i - kept + k], put_at[i - kept + k] + MINUTE_US);
            rig_pass(rig, 25 * MINUTE_US);
        }
        rig_destroy(&rig);
    }
}

static unsigned fired;

static void fire(struct stream_decision *d, const struct stream_message *m)
{
    fired++;
    assert_string_equal(m->name, "once");
    assert_true(m->due_us <= d->now_us);
}

static void set_twice_and_cancel(struct stream_decision *d, const struct stream_message *m)
{
    stream_set_timer(d, "once", d->now_us + HOUR_US);
    stream_set_timer(d, "never", d->now_us + SECOND_US);
    stream_cancel_timer(d, "never");
    stream_cancel_timer(d, "unknown");
    stream_set_timer(d, "once", d->now_us + SECOND_US);
    stream_put_state(d, make(d));
    stream_reply_part(d, 200, "value", "1");
}

static void last_word_on_a_timer_counts(void **state)
{
    struct rig *rig = rig_create(&service);
    next_due = fire;
    fired = 0;
    assert_int_equal(ask(rig, set_twice_and_cancel), 200);
    rig_restart(rig);
    rig_pass(rig, MINUTE_US);
    assert_int_equal(fired, 1);
    rig_pass(rig, 2 * HOUR_US);
    assert_int_equal(fired, 1);
    rig_destroy(&rig);
}

static void refuse_timer(struct stream_decision *d, const struct stream_message *m)
{
    fired++;
    stream_reject(d, "invalid", "for a test");
}

/* There is no record that could become a dead letter: an operator hears of it, and it is gone. */
static void refused_timer_is_told_and_gone(void **state)
{
    struct rig *rig = rig_create(&service);
    next_due = refuse_timer;
    fired = 0;
    assert_int_equal(ask(rig, set_twice_and_cancel), 200);
    rig_pass(rig, MINUTE_US);
    assert_int_equal(fired, 1);
    assert_non_null(strstr(rig->alarm, "timer_refused"));
    rig->alarm[0] = '\0';
    rig_restart(rig);
    rig_pass(rig, 2 * HOUR_US);
    assert_int_equal(fired, 1);
    assert_int_equal(value(rig), 0);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_removed_and_made_anew),
        cmocka_unit_test(refused_decision_leaves_only_its_counters),
        cmocka_unit_test(columns_say_what_the_state_says),
        cmocka_unit_test(parts_are_seen_as_long_as_they_are_kept),
        cmocka_unit_test(last_word_on_a_timer_counts),
        cmocka_unit_test(refused_timer_is_told_and_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
