/* The whole service on the twins of Kafka and Postgres, on time that only moves when told. */
#include "template.h"

#include "rig/rig.h"

static struct rig *rig;

static int setup(void **state)
{
    rig = rig_create(&template_service);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(&rig);
    return 0;
}

static const Journey__V1__Command *count_up_by(const char *counter, int64_t by)
{
    Journey__V1__Command *command = rig_command(rig, counter);
    Journey__V1__CountUp *up = arena_alloc(rig->arena, sizeof(*up));
    journey__v1__count_up__init(up);
    up->by = by;
    command->body_case = JOURNEY__V1__COMMAND__BODY_COUNT_UP;
    command->count_up = up;
    return command;
}

static const char *ask(const char *counter, int64_t by)
{
    return rig_part(rig_ask(rig, count_up_by(counter, by)), "value");
}

static void counts_and_answers(void **state)
{
    assert_string_equal(ask("a", 2), "2");
    assert_string_equal(ask("a", 3), "5");
    assert_string_equal(ask("b", 1), "1");
    assert_int_equal(rig_row(rig, &template_counts, "a")[2].i, 5);
    assert_true(rig_counter(rig, "journey_template_counted_total") == 6);
}

static void says_each_count_once_over_a_crash(void **state)
{
    (void)ask("a", 2);
    rig_restart(rig);
    assert_string_equal(ask("a", 3), "5");
    assert_int_equal(rig_said(rig, TOPIC_TEMPLATE_COUNTS), 2);
    const Journey__V1__Count *count =
        rig_message(rig, TOPIC_TEMPLATE_COUNTS, 1, &journey__v1__count__descriptor);
    assert_string_equal(count->id, "a");
    assert_int_equal(count->value, 5);
}

static void same_command_gives_the_same_answer(void **state)
{
    const Journey__V1__Command *command = count_up_by("a", 2);
    for (int i = 0; i < 2; i++)
        assert_string_equal(rig_part(rig_ask(rig, command), "value"), "2");
    assert_int_equal(rig_row(rig, &template_counts, "a")[2].i, 2);
}

/* After a day it is a new command; its repeats hear its answer, not that of the day before, whose row may still be there. */
static void command_of_yesterday_is_a_new_one(void **state)
{
    const Journey__V1__Command *command = count_up_by("a", 2);
    assert_string_equal(rig_part(rig_ask(rig, command), "value"), "2");
    rig_pass(rig, 25 * HOUR_US);
    assert_string_equal(rig_part(rig_ask(rig, command), "value"), "4");
    rig_restart(rig);
    assert_string_equal(rig_part(rig_ask(rig, command), "value"), "4");
}

/* It is answered so, and what the first one was answered stays what its repeats hear. */
static void same_id_with_another_body_leaves_the_first_answer(void **state)
{
    uint8_t hash = 2;
    const Journey__V1__Command *first = count_up_by("a", 2);
    Journey__V1__Command *other = arena_copy(rig->arena, first, sizeof(*first));
    other->body_hash = (ProtobufCBinaryData){1, &hash};
    assert_string_equal(rig_part(rig_ask(rig, first), "value"), "2");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(rig_code(rig_ask(rig, other)), "key_reused");
        assert_string_equal(rig_part(rig_ask(rig, first), "value"), "2");
    }
}

static void bad_command_is_refused_and_kept_as_dead_letter(void **state)
{
    assert_int_equal(rig_status(rig_ask(rig, count_up_by("a", 1001))), 400);
    assert_null(rig_row(rig, &template_counts, "a"));
    assert_int_equal(rig_said(rig, topic_dlq(TOPIC_TEMPLATE_COMMANDS)), 1);
}

static void send_known_and_unknown(void)
{
    const Journey__V1__Command *known = count_up_by("a", 2), *unknown = rig_command(rig, "a");
    struct slice key = topic_key(rig_tenant, SLICE_LITERAL("a"), rig->arena);
    rig_send(rig, TOPIC_TEMPLATE_COMMANDS, key, &known->base, "known");
    rig_send(rig, TOPIC_TEMPLATE_COMMANDS, key, &unknown->base, "unknown");
    rig_settle(rig);
}

/* The partition stops only then: nobody says it until a release comes that knows the other. */
static void what_came_before_an_unknown_command_is_said(void **state)
{
    send_known_and_unknown();
    assert_string_equal(rig_part(rig_last_reply(rig), "value"), "2");
    assert_int_equal(rig_said(rig, TOPIC_TEMPLATE_COUNTS), 1);
    assert_false(stream_ready(rig->stream, NULL));
}

static void what_came_before_an_unknown_command_is_tried_again(void **state)
{
    store_mem_fault_next(rig->store, STORE_MEM_FAIL_BEFORE);
    send_known_and_unknown();
    assert_string_equal(rig_part(rig_last_reply(rig), "value"), "2");
    assert_false(stream_ready(rig->stream, NULL));
}

static void forgets_a_counter_30_days_after_it_last_went_up(void **state)
{
    (void)ask("a", 1);
    rig_pass(rig, 20 * DAY_US);
    (void)ask("a", 1);
    rig_pass(rig, 20 * DAY_US);
    assert_string_equal(ask("a", 1), "3");
    rig_pass(rig, 31 * DAY_US);
    assert_null(rig_row(rig, &template_counts, "a"));
    assert_string_equal(ask("a", 1), "1");
    assert_non_null(rig_row(rig, &template_counts, "a")); /* memory knew of one that was gone */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(counts_and_answers),
        CASE(says_each_count_once_over_a_crash),
        CASE(same_command_gives_the_same_answer),
        CASE(command_of_yesterday_is_a_new_one),
        CASE(same_id_with_another_body_leaves_the_first_answer),
        CASE(bad_command_is_refused_and_kept_as_dead_letter),
        CASE(what_came_before_an_unknown_command_is_said),
        CASE(what_came_before_an_unknown_command_is_tried_again),
        CASE(forgets_a_counter_30_days_after_it_last_went_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
