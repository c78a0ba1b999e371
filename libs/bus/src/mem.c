/*
 * The twin of the Kafka bus: same operations, same events, nothing of its own accord. What a step
 * would do later on a broker happens at once (a record is in the log when send returns, members see
 * the new assignment at their next poll), unless the bus holds its messages back: see bus_mem_hold.
 *
 * The old owner of a partition keeps it until it polls its new assignment, as with Kafka.
 */
#include "mem.h"

#include <stdlib.h>

/* ---- membership ---- */

static bool same_group(const struct mem_bus *a, const struct mem_bus *b)
{
    return a->group && b->group && strcmp(a->group, b->group) == 0 &&
           a->group_topic == b->group_topic;
}

static void rebalance(struct mem_bus *changed)
{
    for (struct mem_bus *b = changed->cluster->buses; b; b = b->next)
        if (same_group(b, changed))
            b->assignment_due = true;
}

static int mem_join(struct bus *bus, const char *group, int topic, struct err *err)
{
    struct mem_bus *b = mem_bus(bus);
    int r = bus_partition_check(topic, 0, b->cluster->partitions, err);
    if (r < 0)
        return r;
    if (b->group)
        return err_set(err, ERR_CONFLICT, ERR_CLASS_PERMANENT, "already a member of %s", b->group);
    b->group = strdup(group);
    if (!b->group)
        abort();
    b->group_topic = topic;
    rebalance(b);
    return 0;
}

static void mem_leave(struct bus *bus)
{
    struct mem_bus *b = mem_bus(bus);
    if (!b->group)
        return;
    rebalance(b); /* its own due assignment will be the empty one */
    free(b->group);
    b->group = NULL;
}

/* Kafka's range assignor: contiguous, the first members one more. */
static bool poll_assignment(struct mem_bus *b, struct bus_event *event)
{
    if (!b->assignment_due)
        return false;
    b->assignment_due = false;
    event->type = BUS_ASSIGNMENT;
    event->partitions = NULL;
    event->n_partitions = 0;
    int32_t members = 0, mine = 0;
    for (struct mem_bus *m = b->cluster->buses; m; m = m->next) {
        if (m == b)
            mine = members;
        members += same_group(m, b);
    }
    if (members == 0)
        return true;
    int32_t each = b->cluster->partitions / members, more = b->cluster->partitions % members;
    int32_t first = mine * each + (mine < more ? mine : more);
    int32_t count = each + (mine < more);
    if (count == 0)
        return true;
    event->partitions = bus_mem_alloc((size_t)count * sizeof(*event->partitions));
    event->n_partitions = (unsigned)count;
    for (int32_t i = 0; i < count; i++)
        event->partitions[i] = first + i;
    return true;
}

/* ---- sending ---- */

static int mem_send(struct bus *bus, const struct bus_message *message, struct err *err)
{
    struct mem_bus *b = mem_bus(bus);
    int r = bus_message_check(message, b->cluster->partitions, err);
    if (r < 0)
        return r;
    if (b->n_sent >= b->max_sent)
        return err_set(err, ERR_FULL, ERR_CLASS_TRANSIENT, "%zu messages are not reported yet",
                       b->n_sent);
    struct mem_sent *sent = bus_mem_alloc(sizeof(*sent));
    sent->cookie = message->cookie;
    sent->bytes = message->key.size + message->value.size;
    b->sent_bytes += sent->bytes;
    sent->failed = b->fail_next;
    sent->entry = bus_mem_entry_create(message);
    b->fail_next = false;
    *b->sent_tail = sent;
    b->sent_tail = &sent->next;
    b->n_sent++;
    if (!b->held)
        b->held = sent;
    if (!b->holding)
        bus_mem_deliver(bus, b->n_sent);
    return 0;
}

size_t bus_mem_deliver(struct bus *bus, size_t messages)
{
    struct mem_bus *b = mem_bus(bus);
    size_t delivered = 0;
    for (; delivered < messages && b->held; delivered++, b->held = b->held->next) {
        if (b->held->failed)
            bus_mem_entry_unref(b->held->entry);
        else
            bus_mem_log_append(b->cluster, b->held->entry);
        b->held->entry = NULL;
    }
    return delivered;
}

