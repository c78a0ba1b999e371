/* The worker's thread: work in order, its limit, and its end with work waiting. */
#include "worker.h"

#include "test.h"

#include <event2/event.h>
#include <pthread.h>

struct piece {
    struct work work;
    pthread_mutex_t *gate; /* waited for before it ends; NULL: nothing */
    bool ran;
    unsigned *done, place;
};

static void run(struct work *work, const struct work_tools *tools)
{
    struct piece *piece = (struct piece *)work;
    assert_non_null(tools->bus);
    if (piece->gate) {
        pthread_mutex_lock(piece->gate);
        pthread_mutex_unlock(piece->gate);
    }
    piece->ran = true;
}

static void done(struct work *work)
{
    struct piece *piece = (struct piece *)work;
    piece->place = ++*piece->done;
}

static int open_bus(void *user, struct bus **bus, struct err *err)
{
    (void)err;
    *bus = bus_mem_create(user);
    return 0;
}

static void test_in_order(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(2);
    struct event_base *base = event_base_new();
    const struct worker_options options = {.open_bus = open_bus, .user = cluster, .max_waiting = 2};
    struct worker *worker = NULL;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    unsigned n = 0, taken = 0;
    struct err err;
    (void)state;
    assert_int_equal(worker_create(&worker, base, &options, &err), 0);
    struct piece pieces[5];
    pthread_mutex_lock(&gate);
    for (unsigned i = 0; i < 5; i++) {
        pieces[i] = (struct piece){.work = {.run = run, .done = done}, .gate = &gate, .done = &n};
        taken += worker_submit(worker, &pieces[i].work);
    }
    /* two wait, and the thread may have taken one of those before */
    assert_true(taken == 2 || taken == 3);
    assert_int_equal(n, 0);
    pthread_mutex_unlock(&gate);
    while (n < taken)
        (void)event_base_loop(base, EVLOOP_ONCE);
    for (unsigned i = 0; i < 2; i++)
        assert_true(pieces[i].ran && pieces[i].place == i + 1);
    worker_destroy(&worker);
    assert_null(worker);
    event_base_free(base);
    bus_mem_cluster_destroy(&cluster);
}

static void test_ends(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(2);
    struct event_base *base = event_base_new();
    const struct worker_options options = {.open_bus = open_bus, .user = cluster, .max_waiting = 8};
    struct worker *worker = NULL;
    unsigned n = 0;
    struct err err;
    (void)state;
    assert_int_equal(worker_create(&worker, base, &options, &err), 0);
    struct piece first = {.work = {.run = run, .done = done}, .done = &n};
    assert_true(worker_submit(worker, &first.work));
    while (n < 1)
        (void)event_base_loop(base, EVLOOP_ONCE);
    worker_destroy(&worker);
    assert_int_equal(n, 1);
    event_base_free(base);
    bus_mem_cluster_destroy(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_order),
                                       cmocka_unit_test(test_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
