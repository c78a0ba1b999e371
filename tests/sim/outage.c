/*
 * A service is down, and when it comes back the log is not what it was: retention took what it had not read, or the topic
 * was made anew. The partition must stop and say what to do; then the operator brings the log back, and everything is
 * there.
 */
#include "sim.h"

#include "journey/v1/event.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define DOWN_STEPS   60
#define DRAIN_ROUNDS 400 /* once faults have stopped: until then it must have stopped, too */

/* What the newest commits row has read of a topic; -1: nothing. */
int64_t outage_read_until(struct sim *sim, enum service_id service, int topic, int32_t partition)
{
    for (unsigned p = 0; p < sim->dbs[service]->n_parts; p++) {
        const struct store_mem_part *part = &sim->dbs[service]->parts[p];
        if (part->part != partition || !part->n)
            continue;
        struct slice in = part->commits[part->n - 1].offsets, name;
        while (in.size) {
            uint64_t flags, next, check;
            if (slice_take_bytes(&in, &name) || slice_take_varint(&in, &flags) ||
                slice_take_varint(&in, &next) || slice_take_varint(&in, &check))
                abort();
            if (slice_equal_str(name, topic_name(topic)))
                return (int64_t)next;
        }
    }
    return -1;
}

static void drop_front(struct mem_log *log, int64_t begin)
{
    for (int64_t i = 0; i < log->end - begin; i++) {
        log->entries[i] = log->entries[i + begin - log->begin];
        log->entries[i]->refs++;
    }
    log->begin = begin;
}

/* Events that nobody ever sent: none of them may come out at the other end. */
static void add_ghosts(struct sim *sim, struct outage *o, unsigned n)
{
    Journey__V1__EventBatch batch;
    Journey__V1__Event *event = arena_alloc(sim->arena, sizeof(*event));
    journey__v1__event_batch__init(&batch);
    journey__v1__event__init(event);
    event->type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    event->name = gateway_text(sim, "Ghost");
    event->message_id = gateway_text(sim, "ghost");
    event->device = gateway_device(sim, 0, 0);
    batch.tenant_id = gateway_tenant(sim, 0);
    batch.events = &event;
    batch.n_events = 1;
    uint8_t value[300];
    size_t size = journey__v1__event_batch__pack(&batch, value);
    assert(size <= sizeof(value));
    const struct bus_header header = {"ce_id", SLICE_LITERAL("g-ghost")};
    const struct bus_message message = {.topic = o->topic,
                                        .partition = o->partition,
                                        .key = slice_str("ghost"),
                                        .value = slice_make(value, size),
                                        .headers = &header,
                                        .n_headers = 1};
    for (unsigned i = 0; i < n; i++)
        bus_mem_log_append(sim->cluster, bus_mem_entry_create(&message));
    o->ghosts = n;
}

static void take_down(struct sim *sim, enum service_id service)
{
    for (unsigned i = 0; i < INSTANCES; i++) {
        struct instance *instance = &sim->instances[service * INSTANCES + i];
        instance_crash(instance);
        instance->down_until = sim->step + DOWN_STEPS;
        instance->old_release = false;
    }
}

