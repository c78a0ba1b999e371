/* A run: the plan's actions at their steps, one instance doing one thing in each, then the end of all faults. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

struct tally tally;

void violation(struct sim *sim, const char *format, ...)
{
    va_list args;
    if (sim->violation[0])
        return;
    va_start(args, format);
    (void)vsnprintf(sim->violation, sizeof(sim->violation), format, args);
    va_end(args);
    story(sim, "VIOLATION %s", sim->violation);
}

void story(struct sim *sim, const char *format, ...)
{
    va_list args;
    char time[TIME_TEXT_SIZE];
    if (!sim->story)
        return;
    time_format(time, sim->now_us);
    printf("%5u %s  ", sim->step, time);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *pointer) {}

ProtobufCAllocator sim_allocator(struct sim *sim)
{
    return (ProtobufCAllocator){allocate, release, sim->arena};
}

static int64_t cluster_now(struct clock *clock)
{
    return ((const struct sim *)(const void *)clock)->now_us; /* its first member */
}

static void open_sim(struct sim *sim, struct plan *plan, bool tell)
{
    *sim = (struct sim){.plan = plan, .story = tell, .now_us = 1700000000 * SECOND_US};
    sim->partitions = 2 + (int32_t)(plan->seed % 3);
    sim->arena = arena_create((size_t)1 << 30);
    sim->cluster = bus_mem_cluster_create(sim->partitions);
    sim->clock.now_us = cluster_now;
    bus_mem_set_clock(sim->cluster, &sim->clock);
    sim->late_tail = &sim->late;
    ledger_open(sim);
    for (unsigned s = 0; s < SERVICES; s++)
        sim->dbs[s] = store_mem_db_create();
    gateway_open(sim);
    for (unsigned i = 0; i < ALL_INSTANCES; i++) {
        struct instance *instance = &sim->instances[i];
        instance->sim = sim;
        instance->service = i < INSTANCES ? INGEST : JOURNEY;
        instance->number = i % INSTANCES;
        instance_start(instance);
    }
}

static void close_sim(struct sim *sim)
{
    for (unsigned i = 0; i < ALL_INSTANCES; i++)
        instance_crash(&sim->instances[i]);
    while (sim->late) {
        struct wire *wire = sim->late;
        sim->late = wire->next;
        bus_mem_entry_unref(wire->entry);
        free(wire);
    }
    outage_close(sim);
    ledger_close(sim);
    for (unsigned s = 0; s < SERVICES; s++)
        store_mem_db_destroy(&sim->dbs[s]);
    bus_mem_cluster_destroy(&sim->cluster);
    arena_destroy(&sim->arena);
}

/* What was to end by now ends. */
static void wake(struct sim *sim, struct instance *instance)
{
    if (!instance->up) {
        if (instance->down_until <= sim->step)
            instance_start(instance);
        return;
    }
    if (instance->bus.kicked && instance->kicked_until <= sim->step) {
        story(sim, "%s joins its group again", instance_name(instance));
        wire_rejoin(instance);
    }
}

static void one_thing(struct sim *sim, struct instance *instance, struct random *random)
{
    uint64_t dice = below(random, 8);
    if (instance->asleep_until > sim->step)
        return;
    if (dice < 3 && instance_store_step(instance))
        return;
    if (dice < 5 && instance->slow_until <= sim->step) {
        for (uint64_t n = 1 + below(random, 6); n && wire_deliver(instance, random); n--)
            ;
        return;
    }
    instance_step(instance);
}

static void pass_time(struct sim *sim, struct random *random)
{
    uint64_t dice = below(random, 1000);
    if (dice < 2)
        sim->now_us += (int64_t)(20 + below(random, 200)) * SECOND_US;
    else if (dice < 20)
        sim->now_us += (int64_t)below(random, 2 * SECOND_US);
    else
        sim->now_us += (int64_t)below(random, 3000);
}

