#pragma once
/*
 * The old population: sessions that are in the tables before anything is measured, a visitor each, known by number.
 * population.c writes their rows; the load generator sends events and commands of some of them.
 */
#include "base.h"

#define POPULATION_OPEN                                                                            \
    10 /* every tenth session is open, in its first stage; the others have ended */
#define POPULATION_ID_SIZE 33
#define POPULATION_SINCE_US                                                                        \
    (1700000000 * SECOND_US) /* of ids alone, so that they need no more than the number */

/* Devices are called `d-<run>-<number>`; this run is that of the population. */
#define POPULATION_RUN 0u

/* Like those that ingest makes: they ascend with the number, as the sessions' starts do. */
static inline void population_id(struct uuid *id, const char *of, uint64_t number)
{
    uint8_t hash[16];
    const struct slice parts[] = {slice_str(of), slice_make(&number, sizeof(number))};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    uuid_from_time(id, POPULATION_SINCE_US + (int64_t)number * 100000, hash);
}

static inline void population_session(char out[POPULATION_ID_SIZE], uint64_t number)
{
    struct uuid id;
    population_id(&id, "population", number);
    hex_format(out, id.bytes, sizeof(id.bytes));
}
