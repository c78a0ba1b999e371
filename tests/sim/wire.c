/*
 * An instance's bus: the twin's reading and membership, and a producer of its own. What is sent waits here until it is
 * delivered: in order within a partition, in any order between them. What a reset or a crash finds waiting is lost, or
 * arrives later all the same, as a broker may write what was under way. Ownership may be lost without being told.
 */
#include "sim.h"

#include <stdlib.h>

static struct sim_bus *of(struct bus *bus)
{
    return (struct sim_bus *)(void *)bus; /* its first member */
}

static struct instance *owner_of(struct sim_bus *bus)
{
    return (struct instance *)(void *)((char *)bus - offsetof(struct instance, bus));
}

/* ---- membership ---- */

static int wire_join(struct bus *bus, const char *group, int topic, struct err *err)
{
    of(bus)->group = group;
    of(bus)->group_topic = topic;
    return bus_join(of(bus)->inner, group, topic, err);
}

static void wire_leave(struct bus *bus)
{
    bus_leave(of(bus)->inner);
    of(bus)->group = NULL;
}

void wire_kick(struct instance *instance)
{
    if (!instance->up || instance->bus.kicked || !instance->bus.group)
        return;
    instance->bus.kicked = true;
    bus_leave(instance->bus.inner);
}

void wire_rejoin(struct instance *instance)
{
    struct err err = {0};
    if (!instance->up || !instance->bus.kicked)
        return;
    instance->bus.kicked = false;
    if (bus_join(instance->bus.inner, instance->bus.group, instance->bus.group_topic, &err) < 0)
        abort();
}

/* ---- reading ---- */

/* When told, and now and then while a log is not what it was: then it is asked about. */
static bool fails(struct instance *instance)
{
    struct sim *sim = instance->sim;
    bool told = instance->fail_asking > 0;
    instance->fail_asking -= told;
    return told || (sim->outage.state && mix(sim->plan->seed, sim->step) % 3 == 0);
}

static int not_now(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "made to fail");
}

static int wire_start(struct bus *bus, int topic, int32_t partition, int64_t offset,
                      enum bus_lane lane, struct err *err)
{
    if (fails(owner_of(of(bus))))
        return not_now(err);
    return bus_start(of(bus)->inner, topic, partition, offset, lane, err);
}

static void wire_stop(struct bus *bus, int topic, int32_t partition)
{
    bus_stop(of(bus)->inner, topic, partition);
}

static int wire_ranges(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
                       struct err *err)
{
    if (fails(owner_of(of(bus))))
        return not_now(err);
    return bus_ranges(of(bus)->inner, spans, n, timeout_ms, err);
}

static int wire_poll_lane(struct bus *bus, enum bus_lane lane, struct bus_event *event)
{
    struct sim *sim = owner_of(of(bus))->sim;
    if (lane == BUS_LANE_MIRRORS && !owner_of(of(bus))->ready &&
        mix(sim->step, sim->plan->seed) % 2)
        return 0; /* its records are still on their way: nothing waits for them but the beginning */
    int got = bus_poll_lane(of(bus)->inner, lane, event);
    sim->progress += got > 0;
    return got;
}

static void wire_release(struct bus *bus, struct bus_event *event)
{
    bus_event_release(of(bus)->inner, event);
}

/* ---- sending ---- */

static int wire_send(struct bus *bus, const struct bus_message *message, struct err *err)
{
    struct sim_bus *b = of(bus);
    struct instance *instance = owner_of(b);
    int status = bus_message_check(message, instance->sim->partitions, err);
    if (status < 0)
        return status;
    if (b->n_wires >= (instance->full_until > instance->sim->step ? 2 : 2000))
        return err_set(err, ERR_FULL, ERR_CLASS_TRANSIENT, "the queue is full");
    struct wire *wire = bus_mem_alloc(sizeof(*wire));
    wire->entry = bus_mem_entry_create(message);
    wire->cookie = message->cookie;
    *b->tail = wire;
    b->tail = &wire->next;
    b->n_wires++;
    return 0;
}

static void write_entry(struct sim *sim, struct mem_entry *entry)
{
    bus_mem_log_append(sim->cluster, entry);
    sim->progress++;
    ledger_written(sim, &entry->record);
}

static void add_report(struct sim_bus *b, uint64_t cookie, bool failed)
{
    if (b->n_reports == b->reports_capacity) {
        b->reports_capacity = b->reports_capacity ? 2 * b->reports_capacity : 64;
        b->reports = reallocarray(b->reports, b->reports_capacity, sizeof(*b->reports));
        if (!b->reports)
            abort();
    }
    b->reports[b->n_reports++] = (struct report){cookie, failed};
}

