#pragma once
/*
 * The old population: sessions that are in the tables before anything is measured, a visitor each, known by number.
 * population.c writes their rows; the load generator sends events and commands of some of them.
 */
#include "base.h"

#define POPULATION_OPEN                                                                            \
    10 /* every tenth session is open, in its first stage; the others have ended */
#define POPULATION_ID_SIZE 33

/* Devices are called `d-<run>-<number>`; this run is that of the population. */
#define POPULATION_RUN 0u

/* As random as those that ingest makes, so that the rows lie anywhere in the indexes. */
static inline void population_session(char out[POPULATION_ID_SIZE], uint64_t number)
{
    uint8_t hash[16];
    const struct slice parts[] = {SLICE_LITERAL("population"), slice_make(&number, sizeof(number))};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    hex_format(out, hash, sizeof(hash));
}
