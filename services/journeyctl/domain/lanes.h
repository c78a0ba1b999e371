#pragma once
/* lanes: events divided among connections by their device, so that a device's events stay in order. */
#include "dataset.h"

struct lane_events {
    uint32_t *events; /* places in the data set, ascending time */
    size_t n;
};

/* Fills n_lanes lists, whose memory is freed one by one. ERR_NO_MEMORY: free what is there. */
int lanes_fill(struct lane_events *lanes, unsigned n_lanes,
               const struct dataset *dataset) MUST_CHECK;
