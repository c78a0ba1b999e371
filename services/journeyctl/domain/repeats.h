#pragma once
/*
 * repeats: what a reader of a topic has already seen, so that what a producer said again is shown once.
 *
 * As the stream runtime reads: per partition and producer the last number taken. The first one seen is taken, then only
 * the next one; what lies ahead of a hole is passed over, for the producer says it again from the hole. On compacted
 * topics holes are normal: there everything newer is taken.
 */
#include "base.h"

enum repeats_answer {
    REPEATS_TAKE,
    REPEATS_REPEAT, /* it was there before */
    REPEATS_AHEAD,  /* an earlier one is missing */
    REPEATS_FULL,   /* no memory for another producer */
};

struct repeats;
struct repeats *repeats_create(bool compacted);
void repeats_destroy(struct repeats **repeats);
enum repeats_answer repeats_take(struct repeats *repeats, int32_t partition, struct slice producer,
                                 uint64_t number);
/* Producers that are waited for: passed over ahead of a hole, and not yet said again. */
unsigned repeats_holes(const struct repeats *repeats);
