#include "slots.h"

#include <stdlib.h>

/* A handle is the round of its place in the upper half, place + 1 in the lower. */
struct slots {
    unsigned limit, count, free;
    struct {
        void *thing;
        uint32_t round;
        unsigned next; /* of the free list */
    } places[];
};

struct slots *slots_create(unsigned limit)
{
    struct slots *slots = calloc(1, sizeof(*slots) + limit * sizeof(slots->places[0]));
    if (!slots)
        return NULL;
    slots->limit = limit;
    for (unsigned i = 0; i < limit; i++)
        slots->places[i].next = i + 1;
    return slots;
}

void slots_destroy(struct slots **slots)
{
    free(*slots);
    *slots = NULL;
}

uint64_t slots_add(struct slots *slots, void *thing)
{
    unsigned place = slots->free;
    if (place >= slots->limit)
        return 0;
    slots->free = slots->places[place].next;
    slots->places[place].thing = thing;
    slots->count++;
    return (uint64_t)slots->places[place].round << 32 | (place + 1);
}

void *slots_get(const struct slots *slots, uint64_t handle)
{
    uint32_t number = (uint32_t)handle;
    if (number == 0 || number > slots->limit ||
        slots->places[number - 1].round != (uint32_t)(handle >> 32))
        return NULL;
    return slots->places[number - 1].thing;
}

void slots_remove(struct slots *slots, uint64_t handle)
{
    if (!slots_get(slots, handle))
        return;
    unsigned place = (uint32_t)handle - 1;
    slots->places[place].thing = NULL;
    slots->places[place].round++;
    slots->places[place].next = slots->free;
    slots->free = place;
    slots->count--;
}

unsigned slots_count(const struct slots *slots)
{
    return slots->count;
}

void *slots_next(const struct slots *slots, unsigned *at)
{
    while (*at < slots->limit) {
        void *thing = slots->places[(*at)++].thing;
        if (thing)
            return thing;
    }
    return NULL;
}
