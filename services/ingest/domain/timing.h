#pragma once
/* When an event happened, by the server's clock. */
#include "base.h"

#define INGEST_FUTURE_US                                                                           \
    (5 * MINUTE_US) /* clocks and networks differ by so much without being wrong */
#define INGEST_LATE_US (3 * DAY_US)

struct ingest_timing {
    int64_t time_us;
    bool clamped; /* lay in the future: is its receipt */
    bool late;    /* lies over three days before its receipt */
};

/* timestamp and sent_at: the client's clock, 0: none. */
struct ingest_timing ingest_timing_of(int64_t timestamp_us, int64_t sent_at_us,
                                      int64_t received_us);
