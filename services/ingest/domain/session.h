#pragma once
/* Which session an event belongs to: a device's recent sessions, and the rule. */
#include "base.h"

#define INGEST_MAX_SESSIONS      32
#define INGEST_MAX_SESSION_BYTES 1800 /* of them all, as kept: the state stays under 1,900 bytes */
#define INGEST_IDLE_US           (30 * MINUTE_US)

struct ingest_session {
    struct slice id;
    int64_t start_us, last_us;
    bool named; /* started or named by the client */
};

/* Oldest activity first. */
struct ingest_device {
    uint8_t tenant[16], device[16];
    struct ingest_session sessions[INGEST_MAX_SESSIONS + 1];
    unsigned n;
};

struct ingest_visit {
    struct slice session_id;
    bool opens;     /* the device had no such session */
    bool returning; /* it had an earlier one */
};

/*
 * The event at time_us belongs to the session that it names, if any; else to one of the device's
 * with time_us in [start - idle, last + idle]: a named one before others, then the nearest, then the
 * earlier; else to a new one. That session grows to hold it.
 */
struct ingest_visit ingest_device_visit(struct ingest_device *device, struct slice named,
                                        struct slice message_id, int64_t time_us, int64_t idle_us,
                                        struct arena *arena);
