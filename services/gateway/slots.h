#pragma once
/*
 * Open things by number: a bounded table whose handles are never used twice, so that a late report or reply finds
 * nothing instead of somebody else.
 */
#include "base.h"

struct slots;
struct slots *slots_create(unsigned limit);
void slots_destroy(struct slots **slots);
uint64_t slots_add(struct slots *slots, void *thing);        /* 0: full */
void *slots_get(const struct slots *slots, uint64_t handle); /* NULL: gone */
void slots_remove(struct slots *slots, uint64_t handle);
unsigned slots_count(const struct slots *slots);
/* Walks the things: *at from 0; NULL at the end. The one returned may be removed meanwhile. */
void *slots_next(const struct slots *slots, unsigned *at);
