#pragma once
/*
 * For tests: what must hold of the runtime's own data between any two calls into it. Whatever is kept twice is computed
 * again from what it was made of: orders and back links, counts and sums against lists, who holds what, when to wake.
 *
 *   audit.c         batches, requests, questions, calls, mirrors, pace, wake-ups; and at rest: nothing is left
 *   audit_part.c    of each partition: its timers, its outbox
 *   audit_cache.c   hot states, and who pins them
 */
#include "internal.h"

/* idle: drained, or everything that can happen has happened. False: why says what does not hold. */
bool stream_audit(const struct stream *s, bool idle, char *why, size_t size);

struct audit {
    const struct stream *s;
    bool idle;
    char *why;
    size_t size;
};

bool audit_wrong(const struct audit *a, const char *format, ...) PRINTF(2, 3); /* false */
/* unconfirmed: what its outbox adds to the bytes that are said and not confirmed; slots: that it uses. */
bool audit_part(const struct audit *a, const struct part *part, size_t *unconfirmed,
                uint32_t *slots);
bool audit_cache(const struct audit *a);
