#pragma once
/*
 * The Kafka bus's parts: librdkafka clients, each made when first needed, that share one eventfd.
 *
 *   member     group protocol alone; fetches nothing
 *   readers    one simple consumer a lane; partitions are started one by one
 *   producer   idempotent; reports come through its main queue
 *
 * All callbacks run inside poll_control on the bus's thread; librdkafka's own threads touch nothing here but the
 * eventfd.
 */
#include "common.h"

#include <librdkafka/rdkafka.h>

struct kafka_setting {
    const char *name, *value;
};

struct kafka_member {
    rd_kafka_t *rk; /* NULL: no member */
    rd_kafka_queue_t *queue;
    bool assignment_due;
    int32_t *partitions;
    unsigned n_partitions;
};

enum kafka_slot_state {
    SLOT_IDLE,
    SLOT_READING,
    SLOT_GONE
};

/* One partition of a topic. */
struct kafka_slot {
    enum kafka_slot_state state;
    enum bus_lane lane;
    int64_t
        next; /* offset that comes next; BUS_OFFSET_BEGIN until the first record of such a start */
};

struct kafka_reader_topic {
    int topic;
    rd_kafka_topic_t
        *handles[BUS_LANE_COUNT]; /* of each lane's reader; their opaque is this struct */
    struct kafka_slot slots[];
};

/*
 * What may wait in each lane's queue; a fetch may go past it once. A full lane may wait for a fetch of idle partitions
 * (fetch.wait.max.ms), and this much lasts as long at 40 MB or 80,000 records a second.
 */
#define KAFKA_LANE_KBYTES  "4096"
#define KAFKA_LANE_RECORDS "8000"

/*
 * A client of its own for each lane: a client has one fetch under way, which names all that it reads, so in one client a
 * command would wait for events to be transferred, and the broker would look at every partition of every lane
 * for each command and each event.
 */
struct kafka_reader {
    rd_kafka_t *rk;
    rd_kafka_queue_t *errors;  /* its main queue */
    rd_kafka_queue_t *records; /* all partitions' */
    size_t bytes, n_records;   /* taken since the fetcher was last woken */
};

struct kafka_producer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *topics[TOPIC_SLOTS];
    rd_kafka_event_t *reports; /* the batch being handed out */
    size_t n_reports;          /* what is left of it */
    size_t unreported, unreported_bytes;
};

struct kafka_bus {
    struct bus bus;
    char *brokers, *client_id, *prefix;
    int32_t partitions;
    int delivery_timeout_ms, linger_ms;
    size_t send_queue_messages, send_queue_bytes;
    bool send_topics[TOPIC_SLOTS];
    int fd;
    struct kafka_member member;
    struct kafka_reader readers[BUS_LANE_COUNT];
    struct kafka_reader_topic *topics[TOPIC_SLOTS]; /* that were ever read */
    unsigned n_gone;                                /* slots in SLOT_GONE */
    struct kafka_producer producer;
    struct err error; /* the next BUS_ERROR */
    bool error_due;
    int64_t error_us; /* when the last one was handed out */
};

static inline struct kafka_bus *kafka_bus(struct bus *bus)
{
    return (struct kafka_bus *)bus;
}

/* ---- kafka.c ---- */

/* "<prefix><topic's Kafka name>" */
#define KAFKA_NAME_SIZE 256
const char *bus_kafka_name(char out[KAFKA_NAME_SIZE], const char *prefix, const char *name);
/* A configuration with the settings that all clients share and then `settings`; NULL and err when one is refused. */
rd_kafka_conf_t *bus_kafka_conf_create(const char *brokers, const char *client_id,
                                       const struct kafka_setting *settings, size_t n_settings,
                                       struct err *err);
int64_t bus_kafka_now_us(void); /* monotonic */
/* Takes conf. */
rd_kafka_t *bus_kafka_client_create(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err);
/* Status and class of an error of librdkafka; returns the status. */
int bus_kafka_err_set(struct err *err, rd_kafka_resp_err_t code, const char *what,
                      const char *detail);
/* For BUS_ERROR: the latest within a second, so that a broken network does not flood the log. */
void bus_kafka_note_error(struct kafka_bus *bus, rd_kafka_resp_err_t code, const char *what,
                          const char *detail);
void bus_kafka_error_cb(rd_kafka_t *rk, int code, const char *reason, void *opaque);
/* From now on the bus's fd becomes readable when something enters the empty queue. */
void bus_kafka_watch(struct kafka_bus *bus, rd_kafka_queue_t *queue);
void bus_kafka_wake(struct kafka_bus *bus);

/* ---- kafka_member.c ---- */

int bus_kafka_member_join(struct bus *bus, const char *group, int topic, struct err *err);
void bus_kafka_member_leave(struct bus *bus);
void bus_kafka_member_serve(struct kafka_bus *bus);
bool bus_kafka_member_poll(struct kafka_bus *bus, struct bus_event *event);

/* ---- kafka_reader.c ---- */

int bus_kafka_reader_start(struct bus *bus, int topic, int32_t partition, int64_t offset,
                           enum bus_lane lane, struct err *err);
void bus_kafka_reader_stop(struct bus *bus, int topic, int32_t partition);
int bus_kafka_reader_ranges(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
                            struct err *err);
/* Lets librdkafka fetch the partition from its slot's next offset into the slot's lane. */
int bus_kafka_reader_consume(struct kafka_bus *bus, struct kafka_reader_topic *topic,
                             int32_t partition, struct err *err);
void bus_kafka_reader_serve(struct kafka_bus *bus);
void bus_kafka_reader_destroy(struct kafka_bus *bus);

/* ---- kafka_lane.c ---- */

int bus_kafka_lane_poll(struct bus *bus, enum bus_lane lane, struct bus_event *event);
bool bus_kafka_lane_poll_gone(struct kafka_bus *bus, struct bus_event *event);

/* ---- kafka_producer.c ---- */

int bus_kafka_producer_create(struct kafka_bus *bus, struct err *err);
int bus_kafka_producer_send(struct bus *bus, const struct bus_message *message, struct err *err);
void bus_kafka_producer_reset(struct bus *bus);
size_t bus_kafka_producer_unreported(struct bus *bus);
size_t bus_kafka_producer_unreported_bytes(struct bus *bus);
bool bus_kafka_producer_poll(struct kafka_bus *bus, struct bus_event *event);
void bus_kafka_producer_destroy(struct kafka_bus *bus);
