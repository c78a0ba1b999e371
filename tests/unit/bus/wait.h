#pragma once
/* Waiting for a bus: on its fd until a deadline; the twin has none and needs none. */
#include "bus.h"

int64_t wait_now_ms(void);
/* Until the bus has something, at most to the deadline; false: the deadline has passed. */
bool wait_bus(struct bus *bus, int64_t deadline_ms);
/* The next record of a lane, or the next control event of this type (others are dropped). Fails the test after 10 s. */
void wait_record(struct bus *bus, enum bus_lane lane, struct bus_event *event);
void wait_control(struct bus *bus, enum bus_event_type type, struct bus_event *event);
/* Nothing comes from this lane for so long. */
void wait_silence(struct bus *bus, enum bus_lane lane, int ms);
/* Reports until `count` have come; all of them deliveries. */
void wait_delivered(struct bus *bus, size_t count);
