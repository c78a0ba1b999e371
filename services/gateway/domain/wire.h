#pragma once
/*
 * journey.v1.EventBatch, written from slices. The generated code would want a NUL-terminated copy of each text, and
 * two walks over all of them for the sizes: more than all else that is done with an event here.
 */
#include "event.h"

/* The event as the batch's field: with tag and length, to be put one behind the other. Empty: the arena is full. */
struct slice gw_wire_event(const struct gw_event *event, struct slice sealed, struct arena *arena);
/* What stands before the events. */
struct slice gw_wire_batch(const uint8_t tenant[16], int64_t received_us, const char *client,
                           struct arena *arena);
