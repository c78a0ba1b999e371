/* A table with open addressing; producers are few (a service's partitions), so it stays small. */
#include "repeats.h"

#include <stdlib.h>

#define LIMIT     65536 /* producers in all: 16 partitions read of 4,096 each */
#define NAME_SIZE 112

struct entry {
    bool used;
    int32_t partition;
    size_t size;
    uint8_t producer[NAME_SIZE];
    uint64_t last, ahead; /* ahead: the highest number passed over */
};

struct repeats {
    bool compacted;
    struct entry *entries;
    size_t capacity, count; /* capacity: a power of two */
};

struct repeats *repeats_create(bool compacted)
{
    struct repeats *repeats = calloc(1, sizeof(*repeats));
    if (repeats)
        repeats->compacted = compacted;
    return repeats;
}

void repeats_destroy(struct repeats **repeats)
{
    if (*repeats)
        free((*repeats)->entries);
    free(*repeats);
    *repeats = NULL;
}

static struct entry *find(const struct repeats *repeats, int32_t partition, struct slice producer)
{
    uint64_t hash = hash64(producer.data, producer.size, (uint64_t)partition);
    for (size_t i = hash & (repeats->capacity - 1);; i = (i + 1) & (repeats->capacity - 1)) {
        struct entry *e = &repeats->entries[i];
        if (!e->used ||
            (e->partition == partition && slice_equal(slice_make(e->producer, e->size), producer)))
            return e;
    }
}

static int grow(struct repeats *repeats)
{
    struct repeats bigger = *repeats;
    bigger.capacity = repeats->capacity ? 2 * repeats->capacity : 256;
    bigger.entries = calloc(bigger.capacity, sizeof(*bigger.entries));
    if (!bigger.entries)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < repeats->capacity; i++) {
        const struct entry *e = &repeats->entries[i];
        if (e->used)
            *find(&bigger, e->partition, slice_make(e->producer, e->size)) = *e;
    }
    free(repeats->entries);
    repeats->entries = bigger.entries;
    repeats->capacity = bigger.capacity;
    return 0;
}

static enum repeats_answer take_known(struct entry *e, uint64_t number, bool compacted)
{
    if (number <= e->last)
        return REPEATS_REPEAT;
    if (number > e->last + 1 && !compacted) {
        e->ahead = number > e->ahead ? number : e->ahead;
        return REPEATS_AHEAD;
    }
    e->last = number;
    return REPEATS_TAKE;
}

/* A place for a new producer; the table stays at most half full. */
static struct entry *entry_add(struct repeats *repeats, int32_t partition, struct slice producer)
{
    if (repeats->count >= LIMIT)
        return NULL;
    if (2 * repeats->count >= repeats->capacity && grow(repeats) < 0)
        return NULL;
    struct entry *e = find(repeats, partition, producer);
    *e = (struct entry){.used = true, .partition = partition, .size = producer.size};
    if (producer.size > 0)
        memcpy(e->producer, producer.data, producer.size);
    repeats->count++;
    return e;
}

enum repeats_answer repeats_take(struct repeats *repeats, int32_t partition, struct slice producer,
                                 uint64_t number)
{
    if (producer.size > NAME_SIZE)
        return REPEATS_FULL;
    struct entry *e = repeats->capacity ? find(repeats, partition, producer) : NULL;
    if (e && e->used)
        return take_known(e, number, repeats->compacted);
    e = entry_add(repeats, partition, producer);
    if (!e)
        return REPEATS_FULL;
    e->last = number;
    return REPEATS_TAKE;
}

unsigned repeats_holes(const struct repeats *repeats)
{
    unsigned holes = 0;
    for (size_t i = 0; i < repeats->capacity; i++)
        holes += repeats->entries[i].used && repeats->entries[i].ahead > repeats->entries[i].last;
    return holes;
}
