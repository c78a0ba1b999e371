#pragma once
/*
 * The twin's parts. A cluster holds the logs and the list of buses; a bus holds what one process
 * would: its place in a group, its readers and its sent messages. An entry (one record) belongs to
 * its log and is also held by every event that lends it out, so that truncation under a reader's
 * hands is harmless.
 */
#include "common.h"

struct mem_entry {
    struct bus_record record; /* points into bytes; handle is this entry */
    unsigned refs;
    char bytes[];
};

struct mem_log {
    struct mem_entry **entries; /* [begin, end) */
    size_t capacity;
    int64_t begin, end;
};

struct mem_reader {
    int topic;
    int32_t partition;
    int64_t offset; /* next to be polled; BUS_OFFSET_BEGIN until the first */
};

struct mem_readers {
    struct mem_reader *items;
    size_t count, capacity, next; /* next: whose turn it is */
};

/* A message on its way: held → written or failed → its report polled. Reports come in order of
 * sending. */
struct mem_sent {
    struct mem_sent *next;
    struct mem_entry *entry; /* until written */
    uint64_t cookie;
    size_t bytes;
    bool failed;
};

struct mem_bus {
    struct bus bus;
    struct bus_mem_cluster *cluster;
    struct mem_bus *next; /* of the cluster's list, in order of creation */

    char *group; /* NULL: no member */
    int group_topic;
    bool assignment_due;

    struct mem_readers lanes[BUS_LANE_COUNT];
    struct mem_readers gone; /* stopped, BUS_OFFSET_GONE to be polled */

    struct mem_sent *sent, **sent_tail;
    struct mem_sent *held; /* the first of `sent` that is not yet written; NULL: none */
    size_t n_sent, max_sent, sent_bytes;
    bool holding, fail_next;
};

static inline struct mem_bus *mem_bus(struct bus *bus)
{
    return (struct mem_bus *)bus;
}

struct bus_mem_cluster {
    int32_t partitions;
    struct clock *clock;  /* NULL: records carry time 0 */
    struct mem_log *logs; /* by slot, then partition */
    struct mem_bus *buses;
};

void *bus_mem_alloc(size_t size); /* zeroed; out of memory aborts: the twin serves tests */
struct mem_log *bus_mem_log_get(const struct bus_mem_cluster *cluster, int topic,
                                int32_t partition);
void bus_mem_log_append(struct bus_mem_cluster *cluster,
                        struct mem_entry *entry); /* takes the entry */
struct mem_entry *bus_mem_entry_create(const struct bus_message *message);
void bus_mem_entry_unref(struct mem_entry *entry);

/* The bus's operations on readers. */
int bus_mem_reader_start(struct bus *bus, int topic, int32_t partition, int64_t offset,
                         enum bus_lane lane, struct err *err);
void bus_mem_reader_stop(struct bus *bus, int topic, int32_t partition);
int bus_mem_reader_ranges(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
                          struct err *err);
int bus_mem_reader_poll_lane(struct bus *bus, enum bus_lane lane, struct bus_event *event);
bool bus_mem_reader_poll_gone(struct mem_bus *bus, struct bus_event *event);
/* Stops what reads this partition at an offset that the log does not have; BUS_OFFSET_GONE follows.
 */
void bus_mem_reader_check(struct mem_bus *bus, int topic, int32_t partition);
