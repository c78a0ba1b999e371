/* Making the world, and what happens in it. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "internal.h"

static int64_t world_now(struct clock *clock)
{
    return ((struct world *)(void *)clock)->now_us;
}

uint64_t world_below(struct world *world, uint64_t n)
{
    return random_next(&world->random) % n;
}

static void story(const struct world *world, const struct instance *instance, const char *event,
                  const char *fields)
{
    int64_t us = world->now_us % (1000 * SECOND_US);
    if (!world->verbose)
        return;
    if (instance)
        (void)fprintf(stderr, "%10lld %s%d %s %s\n", (long long)us,
                      world_services[instance->service].name, (int)(instance - world->instances),
                      event, fields);
    else
        (void)fprintf(stderr, "%10lld    %s %s\n", (long long)us, event, fields);
}

void world_tell(struct world *world, const struct instance *instance, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    story(world, instance, "*", text);
}

static void tell(void *user, enum log_level level, const char *event, const char *fields)
{
    struct instance *instance = user;
    story(instance->world, instance, event, fields);
}

/* ---- instances ---- */

/* So low that they are reached; what is refused at others would be answered in two ways. */
static void lower_limits(struct world *world, struct limits *limits)
{
    if (world_below(world, 2))
        limits->calls = 2 + (unsigned)world_below(world, 4);
    if (world_below(world, 2))
        limits->unconfirmed = 1 + world_below(world, 4000);
    if (world_below(world, 2))
        limits->timers = 1 + (unsigned)world_below(world, 8);
    if (world_below(world, 2))
        limits->batch_bytes = 1 + world_below(world, 300);
}

void world_start(struct world *world, struct instance *instance)
{
    const struct store_table *tables[16];
    unsigned n = stream_tables(&world_services[instance->service], tables, 16);
    struct err err = {0};
    *instance = (struct instance){
        .world = world, .service = instance->service, .settings_least = world->settings};
    instance->bus = bus_mem_create(world->cluster);
    instance->store = store_mem_create(world->dbs[instance->service], tables, n);
    if (world->faults && world_below(world, 2))
        bus_mem_set_send_queue(instance->bus, 1 + world_below(world, 20));
    struct stream_options options = {.bus = instance->bus,
                                     .store = instance->store,
                                     .clock = &world->clock,
                                     .user = instance,
                                     .observe = tell,
                                     .cache = world_cached,
                                     .batch_limit = 1 + (unsigned)world_below(world, 40),
                                     .cache_bytes = world_below(world, 2) ? 1 : 4096};
    world_tell(world, instance, "starts, batches of %u", options.batch_limit);
    assert_int_equal(
        stream_create(&instance->stream, &world_services[instance->service], &options, &err), 0);
    if (world->faults)
        lower_limits(world, &instance->stream->limits);
}

void world_crash(struct instance *instance)
{
    store_destroy(&instance->store);
    stream_destroy(&instance->stream);
    bus_destroy(&instance->bus);
}

static void restart(struct world *world, struct instance *instance)
{
    world_tell(world, instance, "crashes");
    world_crash(instance);
    world_start(world, instance);
}

/* False: it died. */
static bool step(struct world *world, struct instance *instance)
{
    world->acting = instance;
    if (setjmp(world->died) == 0) {
        stream_step(instance->stream);
        if (++world->steps < 2000 || world->steps % 8 == 0)
            world_look(instance, false);
        return true;
    }
    restart(world, instance);
    return false;
}

static bool store_step(struct world *world, struct instance *instance)
{
    world->acting = instance;
    if (setjmp(world->died) == 0) {
        bool done = store_mem_step_any(instance->store, world->faults ? world_below(world, 6) : 0);
        assert_true(!done || stream_wants_step(instance->stream));
        return done;
    }
    restart(world, instance);
    return false;
}

void world_drain(struct world *world, struct instance *instance)
{
    world_tell(world, instance, "drains");
    stream_drain(instance->stream);
    bus_mem_hold(instance->bus, world->faults && world_below(world, 2));
    for (int i = 0; i < 2000 && !stream_drained(instance->stream); i++) {
        world->now_us += 1000;
        if (step(world, instance) && world_below(world, 2))
            (void)store_step(world, instance);
        bus_mem_deliver(instance->bus, world_below(world, 2));
    }
    if (stream_drained(instance->stream) && bus_unreported(instance->bus))
        fail_msg("it left, and %zu messages are not reported", bus_unreported(instance->bus));
    world_look(instance, stream_drained(instance->stream));
}

struct world *world_create(uint64_t seed, unsigned instances)
{
    return world_create_of(seed, instances, WORLD_PARTITIONS);
}

