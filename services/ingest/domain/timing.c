#include "timing.h"

/* The client's clock runs off by received - sent_at (the way takes far less). A correction to before
 * 1970 comes from a sent_at that is no time, and is not made. */
static int64_t corrected(int64_t timestamp_us, int64_t sent_at_us, int64_t received_us)
{
    int64_t time_us;
    if (timestamp_us <= 0)
        return received_us;
    if (sent_at_us <= 0)
        return timestamp_us;
    if (__builtin_add_overflow(timestamp_us, received_us - sent_at_us, &time_us))
        return INT64_MAX; /* in the future */
    return time_us > 0 ? time_us : timestamp_us;
}

struct ingest_timing ingest_timing_of(int64_t timestamp_us, int64_t sent_at_us, int64_t received_us)
{
    struct ingest_timing timing = {.time_us = corrected(timestamp_us, sent_at_us, received_us)};
    timing.clamped = timing.time_us - received_us > INGEST_FUTURE_US;
    if (timing.clamped)
        timing.time_us = received_us;
    timing.late = received_us - timing.time_us > INGEST_LATE_US;
    return timing;
}
