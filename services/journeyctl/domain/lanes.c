#include "lanes.h"

#include <stdlib.h>

static unsigned lane_of(const struct dataset_event *event, unsigned n_lanes)
{
    return (unsigned)(hash64(event->device.data, event->device.size, 0) % n_lanes);
}

/* Counts, then fills: each list is as large as it must be. */
int lanes_fill(struct lane_events *lanes, unsigned n_lanes, const struct dataset *dataset)
{
    for (size_t i = 0; i < dataset->n_events; i++)
        lanes[lane_of(&dataset->events[i], n_lanes)].n++;
    for (unsigned i = 0; i < n_lanes; i++) {
        lanes[i].events = calloc(lanes[i].n + 1, sizeof(*lanes[i].events));
        if (!lanes[i].events)
            return ERR_NO_MEMORY;
        lanes[i].n = 0;
    }
    for (size_t i = 0; i < dataset->n_events; i++) {
        struct lane_events *lane = &lanes[lane_of(&dataset->events[i], n_lanes)];
        lane->events[lane->n++] = (uint32_t)i;
    }
    return 0;
}