static void work(struct sim *sim)
{
    unsigned next = 0;
    for (sim->step = 0; sim->step < STEPS && !sim->violation[0]; sim->step++) {
        struct random random = {mix(sim->plan->seed, 3000000 + sim->step)};
        for (; next < sim->plan->n && sim->plan->actions[next].step <= sim->step; next++) {
            struct action *action = &sim->plan->actions[next];
            if (action->off)
                continue;
            if (action->kind == ACT_FAULT)
                fault_do(sim, action);
            else
                gateway_act(sim, action);
        }
        outage_step(sim);
        pass_time(sim, &random);
        for (unsigned s = 0; s < SERVICES; s++)
            if (sim->dbs[s]->n_late && below(&random, 64) == 0)
                fault_late_commit(sim, (enum service_id)s);
        struct instance *instance = &sim->instances[below(&random, (uint64_t)ALL_INSTANCES)];
        wake(sim, instance);
        one_thing(sim, instance, &random);
    }
}

/* Everybody works, time goes on, faster while nothing happens; quiet for hours is the end. */
static void drain(struct sim *sim)
{
    int64_t pace = 1000, quiet = 0;
    sim->draining = true;
    sim->well_us = sim->now_us;
    fault_stop_all(sim);
    story(sim, "no more faults");
    for (unsigned round = 0; quiet < 3 * HOUR_US && !sim->violation[0]; round++) {
        struct random random = {mix(sim->plan->seed, 4000000 + sim->step)};
        unsigned before = sim->progress;
        sim->step++;
        outage_step(sim);
        for (unsigned i = 0; i < ALL_INSTANCES; i++) {
            struct instance *instance = &sim->instances[i];
            wake(sim, instance);
            instance_step(instance);
            while (instance_store_step(instance))
                instance_step(instance);
            while (wire_deliver(instance, &random))
                ;
        }
        if (sim->outage.state)
            sim->well_us = sim->now_us;
        memory_late(sim);
        bool moved = sim->progress != before;
        pace = moved ? 1000 : min_i64(pace * 2, 30 * SECOND_US);
        quiet = moved ? 0 : quiet + pace;
        sim->now_us += pace;
        if (round > 30000)
            violation(sim, "once faults stop, everything drains: it goes on for ever");
    }
    for (unsigned i = 0; i < ALL_INSTANCES && !sim->violation[0]; i++) {
        const char *why = NULL;
        if (!sim->instances[i].up || !stream_ready(sim->instances[i].stream, &why))
            violation(sim, "once faults stop, everything drains: %s: %s",
                      instance_name(&sim->instances[i]), why ? why : "is down");
        memory_look(&sim->instances[i], true);
    }
}

/* A seed that asks for little shows little. */
static void check_load(struct sim *sim)
{
    const struct load *load = &sim->load;
    struct load *least = &tally.least;
    for (unsigned a = 0; a < sim->plan->n; a++)
        if (sim->plan->actions[a].off)
            return;
    if (load->events < 500 || load->commands < 50 || load->sessions < 10 || load->timers < 10)
        violation(sim, "the seed is too small: %u events, %u commands, %u sessions, %u timers",
                  load->events, load->commands, load->sessions, load->timers);
    if (!least->events)
        *least = *load;
    least->events = load->events < least->events ? load->events : least->events;
    least->commands = load->commands < least->commands ? load->commands : least->commands;
    least->sessions = load->sessions < least->sessions ? load->sessions : least->sessions;
    least->timers = load->timers < least->timers ? load->timers : least->timers;
}

static void check(struct sim *sim)
{
    if (!sim->violation[0])
        ledger_end(sim);
    if (!sim->violation[0])
        check_events(sim);
    if (!sim->violation[0])
        check_sessions(sim);
    if (!sim->violation[0])
        check_answers(sim);
    if (!sim->violation[0])
        check_consents(sim);
    if (!sim->violation[0])
        check_load(sim);
    if (!sim->violation[0])
        tally.steps[STEP_DRAINED]++;
}

bool run_plan(struct plan *plan, bool tell, char *why, size_t size)
{
    static struct sim sim;
    open_sim(&sim, plan, tell);
    for (unsigned a = 0; a < plan->n; a++) {
        struct action *action = &plan->actions[a];
        unsigned n_events = action->n_events;
        memset(action->events, 0, sizeof(action->events));
        action->n_events = n_events;
        action->command = (struct command_fate){0};
        action->done = false;
    }
    work(&sim);
    if (!sim.violation[0])
        drain(&sim);
    check(&sim);
    if (why)
        (void)snprintf(why, size, "%s", sim.violation);
    bool ok = !sim.violation[0];
    close_sim(&sim);
    return ok;
}
