/*
 * The group member: takes part in the group protocol and says which partition numbers it was given. It assigns itself
 * nothing, so librdkafka fetches nothing for it; what the numbers mean is the caller's affair.
 *
 * A revocation is answered at once and not reported: the owner works on until the next assignment, and a fence in the
 * store keeps a late one from harm. Only when the membership itself was lost is the empty set reported.
 */
#include "kafka.h"

#include <stdlib.h>

static const struct kafka_setting MEMBER[] = {
    {"partition.assignment.strategy", "range"},
    /* A member that leaves is missed at the others' next heartbeat. */
    {"heartbeat.interval.ms", "200"},
    {"session.timeout.ms", "6000"}, /* the least that brokers allow by default */
    /* Also how long a rebalance waits for a member whose loop hangs while its threads live. */
    {"max.poll.interval.ms", "60000"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
};

static void set_assignment(struct kafka_member *member,
                           const rd_kafka_topic_partition_list_t *partitions)
{
    member->n_partitions = 0;
    member->assignment_due = true;
    free(member->partitions);
    member->partitions = NULL;
    if (!partitions || partitions->cnt == 0)
        return;
    member->partitions = calloc((size_t)partitions->cnt, sizeof(*member->partitions));
    if (!member->partitions)
        abort();
    for (int i = 0; i < partitions->cnt; i++)
        member->partitions[member->n_partitions++] = partitions->elems[i].partition;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct kafka_bus *bus = opaque;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        set_assignment(&bus->member, partitions);
        rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
        rd_kafka_assign(rk, none);
        rd_kafka_topic_partition_list_destroy(none);
        return;
    }
    if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || rd_kafka_assignment_lost(rk))
        set_assignment(&bus->member, NULL);
    rd_kafka_assign(rk, NULL);
}

static rd_kafka_t *create_client(struct kafka_bus *bus, const char *group, struct err *err)
{
    char name[KAFKA_NAME_SIZE];
    rd_kafka_conf_t *conf =
        bus_kafka_conf_create(bus->brokers, bus->client_id, MEMBER, ARRAY_SIZE(MEMBER), err);
    if (!conf)
        return NULL;
    if (rd_kafka_conf_set(conf, "group.id", bus_kafka_name(name, bus->prefix, group), NULL, 0) !=
        RD_KAFKA_CONF_OK) {
        err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "group name %s", name);
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_opaque(conf, bus);
    rd_kafka_conf_set_error_cb(conf, bus_kafka_error_cb);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    return bus_kafka_client_create(RD_KAFKA_CONSUMER, conf, err);
}

int bus_kafka_member_join(struct bus *bus, const char *group, int topic, struct err *err)
{
    struct kafka_bus *b = kafka_bus(bus);
    int r = bus_partition_check(topic, 0, b->partitions, err);
    if (r < 0)
        return r;
    if (b->member.rk)
        return err_set(err, ERR_CONFLICT, ERR_CLASS_PERMANENT, "already a member of a group");
    rd_kafka_t *rk = create_client(b, group, err);
    if (!rk)
        return ERR_INVALID;
    rd_kafka_poll_set_consumer(rk);
    b->member.rk = rk;
    b->member.queue = rd_kafka_queue_get_consumer(rk);
    bus_kafka_watch(b, b->member.queue);

    char name[KAFKA_NAME_SIZE];
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, bus_kafka_name(name, b->prefix, topic_name(topic)),
                                      RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code) {
        bus_kafka_member_leave(bus);
        return bus_kafka_err_set(err, code, "subscribe", NULL);
    }
    return 0;
}

void bus_kafka_member_leave(struct bus *bus)
{
    struct kafka_bus *b = kafka_bus(bus);
    if (!b->member.rk)
        return;
    rd_kafka_queue_io_event_enable(b->member.queue, -1, NULL, 0);
    rd_kafka_unsubscribe(b->member.rk);
    rd_kafka_consumer_close(b->member.rk); /* calls on_rebalance; sends LeaveGroup */
    rd_kafka_queue_destroy(b->member.queue);
    rd_kafka_destroy(b->member.rk);
    b->member.rk = NULL;
    b->member.queue = NULL;
    set_assignment(&b->member, NULL);
    bus_kafka_wake(b);
}

/* Polling also tells librdkafka that the owner is alive (max.poll.interval.ms). */
void bus_kafka_member_serve(struct kafka_bus *bus)
{
    rd_kafka_message_t *message;
    while (bus->member.rk && (message = rd_kafka_consumer_poll(bus->member.rk, 0))) {
        if (message->err)
            bus_kafka_note_error(bus, message->err, "group", rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
}

bool bus_kafka_member_poll(struct kafka_bus *bus, struct bus_event *event)
{
    if (!bus->member.assignment_due)
        return false;
    bus->member.assignment_due = false;
    event->type = BUS_ASSIGNMENT;
    event->partitions = bus->member.partitions;
    event->n_partitions = bus->member.n_partitions;
    bus->member.partitions = NULL;
    return true;
}
