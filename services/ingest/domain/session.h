#pragma once
/* Which session an event belongs to: a device's recent sessions, and the rule. */
#include "consent.h"
#include "seen.h"

#define INGEST_MAX_SESSIONS 32
#define INGEST_IDLE_US      (30 * MINUTE_US)
#define INGEST_MAX_US       DAY_US /* that a session lasts */
/* Of sessions and open chunk, as kept: the row, with a session id of 100 bytes in a column, stays below the 2,032 bytes
 * from which on Postgres puts the state elsewhere. */
#define INGEST_MAX_DEVICE_BYTES 1740

struct ingest_session {
    struct slice id;
    int64_t start_us, last_us;
    uint64_t user; /* that it belongs to; 0: nobody known */
    bool named;    /* started or named by the client */
};

/* Oldest activity first. */
struct ingest_device {
    uint8_t tenant[16], device[16];
    struct ingest_session sessions[INGEST_MAX_SESSIONS + 1];
    unsigned n;
    struct ingest_seen_chunk seen; /* the open chunk of what it has sent */
    uint8_t user[16];              /* the last known one */
    int64_t user_since_us;
    bool user_known;
    struct ingest_consents consents;
    int64_t consents_version; /* of what was published of them; 0: nothing */
};

struct ingest_sighting {
    struct slice named, message_id; /* named: the session's id that the client gave, or empty */
    struct slice user;              /* hash of the known user, or empty */
    int64_t time_us;
};

struct ingest_limits { /* the tenant's */
    int64_t idle_us, max_us;
};

struct ingest_visit {
    struct slice session_id;
    bool opens;       /* the device had no such session */
    bool returning;   /* it had an earlier one */
    bool over_length; /* the client goes on with a session that lasts longer than max_us */
};

/*
 * What was seen at time_us belongs to the session that it names, if any; else to one of the device's with time_us in
 * [start - idle, last + idle] that is not another known user's and would not become longer than max: a named one before
 * others, then the nearest, then the earlier; else to a new one. That session grows to hold it.
 */
struct ingest_visit ingest_device_visit(struct ingest_device *device,
                                        const struct ingest_sighting *sighting,
                                        const struct ingest_limits *limits, struct arena *arena);
/* Who was seen last, by the time of what was seen: something old of somebody else changes nothing. */
void ingest_device_know_user(struct ingest_device *device, const struct ingest_sighting *sighting);
/* Whose it and its sessions are is not known any more. */
void ingest_device_forget_users(struct ingest_device *device);