void outage_begin(struct sim *sim, bool anew, struct random *random)
{
    static const struct {
        enum service_id service;
        int topic;
    } inputs[] = {{INGEST, TOPIC_EVENTS},
                  {INGEST, TOPIC_COMMANDS_INGEST},
                  {JOURNEY, TOPIC_ACCEPTED},
                  {JOURNEY, TOPIC_COMMANDS_JOURNEY_STATE}};
    struct outage *o = &sim->outage;
    unsigned first = (unsigned)below(random, ARRAY_SIZE(inputs) * 4);
    for (unsigned k = 0; k < ARRAY_SIZE(inputs) * 4 && !o->state; k++) {
        unsigned i = (first + k) % ARRAY_SIZE(inputs);
        int32_t partition = (int32_t)((first + k) / ARRAY_SIZE(inputs)) % sim->partitions;
        int64_t next = outage_read_until(sim, inputs[i].service, inputs[i].topic, partition);
        struct mem_log *log = bus_mem_log_get(sim->cluster, inputs[i].topic, partition);
        if (next <= 0 || log->begin > 0 || (!anew && log->end <= next))
            continue;
        *o = (struct outage){.state = OUTAGE_DOWN,
                             .anew = anew,
                             .service = inputs[i].service,
                             .topic = inputs[i].topic,
                             .partition = partition,
                             .until = UINT_MAX};
        take_down(sim, o->service);
        while (fault_late_commit(sim, o->service))
            ; /* what it had sent happens before, or never */
        next = outage_read_until(sim, o->service, o->topic, partition);
        if (!anew && log->end <= next) {
            *o = (struct outage){0};
            continue;
        }
        o->next = next;
        o->saved = *log;
        *log = (struct mem_log){0};
        if (anew) {
            /* exactly what was read but one: only the next record tells */
            unsigned n = (unsigned)below(random, 2 * (uint64_t)next);
            add_ghosts(sim, o, n + (n == next - 1));
        } else {
            log->entries = bus_mem_alloc((size_t)(o->saved.end + 1) * sizeof(*log->entries));
            log->capacity = (size_t)o->saved.end + 1;
            memcpy(log->entries, o->saved.entries,
                   (size_t)o->saved.end * sizeof(struct mem_entry *));
            log->end = o->saved.end;
            drop_front(log, next + 1 + (int64_t)below(random, (uint64_t)(log->end - next)));
        }
        tally.faults[anew ? FAULT_ANEW : FAULT_RETENTION]++;
        story(sim, "FAULT %s of %s is down, %s/%d %s: read until %lld, the log holds %lld..%lld",
              o->service == INGEST ? "ingest" : "journey-state", "all", topic_name(o->topic),
              partition, anew ? "is made anew" : "expires", (long long)next, (long long)log->begin,
              (long long)log->end);
    }
}

void outage_stopped(struct instance *instance, const char *fields)
{
    struct sim *sim = instance->sim;
    struct outage *o = &sim->outage;
    char partition[40];
    (void)snprintf(partition, sizeof(partition), "\"partition\":%d,", o->partition);
    if (!o->state || instance->service != o->service || !strstr(fields, partition)) {
        violation(sim, "a partition stopped without cause: %s", fields);
        return;
    }
    tally.steps[STEP_STOPPED]++;
    o->state = OUTAGE_STOPPED;
}

/* The log as it was, and behind it what came meanwhile. */
static void restore(struct sim *sim)
{
    struct outage *o = &sim->outage;
    struct mem_log *log = bus_mem_log_get(sim->cluster, o->topic, o->partition), now = *log;
    int64_t known = o->anew ? o->ghosts : o->saved.end;
    *log = o->saved;
    for (int64_t i = now.begin; i < now.end; i++) {
        struct mem_entry *entry = now.entries[i - now.begin];
        if (i < known)
            bus_mem_entry_unref(entry);
        else
            bus_mem_log_append(sim->cluster, entry);
    }
    free(now.entries);
    story(sim, "the operator restores %s/%d: it holds %lld..%lld", topic_name(o->topic),
          o->partition, (long long)log->begin, (long long)log->end);
    *o = (struct outage){0};
}

/* The new log ends exactly where the reader begins: only the next record tells, and none came. */
static bool nothing_tells(struct sim *sim)
{
    const struct outage *o = &sim->outage;
    return o->anew && bus_mem_log_get(sim->cluster, o->topic, o->partition)->end == o->next - 1;
}

void outage_step(struct sim *sim)
{
    struct outage *o = &sim->outage;
    if (o->state == OUTAGE_DOWN && sim->draining && o->until > sim->step + DRAIN_ROUNDS)
        o->until = sim->step + DRAIN_ROUNDS;
    if (o->state == OUTAGE_DOWN && sim->step >= o->until && nothing_tells(sim))
        o->state = OUTAGE_STOPPED;
    if (o->state == OUTAGE_DOWN && sim->step >= o->until)
        violation(sim, "%s/%d %s, and its reader did not stop", topic_name(o->topic), o->partition,
                  o->anew ? "was made anew" : "lost what was not read");
    if (o->state != OUTAGE_STOPPED)
        return;
    take_down(sim, o->service);
    restore(sim);
    for (unsigned i = 0; i < ALL_INSTANCES && sim->draining; i++)
        sim->instances[i].down_until = 0;
}

void outage_close(struct sim *sim)
{
    if (sim->outage.state)
        restore(sim);
}