void bus_mem_hold(struct bus *bus, bool hold)
{
    struct mem_bus *b = mem_bus(bus);
    b->holding = hold;
    if (!hold)
        bus_mem_deliver(bus, b->n_sent);
}

static void sent_pop(struct mem_bus *b)
{
    struct mem_sent *sent = b->sent;
    b->sent = sent->next;
    if (!b->sent)
        b->sent_tail = &b->sent;
    b->n_sent--;
    b->sent_bytes -= sent->bytes;
    bus_mem_entry_unref(sent->entry);
    free(sent);
}

static bool poll_report(struct mem_bus *b, struct bus_event *event)
{
    if (!b->sent || b->sent == b->held)
        return false;
    event->type = b->sent->failed ? BUS_PRODUCER_FAILED : BUS_DELIVERED;
    event->cookie = b->sent->cookie;
    if (b->sent->failed)
        err_set(&event->err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "made to fail");
    sent_pop(b);
    return true;
}

static void mem_producer_reset(struct bus *bus)
{
    struct mem_bus *b = mem_bus(bus);
    b->held = NULL;
    while (b->sent)
        sent_pop(b);
}

static size_t mem_unreported(struct bus *bus)
{
    return mem_bus(bus)->n_sent;
}

static size_t mem_unreported_bytes(struct bus *bus)
{
    return mem_bus(bus)->sent_bytes;
}

/* ---- the rest ---- */

static int mem_poll_control(struct bus *bus, struct bus_event *event)
{
    struct mem_bus *b = mem_bus(bus);
    return poll_assignment(b, event) || bus_mem_reader_poll_gone(b, event) || poll_report(b, event);
}

static void mem_release(struct bus *bus, struct bus_event *event)
{
    if (event->type == BUS_RECORD) {
        bus_mem_entry_unref(event->record.handle);
        event->record.handle = NULL;
    } else if (event->type == BUS_ASSIGNMENT) {
        free(event->partitions);
        event->partitions = NULL;
    }
}

static int mem_fd(struct bus *bus)
{
    return -1;
}
static void mem_drain_fd(struct bus *bus) {}
static int32_t mem_partitions(struct bus *bus)
{
    return mem_bus(bus)->cluster->partitions;
}

static void mem_destroy(struct bus *bus)
{
    struct mem_bus *b = mem_bus(bus);
    mem_leave(bus);
    mem_producer_reset(bus);
    for (int lane = 0; lane < BUS_LANE_COUNT; lane++)
        free(b->lanes[lane].items);
    free(b->gone.items);
    struct mem_bus **at = &b->cluster->buses;
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    free(b);
}

static const struct bus_ops MEM_OPS = {
    .join = mem_join,
    .leave = mem_leave,
    .start = bus_mem_reader_start,
    .stop = bus_mem_reader_stop,
    .ranges = bus_mem_reader_ranges,
    .send = mem_send,
    .producer_reset = mem_producer_reset,
    .unreported = mem_unreported,
    .unreported_bytes = mem_unreported_bytes,
    .poll_control = mem_poll_control,
    .poll_lane = bus_mem_reader_poll_lane,
    .release = mem_release,
    .fd = mem_fd,
    .drain_fd = mem_drain_fd,
    .partitions = mem_partitions,
    .destroy = mem_destroy,
};

struct bus *bus_mem_create(struct bus_mem_cluster *cluster)
{
    struct mem_bus *b = bus_mem_alloc(sizeof(*b));
    b->bus.ops = &MEM_OPS;
    b->cluster = cluster;
    b->sent_tail = &b->sent;
    b->max_sent = 100000;
    struct mem_bus **at = &cluster->buses;
    while (*at)
        at = &(*at)->next;
    *at = b;
    return &b->bus;
}

void bus_mem_set_send_queue(struct bus *bus, size_t messages)
{
    mem_bus(bus)->max_sent = messages;
}

void bus_mem_fail_next(struct bus_mem_cluster *cluster, struct bus *bus)
{
    assert(mem_bus(bus)->cluster == cluster);
    mem_bus(bus)->fail_next = true;
}