struct world *world_create_of(uint64_t seed, unsigned instances, int32_t partitions)
{
    struct world *world = calloc(1, sizeof(*world));
    world_of_decisions = world;
    world->clock.now_us = world_now;
    world->now_us = 1700000000 * SECOND_US;
    world->random.state = seed;
    world->verbose = getenv("WORLD_VERBOSE") != NULL;
    world->n_instances = instances;
    world->partitions = partitions;
    world->patience_us = 300000;
    world->cluster = bus_mem_cluster_create(partitions);
    world->client = bus_mem_create(world->cluster);
    for (unsigned s = 0; s < 2; s++) {
        const struct store_table *tables[16];
        unsigned n = stream_tables(&world_services[s], tables, 16);
        world->dbs[s] = store_mem_db_create();
        world->ghosts[s] = store_mem_create(world->dbs[s], tables, n);
    }
    for (unsigned i = 0; i < 2 * instances; i++) {
        world->instances[i].service = i / instances;
        world_start(world, &world->instances[i]);
    }
    return world;
}

void world_destroy(struct world **world)
{
    struct world *w = *world;
    for (unsigned i = 0; i < 2 * w->n_instances; i++)
        world_crash(&w->instances[i]);
    bus_destroy(&w->client);
    bus_mem_cluster_destroy(&w->cluster);
    for (unsigned s = 0; s < 2; s++) {
        store_destroy(&w->ghosts[s]);
        store_mem_db_destroy(&w->dbs[s]);
    }
    world_log_destroy(&w->log);
    free(w);
    *world = NULL;
}

/* ---- what happens ---- */

/* By the life of its partition that made it: a later one makes it again. */
static bool is_wanted(const struct stream *s, uint64_t ticket)
{
    for (unsigned i = 0; i < s->n_calls; i++)
        if (s->calls[i].ticket == ticket)
            return s->calls[i].life == s->parts[s->calls[i].part].life;
    return false;
}

void world_answer_call(struct world *world, struct instance *instance)
{
    if (!instance->n_calls)
        return;
    unsigned i = (unsigned)world_below(world, instance->n_calls);
    struct world_call c = instance->calls[i];
    if (world_below(world, 4)) /* else it will be answered once more */
        instance->calls[i] = instance->calls[--instance->n_calls];
    if (is_wanted(instance->stream, c.ticket) ||
        world_below(world, 2)) /* else nobody ever answers */
        stream_outcome(instance->stream, c.ticket, slice_make(c.id, 16));
}

static void wake(struct world *world, struct instance *instance)
{
    struct err err = {0};
    instance->asleep_us = 0;
    if (instance->left && bus_join(instance->bus, world_services[instance->service].name,
                                   world_services[instance->service].inputs[0].topic, &err) == 0)
        world_tell(world, instance, "is back");
    instance->left = false;
}

void world_act(struct world *world, struct instance *instance)
{
    if (instance->asleep_us && instance->asleep_us <= world->now_us)
        wake(world, instance);
    if (instance->asleep_us) {
        (void)(world_below(world, 4) || store_step(world, instance)); /* what it sent goes on */
        return;
    }
    if (!world_below(world, 2) || !store_step(world, instance))
        (void)step(world, instance);
}

static void ghost_done(struct store_own *own)
{
    arena_destroy(&own->arena);
    free(own);
}

void world_ghost(struct world *world, unsigned service, int32_t part)
{
    struct store_own *own = calloc(1, sizeof(*own));
    own->part = part;
    own->arena = arena_create(1 << 20);
    own->done = ghost_done;
    store_own(world->ghosts[service], own);
    while (store_mem_step(world->ghosts[service]))
        ;
    world_tell(world, NULL, "somebody takes %s's partition", world_services[service].name);
}

void world_ghosts(struct world *world)
{
    for (int32_t p = 0; p < world->partitions; p++)
        world_ghost(world, 0, p);
}

static void committed(struct store_commit *commit)
{
    assert_int_equal(commit->err.code, 0);
}

void world_commit(struct world *world, struct store_commit commit)
{
    bool fenced;
    assert_in_range(commit.n_fences, 0, 1);
    commit.fenced = &fenced;
    commit.done = committed;
    store_commit(world->ghosts[0], &commit);
    assert_true(store_mem_step(world->ghosts[0]));
}

void world_rounds(struct world *world, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        world_act(world, &world->instances[world_below(world, UINT64_C(2) * world->n_instances)]);
        world->now_us += 1000;
    }
}

static void fall_asleep(struct world *world, struct instance *instance)
{
    bool leaves = world_below(world, 2);
    if (instance->asleep_us)
        return;
    instance->asleep_us = world->now_us + (int64_t)world_below(world, 500000);
    world_tell(world, instance, "is not heard of%s", leaves ? ", and its group goes on" : "");
    if (leaves && stream_ready(instance->stream, NULL)) {
        bus_leave(instance->bus);
        instance->left = true;
    }
}

