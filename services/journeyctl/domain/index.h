#pragma once
/* index: numbers by text, for joining tables. Keys are borrowed; a key given again gets the newer number. */
#include "base.h"

struct index_entry {
    struct slice key; /* data NULL: free */
    uint32_t value;
};
struct index {
    struct index_entry *entries;
    size_t capacity, count; /* capacity: a power of two */
};

int index_put(struct index *index, struct slice key, uint32_t value) MUST_CHECK; /* ERR_NO_MEMORY */
bool index_get(const struct index *index, struct slice key, uint32_t *value);
void index_deinit(struct index *index);
