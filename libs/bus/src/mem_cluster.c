/* The twin's logs: what the broker would keep. */
#include "mem.h"

#include <stdlib.h>

void *bus_mem_alloc(size_t size)
{
    void *p = calloc(1, size);
    if (!p)
        abort();
    return p;
}

struct mem_log *bus_mem_log_get(const struct bus_mem_cluster *cluster, int topic, int32_t partition)
{
    assert(topic_valid(topic) && partition >= 0 && partition < cluster->partitions);
    return &cluster
                ->logs[(size_t)topic_slot(topic) * (size_t)cluster->partitions + (size_t)partition];
}

static struct slice copy_bytes(char **at, struct slice s)
{
    if (!s.data)
        return slice_make(NULL, 0);
    struct slice copy = slice_make(*at, s.size);
    if (s.size > 0)
        memcpy(*at, s.data, s.size);
    *at += s.size;
    return copy;
}

struct mem_entry *bus_mem_entry_create(const struct bus_message *message)
{
    struct mem_entry *entry =
        bus_mem_alloc(sizeof(*entry) + bus_message_bytes(message) + message->n_headers + 1);
    char *at = entry->bytes;
    entry->refs = 1;
    struct bus_record *record = &entry->record;
    record->topic = message->topic;
    record->partition = message->partition;
    record->key = copy_bytes(&at, message->key);
    record->value = copy_bytes(&at, message->value);
    record->n_headers = message->n_headers;
    for (unsigned i = 0; i < message->n_headers; i++) {
        const struct bus_header *header = &message->headers[i];
        record->headers[i].name = at;
        at = stpcpy(at, header->name) + 1;
        record->headers[i].value = copy_bytes(&at, header->value);
    }
    record->handle = entry;
    return entry;
}

void bus_mem_entry_unref(struct mem_entry *entry)
{
    if (entry && --entry->refs == 0)
        free(entry);
}

void bus_mem_log_append(struct bus_mem_cluster *cluster, struct mem_entry *entry)
{
    struct mem_log *log = bus_mem_log_get(cluster, entry->record.topic, entry->record.partition);
    size_t count = (size_t)(log->end - log->begin);
    if (count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 16;
        log->entries = reallocarray(log->entries, log->capacity, sizeof(struct mem_entry *));
        if (!log->entries)
            abort();
    }
    entry->record.offset = log->end++;
    entry->record.time_us = cluster->clock ? cluster->clock->now_us(cluster->clock) : 0;
    log->entries[count] = entry;
}

struct bus_mem_cluster *bus_mem_cluster_create(int32_t partitions)
{
    assert(partitions > 0);
    struct bus_mem_cluster *cluster = bus_mem_alloc(sizeof(*cluster));
    cluster->partitions = partitions;
    cluster->logs = bus_mem_alloc(sizeof(*cluster->logs) * TOPIC_SLOTS * (size_t)partitions);
    return cluster;
}

void bus_mem_cluster_destroy(struct bus_mem_cluster **cluster)
{
    struct bus_mem_cluster *c = *cluster;
    *cluster = NULL;
    if (!c)
        return;
    assert(!c->buses);
    for (size_t i = 0; i < TOPIC_SLOTS * (size_t)c->partitions; i++) {
        struct mem_log *log = &c->logs[i];
        for (int64_t n = 0; n < log->end - log->begin; n++)
            bus_mem_entry_unref(log->entries[n]);
        free(log->entries);
    }
    free(c->logs);
    free(c);
}

void bus_mem_set_clock(struct bus_mem_cluster *cluster, struct clock *clock)
{
    cluster->clock = clock;
}

int64_t bus_mem_end(const struct bus_mem_cluster *cluster, int topic, int32_t partition)
{
    return bus_mem_log_get(cluster, topic, partition)->end;
}

const struct bus_record *bus_mem_record(const struct bus_mem_cluster *cluster, int topic,
                                        int32_t partition, int64_t offset)
{
    const struct mem_log *log = bus_mem_log_get(cluster, topic, partition);
    if (offset < log->begin || offset >= log->end)
        return NULL;
    return &log->entries[offset - log->begin]->record;
}

void bus_mem_truncate(struct bus_mem_cluster *cluster, int topic, int32_t partition, int64_t begin)
{
    struct mem_log *log = bus_mem_log_get(cluster, topic, partition);
    begin = min_i64(begin, log->end);
    if (begin <= log->begin)
        return;
    for (int64_t n = 0; n < begin - log->begin; n++)
        bus_mem_entry_unref(log->entries[n]);
    memmove(log->entries, log->entries + (begin - log->begin),
            (size_t)(log->end - begin) * sizeof(struct mem_entry *));
    log->begin = begin;
    for (struct mem_bus *bus = cluster->buses; bus; bus = bus->next)
        bus_mem_reader_check(bus, topic, partition);
}