/* The first message to some partition arrives, or fails. */
bool wire_deliver(struct instance *instance, struct random *random)
{
    struct sim_bus *b = &instance->bus;
    if (!instance->up || !b->n_wires)
        return false;
    struct wire *chosen = b->wires;
    for (uint64_t skip = below(random, b->n_wires); skip; skip--)
        chosen = chosen->next;
    struct wire **p = &b->wires;
    while ((*p)->entry->record.topic != chosen->entry->record.topic ||
           (*p)->entry->record.partition != chosen->entry->record.partition)
        p = &(*p)->next;
    struct wire *wire = *p;
    *p = wire->next;
    if (!*p)
        b->tail = p;
    b->n_wires--;
    unsigned failure = instance->fail_send;
    instance->fail_send = 0;
    if (failure == 1)
        bus_mem_entry_unref(wire->entry);
    else
        write_entry(instance->sim, wire->entry);
    if (failure)
        story(instance->sim, "%s: a delivery fails%s", instance_name(instance),
              failure == 2 ? ", though it was written" : "");
    add_report(b, wire->cookie, failure != 0);
    instance->sim->progress++;
    free(wire);
    return true;
}

/* Of each partition's waiting messages the first few are still on their way. */
static void abandon(struct instance *instance, struct random *random)
{
    struct sim *sim = instance->sim;
    struct sim_bus *b = &instance->bus;
    bool gone[2 * TOPIC_COUNT][MAX_PARTITIONS] = {0};
    while (b->wires) {
        struct wire *wire = b->wires;
        b->wires = wire->next;
        bool *lost = &gone[topic_slot(wire->entry->record.topic)][wire->entry->record.partition];
        *lost = *lost || !random || below(random, 2);
        if (*lost) {
            bus_mem_entry_unref(wire->entry);
            free(wire);
            continue;
        }
        wire->next = NULL;
        *sim->late_tail = wire;
        sim->late_tail = &wire->next;
    }
    b->tail = &b->wires;
    b->n_wires = 0;
    b->n_reports = b->next_report = 0;
}

static void wire_reset(struct bus *bus)
{
    struct instance *instance = owner_of(of(bus));
    struct random random = {mix(instance->sim->plan->seed, instance->sim->step + 77777)};
    tally.steps[STEP_PRODUCER_RESET]++;
    abandon(instance, &random);
}

bool wire_late(struct sim *sim)
{
    struct wire *wire = sim->late;
    if (!wire)
        return false;
    sim->late = wire->next;
    if (!sim->late)
        sim->late_tail = &sim->late;
    write_entry(sim, wire->entry);
    free(wire);
    return true;
}

static size_t wire_unreported(struct bus *bus)
{
    return of(bus)->n_wires + of(bus)->n_reports - of(bus)->next_report;
}

/* Nobody here asks: services bound what they say by their outboxes. */
static size_t wire_unreported_bytes(struct bus *bus)
{
    return 0;
}

static bool poll_report(struct sim_bus *b, struct bus_event *event)
{
    if (b->next_report == b->n_reports) {
        b->n_reports = b->next_report = 0;
        return false;
    }
    const struct report *report = &b->reports[b->next_report++];
    event->type = report->failed ? BUS_PRODUCER_FAILED : BUS_DELIVERED;
    event->cookie = report->cookie;
    if (report->failed)
        err_set(&event->err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "made to fail");
    return true;
}

static int wire_poll_control(struct bus *bus, struct bus_event *event)
{
    struct sim_bus *b = of(bus);
    while (bus_poll_control(b->inner, event)) {
        if (event->type != BUS_ASSIGNMENT || !b->kicked)
            return 1;
        bus_event_release(b->inner, event); /* it does not know */
    }
    return poll_report(b, event);
}

static int wire_fd(struct bus *bus)
{
    return -1;
}

static void wire_drain_fd(struct bus *bus) {}

static int32_t wire_partitions(struct bus *bus)
{
    return owner_of(of(bus))->sim->partitions;
}

static void wire_destroy(struct bus *bus) {}

static const struct bus_ops ops = {
    .join = wire_join,
    .leave = wire_leave,
    .start = wire_start,
    .stop = wire_stop,
    .ranges = wire_ranges,
    .send = wire_send,
    .producer_reset = wire_reset,
    .unreported = wire_unreported,
    .unreported_bytes = wire_unreported_bytes,
    .poll_control = wire_poll_control,
    .poll_lane = wire_poll_lane,
    .release = wire_release,
    .fd = wire_fd,
    .drain_fd = wire_drain_fd,
    .partitions = wire_partitions,
    .destroy = wire_destroy,
};

void wire_open(struct instance *instance)
{
    struct sim_bus *b = &instance->bus;
    *b = (struct sim_bus){.bus = {&ops}, .inner = bus_mem_create(instance->sim->cluster)};
    b->tail = &b->wires;
}

void wire_close(struct instance *instance, struct random *random)
{
    abandon(instance, random);
    bus_destroy(&instance->bus.inner);
    free(instance->bus.reports);
}
