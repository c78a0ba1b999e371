/* Calls to the outside world, and questions that are answered beside the stream. */
#include "world.h"

#include "test.h"

#include "internal.h"

/* An outcome that will never come takes no room from those that may. */
static void call_of_an_earlier_life_is_let_go(void **state)
{
    struct world *world = world_create(16, 1);
    struct instance *a = &world->instances[0];
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_ask(world, ASKED_CALL, 1, 0, 1);
    for (unsigned lives = 1; lives <= 5; lives++) {
        for (int i = 0; i < 20000 && a->n_calls < lives; i++)
            world_rounds(world, 1);
        assert_int_equal(a->n_calls, lives);
        world_ghosts(world);
        world_command(world, 1, 1, 1); /* what it would commit is refused */
    }
    a->n_calls = 0;
    world_rounds(world, 4000);
    assert_int_equal(a->n_calls, 1);
    assert_int_equal(a->stream->n_calls, 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* What its decision wants to write is refused, or kills: the call is given up, it alone, and others do not notice. */
static void check_outcome_is_given_up(int64_t by)
{
    struct world *world = world_create(17, 2);
    const struct store_value *row;
    unsigned commands = 0;
    world_command(world, 1, 1, 1);
    world_settle(world);
    world_ask(world, ASKED_CALL, 1, by, 1);
    for (int i = 0; i < 300; i++) {
        world_command(world, 2, 1, 1);
        commands++;
        world_rounds(world, 20);
        for (unsigned n = 0; n < 2; n++)
            while (world->instances[n].n_calls)
                world_answer_call(world, &world->instances[n]);
    }
    world_settle(world);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), 0);
    assert_int_equal(store_mem_rows(world->dbs[0], &world_open, &row, 1), 1); /* never removed */
    assert_int_equal(world_replies(world, 200), 1 + 1 + commands);
    world_ask(world, ASKED_CALL, 1, 0, 1); /* the next one is made */
    world_settle(world);
    assert_int_equal(store_mem_rows(world->dbs[0], &timers_table, &row, 1), 0);
    assert_int_equal(store_mem_rows(world->dbs[0], &world_open, &row, 1), 1);
    world_destroy(&world);
}

static void outcome_that_postgres_refuses_is_given_up(void **state)
{
    check_outcome_is_given_up(WORLD_UNSTORABLE);
}

static void outcome_that_kills_is_given_up(void **state)
{
    check_outcome_is_given_up(WORLD_POISON);
}

/* The first page is full of calls that are due at one instant, and more of them follow: each is made, and decided. */
static void more_calls_of_one_instant_than_a_page(void **state)
{
    enum {
        MANY = 2 * TIMER_PAGE_SMALL + 4
    };
    struct world *world = world_create(18, 1);
    struct instance *a = &world->instances[0];
    world_command(world, 1, 1, 1);
    world_settle(world);
    for (unsigned i = 0; i < MANY; i++)
        world_ask(world, ASKED_CALL, 1, 0, 1);
    for (int i = 0; i < 20000 && a->n_calls < MANY; i++)
        world_act(world, a);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        a->stream->parts[p].small_pages = true;
    own_forget_all(a->stream, "a test", 0);
    a->n_calls = 0;
    world_rounds(world, 2000);
    assert_int_equal(a->n_calls, TIMER_PAGE_SMALL);
    world_command(world, 2, 1, 1); /* others go on meanwhile */
    world_rounds(world, 2000);
    assert_int_equal(world_replies(world, 200), 1 + MANY + 1);
    world_settle(world);
    world_check(world);
    world_destroy(&world);
}

/* Until the database has answered it, and the log has taken the answer. */
static void question_holds_up_a_drain(void **state)
{
    struct world *world = world_create(6, 1);
    struct instance *a = &world->instances[0];
    const char *why = NULL;
    world_command(world, 1, 1, 1);
    world_settle(world);
    bus_mem_hold(a->bus, true);
    world_ask(world, ASKED_VALUE, 1, 0, 1);
    for (int i = 0; i < 1000 && !a->stream->asks; i++)
        world_act(world, a);
    assert_non_null(a->stream->asks);
    stream_drain(a->stream);
    for (int i = 0; i < 10; i++)
        stream_step(a->stream);
    assert_false(stream_drained(a->stream));
    assert_false(stream_ready(a->stream, &why));
    assert_string_equal(why, "stopping");
    while (a->stream->asks)
        assert_true(store_mem_step(a->store));
    for (int i = 0; i < 10; i++)
        stream_step(a->stream);
    assert_int_equal(bus_unreported(a->bus), 1);
    assert_false(stream_drained(a->stream));
    bus_mem_hold(a->bus, false);
    for (int i = 0; i < 10; i++)
        stream_step(a->stream);
    assert_true(stream_drained(a->stream));
    world_crash(a);
    world_start(world, a);
    world_settle(world);
    world_check(world);
    assert_int_equal(world_replies(world, 200), 2);
    world_destroy(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_of_an_earlier_life_is_let_go),
        cmocka_unit_test(outcome_that_postgres_refuses_is_given_up),
        cmocka_unit_test(outcome_that_kills_is_given_up),
        cmocka_unit_test(more_calls_of_one_instant_than_a_page),
        cmocka_unit_test(question_holds_up_a_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