static bool misfortune(struct world *world, struct instance *instance, uint64_t dice)
{
    static const enum store_mem_fault faults[] = {STORE_MEM_FAIL_BEFORE, STORE_MEM_FAIL_AFTER,
                                                  STORE_MEM_FAIL_LATER};
    if (dice < 6) {
        world_tell(world, instance, "its next commit is unknown (%llu)",
                   (unsigned long long)(dice % 3));
        store_mem_fault_next(instance->store, faults[dice % 3]);
    } else if (dice < 16) {
        if (store_mem_db_late(world->dbs[world_below(world, 2)]))
            world_tell(world, NULL, "a transaction comes late");
    } else if (dice < 18) {
        world_tell(world, instance, "its next message fails");
        bus_mem_fail_next(world->cluster, instance->bus);
    } else if (dice < 21) {
        restart(world, instance);
    } else if (dice < 24) {
        fall_asleep(world, instance);
    } else if (dice < 26) {
        world_ghost(world, dice % 2, (int32_t)world_below(world, (uint64_t)world->partitions));
    } else if (dice < 27) {
        world_drain(world, instance);
        world_crash(instance);
        world_start(world, instance);
    } else if (dice < 37) {
        bus_mem_hold(instance->bus, dice < 35);
    } else if (dice < 50) {
        bus_mem_deliver(instance->bus, 1 + world_below(world, 5));
    } else {
        return false;
    }
    return true;
}

static bool request(struct world *world, uint64_t dice)
{
    unsigned key = (unsigned)world_below(world, WORLD_KEYS);
    unsigned copies = 1 + (world_below(world, 6) == 0);
    if (dice < 20)
        world_command(world, key, 1 + (int64_t)world_below(world, 3), copies);
    else if (dice < 24)
        world_command(world, key, -1 - (int64_t)world_below(world, 2), copies);
    else if (dice < 25)
        world_command(world, key, WORLD_REJECTED, copies);
    else if (dice < 26)
        world_command(world, key, world_below(world, 3) ? WORLD_TALKATIVE : WORLD_UNSTORABLE, 1);
    else if (dice < 27)
        world_command(world, key, WORLD_MUTE, 1);
    else if (dice < 36)
        world_ask(world, ASKED_TIMER, key, (int64_t)world_below(world, 4) * 70000, copies);
    else if (dice < 40)
        world_ask(world, ASKED_CALL, key, 0, copies);
    else if (dice < 45)
        world_ask(world, ASKED_FORWARD, key, 0, copies);
    else if (dice < 47)
        world_ask(world, ASKED_VALUE, key, 0, 1);
    else if (dice < 65)
        world_events(world, 1 + (unsigned)world_below(world, 8), copies);
    else if (dice < 67)
        world_settings(world);
    else if (dice < 68)
        world_unstorable(world, key);
    else if (dice < 69)
        world_ask(world, ASKED_GARBAGE, key, (int64_t)world_below(world, 3), copies);
    else
        return false;
    return true;
}

/* Anything may happen between any two steps. */
void world_chaos(struct world *world, int acts)
{
    world->faults = true;
    for (int i = 0; i < acts; i++) {
        struct instance *instance =
            &world->instances[world_below(world, UINT64_C(2) * world->n_instances)];
        if (misfortune(world, instance, world_below(world, 1000)) ||
            request(world, world_below(world, 1000)))
            continue;
        uint64_t dice = world_below(world, 100);
        if (dice < 10)
            world->now_us += (int64_t)world_below(world, 20000);
        else if (dice < 11 && !world_below(world, 10)) /* the clock is set */
            world->now_us -= (int64_t)world_below(world, 300000);
        else if (dice < 12)
            world_answer_call(world, instance);
        else
            world_act(world, instance);
    }
    world->faults = false;
}

void world_settle(struct world *world)
{
    struct bus_event event;
    unsigned n = 2 * world->n_instances;
    for (unsigned i = 0; i < n; i++) {
        bus_mem_hold(world->instances[i].bus, false);
        store_mem_fault_next(world->instances[i].store, STORE_MEM_OK);
        wake(world, &world->instances[i]);
    }
    for (int round = 0; round < 500; round++) {
        for (unsigned i = 0; i < n; i++) {
            struct instance *instance = &world->instances[i];
            (void)step(world, instance);
            while (store_step(world, instance))
                (void)step(world, instance);
            while (instance->n_calls)
                world_answer_call(world, instance);
        }
        world->now_us += 10000;
        while (bus_poll_control(world->client, &event))
            bus_event_release(world->client, &event);
    }
}

void world_truncate(struct world *world)
{
    static const int topics[] = {TOPIC_TEMPLATE_COMMANDS, TOPIC_EVENTS, TOPIC_TEMPLATE_COUNTS,
                                 TOPIC_COMMANDS_JOURNEY_STATE};
    world_audit(world);
    world_tell(world, NULL, "everything stops; retention passes");
    for (unsigned i = 0; i < 2 * world->n_instances; i++)
        world_crash(&world->instances[i]);
    for (unsigned t = 0; t < ARRAY_SIZE(topics); t++)
        for (int32_t p = 0; p < world->partitions; p++)
            bus_mem_truncate(world->cluster, topics[t], p,
                             bus_mem_end(world->cluster, topics[t], p) -
                                 (int64_t)world_below(world, 2));
    for (unsigned i = 0; i < 2 * world->n_instances; i++)
        world_start(world, &world->instances[i]);
}
