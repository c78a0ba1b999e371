/*
 * The twin's readers: a list for each lane, and one of readers whose offset the log does not have.
 * A lane is polled one record from each partition in turn.
 */
#include "mem.h"

#include <stdlib.h>

static void readers_add(struct mem_readers *readers, struct mem_reader reader)
{
    if (readers->count == readers->capacity) {
        readers->capacity = readers->capacity ? 2 * readers->capacity : 8;
        readers->items = reallocarray(readers->items, readers->capacity, sizeof(*readers->items));
        if (!readers->items)
            abort();
    }
    readers->items[readers->count++] = reader;
}

static struct mem_reader *readers_find(const struct mem_readers *readers, int topic,
                                       int32_t partition)
{
    for (size_t i = 0; i < readers->count; i++)
        if (readers->items[i].topic == topic && readers->items[i].partition == partition)
            return &readers->items[i];
    return NULL;
}

/* Keeps the order of the rest, so that a run replays. */
static void readers_remove(struct mem_readers *readers, int topic, int32_t partition)
{
    struct mem_reader *reader = readers_find(readers, topic, partition);
    if (!reader)
        return;
    size_t at = (size_t)(reader - readers->items);
    memmove(reader, reader + 1, (--readers->count - at) * sizeof(*reader));
    if (readers->next > at)
        readers->next--;
}

void bus_mem_reader_check(struct mem_bus *bus, int topic, int32_t partition)
{
    const struct mem_log *log = bus_mem_log_get(bus->cluster, topic, partition);
    for (int lane = 0; lane < BUS_LANE_COUNT; lane++) {
        struct mem_reader *reader = readers_find(&bus->lanes[lane], topic, partition);
        if (!reader || reader->offset == BUS_OFFSET_BEGIN ||
            (reader->offset >= log->begin && reader->offset <= log->end))
            continue;
        readers_add(&bus->gone, *reader);
        readers_remove(&bus->lanes[lane], topic, partition);
    }
}

int bus_mem_reader_start(struct bus *bus, int topic, int32_t partition, int64_t offset,
                         enum bus_lane lane, struct err *err)
{
    struct mem_bus *b = mem_bus(bus);
    int r = bus_partition_check(topic, partition, b->cluster->partitions, err);
    if (r < 0)
        return r;
    if (offset < 0 && offset != BUS_OFFSET_BEGIN)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "offset %lld", (long long)offset);
    for (int l = 0; l < BUS_LANE_COUNT; l++)
        if (readers_find(&b->lanes[l], topic, partition))
            return err_set(err, ERR_CONFLICT, ERR_CLASS_PERMANENT, "%s %d is being read",
                           topic_name(topic), partition);
    readers_remove(&b->gone, topic, partition);
    readers_add(&b->lanes[lane], (struct mem_reader){topic, partition, offset});
    bus_mem_reader_check(b, topic, partition);
    return 0;
}

void bus_mem_reader_stop(struct bus *bus, int topic, int32_t partition)
{
    struct mem_bus *b = mem_bus(bus);
    for (int lane = 0; lane < BUS_LANE_COUNT; lane++)
        readers_remove(&b->lanes[lane], topic, partition);
    readers_remove(&b->gone, topic, partition);
}

int bus_mem_reader_ranges(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
                          struct err *err)
{
    struct mem_bus *b = mem_bus(bus);
    int r = 0;
    for (unsigned i = 0; r >= 0 && i < n; i++)
        r = bus_partition_check(spans[i].topic, spans[i].partition, b->cluster->partitions, err);
    for (unsigned i = 0; r >= 0 && i < n; i++) {
        const struct mem_log *log = bus_mem_log_get(b->cluster, spans[i].topic, spans[i].partition);
        spans[i].next = log->begin;
        spans[i].end = log->end;
    }
    return r;
}

int bus_mem_reader_poll_lane(struct bus *bus, enum bus_lane lane, struct bus_event *event)
{
    struct mem_bus *b = mem_bus(bus);
    struct mem_readers *readers = &b->lanes[lane];
    for (size_t tried = 0; tried < readers->count; tried++) {
        if (readers->next >= readers->count)
            readers->next = 0;
        struct mem_reader *reader = &readers->items[readers->next++];
        const struct mem_log *log = bus_mem_log_get(b->cluster, reader->topic, reader->partition);
        if (reader->offset == BUS_OFFSET_BEGIN)
            reader->offset = log->begin;
        if (reader->offset >= log->end)
            continue;
        struct mem_entry *entry = log->entries[reader->offset++ - log->begin];
        entry->refs++;
        event->type = BUS_RECORD;
        event->record = entry->record;
        event->topic = entry->record.topic;
        event->partition = entry->record.partition;
        event->offset = entry->record.offset;
        return 1;
    }
    return 0;
}

bool bus_mem_reader_poll_gone(struct mem_bus *b, struct bus_event *event)
{
    if (b->gone.count == 0)
        return false;
    struct mem_reader reader = b->gone.items[0];
    readers_remove(&b->gone, reader.topic, reader.partition);
    event->type = BUS_OFFSET_GONE;
    event->topic = reader.topic;
    event->partition = reader.partition;
    event->offset = reader.offset;
    return true;
}
