/* What goes wrong. Each says so in the tally only when there was something to hit. */
#include "sim.h"

static void hit(struct sim *sim, const struct action *action, const struct instance *instance)
{
    static const char *const texts[FAULTS] = {
#define FAULT_TEXT(id, weight, text) text,
        FAULT_TABLE(FAULT_TEXT)
#undef FAULT_TEXT
    };
    tally.faults[action->fault]++;
    story(sim, "FAULT %s%s%s", texts[action->fault], instance ? ": " : "",
          instance ? instance_name(instance) : "");
}

static void commit_fault(struct instance *instance, enum fault_id fault)
{
    store_mem_fault_next(instance->store.inner, fault == FAULT_COMMIT_BEFORE ? STORE_MEM_FAIL_BEFORE
                                                : fault == FAULT_COMMIT_LATER
                                                    ? STORE_MEM_FAIL_LATER
                                                    : STORE_MEM_FAIL_AFTER);
}

static void jump(struct instance *instance, struct random *random)
{
    static const int64_t sizes[] = {SECOND_US, MINUTE_US, 10 * MINUTE_US, HOUR_US};
    int64_t size = sizes[below(random, ARRAY_SIZE(sizes))];
    instance->jumped = true;
    instance->fenced_us = 0;
    instance->skew_us += (int64_t)below(random, (uint64_t)(2 * size)) - size;
}

/* A message of some log, once more at its end. */
static bool duplicate(struct sim *sim, struct random *random)
{
    static const int topics[] = {TOPIC_EVENTS, TOPIC_ACCEPTED, TOPIC_COMMANDS_INGEST,
                                 TOPIC_COMMANDS_JOURNEY_STATE};
    int topic = topics[below(random, ARRAY_SIZE(topics))];
    int32_t partition = (int32_t)below(random, (uint64_t)sim->partitions);
    const struct mem_log *log = bus_mem_log_get(sim->cluster, topic, partition);
    if (log->begin == log->end || sim->outage.state)
        return false;
    const struct bus_record *of =
        &log->entries[below(random, (uint64_t)(log->end - log->begin))]->record;
    const struct bus_header *id = bus_record_header(of, "ce_id");
    struct stream_number number;
    if (!id || !stream_number_parse(id->value, &number))
        return false; /* repeats of the gateway's are actions of their own */
    const struct bus_message message = {.topic = topic,
                                        .partition = partition,
                                        .key = of->key,
                                        .value = of->value,
                                        .headers = of->headers,
                                        .n_headers = of->n_headers};
    struct mem_entry *entry = bus_mem_entry_create(&message);
    bus_mem_log_append(sim->cluster, entry);
    ledger_written(sim, &entry->record);
    return true;
}

static bool late(struct sim *sim, struct random *random)
{
    bool any = false;
    for (uint64_t n = 1 + below(random, 4); n; n--)
        any = wire_late(sim) || any;
    return any;
}

bool fault_late_commit(struct sim *sim, enum service_id service)
{
    bool any = store_mem_db_late(sim->dbs[service]);
    ledger_look(sim, service, NULL);
    return any;
}

static bool to_instance(struct sim *sim, const struct action *action, struct instance *instance,
                        struct random *random)
{
    unsigned soon = sim->step + 20 + (unsigned)below(random, 400);
    switch (action->fault) {
    case FAULT_CRASH:
        instance_crash(instance);
        instance->down_until = sim->step + (unsigned)below(random, 200);
        return true;
    case FAULT_PAUSE:
    case FAULT_ZOMBIE:
        if (action->fault == FAULT_PAUSE) {
            instance->asleep_until = soon;
            sim->now_us += (int64_t)below(random, 30 * SECOND_US);
        }
        wire_kick(instance); /* the group gives its partitions away */
        instance->kicked_until = soon + (unsigned)below(random, 200);
        return instance->bus.kicked;
    case FAULT_CLOCK:
        jump(instance, random);
        return true;
    case FAULT_BROKEN:
        store_reset(&instance->store.store);
        return true;
    case FAULT_LOADS:
        instance->fail_loads = 1 + (unsigned)below(random, 3);
        return true;
    case FAULT_ASKING:
        instance->fail_asking = 1 + (unsigned)below(random, 3);
        return true;
    case FAULT_SEND_LOST:
    case FAULT_SEND_UNKNOWN:
        instance->fail_send = action->fault == FAULT_SEND_LOST ? 1 : 2;
        return true;
    case FAULT_DELAY:
        instance->slow_until = soon;
        return true;
    case FAULT_FULL:
        instance->full_until = soon;
        return true;
    case FAULT_RELEASE:
        instance_crash(instance);
        instance->old_release = !instance->old_release;
        instance->down_until = sim->step + (unsigned)below(random, 30);
        return true;
    default:
        commit_fault(instance, (enum fault_id)action->fault);
        return true;
    }
}

void fault_do(struct sim *sim, struct action *action)
{
    struct random random = {action->seed};
    struct instance *instance = &sim->instances[below(&random, (uint64_t)ALL_INSTANCES)];
    switch (action->fault) {
    case FAULT_POISON:
        story(sim, "FAULT a record that kills");
        gateway_poison(sim, action);
        return; /* counted when it kills */
    case FAULT_RETENTION:
    case FAULT_ANEW:
        outage_begin(sim, action->fault == FAULT_ANEW, &random);
        return; /* counted when it happens */
    case FAULT_DUPLICATE:
        if (duplicate(sim, &random))
            hit(sim, action, NULL);
        return;
    case FAULT_LATE:
        if (below(&random, 2) ? fault_late_commit(sim, (enum service_id)below(&random, SERVICES))
                              : late(sim, &random))
            hit(sim, action, NULL);
        return;
    default:
        if (instance->up && to_instance(sim, action, instance, &random))
            hit(sim, action, instance);
    }
}

void fault_stop_all(struct sim *sim)
{
    while (wire_late(sim))
        ;
    for (unsigned i = 0; i < ALL_INSTANCES; i++) {
        struct instance *instance = &sim->instances[i];
        instance->down_until = instance->asleep_until = instance->kicked_until =
            instance->slow_until = instance->full_until = 0;
        instance->fail_loads = instance->fail_asking = instance->fail_send = 0;
        instance->jumped = instance->jumped || instance->skew_us;
        instance->fenced_us = 0;
        instance->skew_us = 0;
        if (instance->up)
            store_mem_fault_next(instance->store.inner, STORE_MEM_OK);
        if (instance->old_release)
            instance_crash(instance);
        instance->old_release = false;
    }
}
