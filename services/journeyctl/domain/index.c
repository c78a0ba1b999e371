#include "index.h"

#include <stdlib.h>

static struct index_entry *find(const struct index *index, struct slice key)
{
    size_t mask = index->capacity - 1;
    size_t i = hash64(key.data, key.size, 0) & mask;
    while (index->entries[i].key.data && !slice_equal(index->entries[i].key, key))
        i = (i + 1) & mask;
    return &index->entries[i];
}

static int grow(struct index *index)
{
    struct index bigger = {.capacity = index->capacity ? 2 * index->capacity : 1024};
    bigger.entries = calloc(bigger.capacity, sizeof(*bigger.entries));
    if (!bigger.entries)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->entries[i].key.data)
            *find(&bigger, index->entries[i].key) = index->entries[i];
    bigger.count = index->count;
    free(index->entries);
    *index = bigger;
    return 0;
}

int index_put(struct index *index, struct slice key, uint32_t value)
{
    if (!key.data)
        key = SLICE_LITERAL("");
    if (2 * index->count >= index->capacity && grow(index) < 0)
        return ERR_NO_MEMORY;
    struct index_entry *entry = find(index, key);
    index->count += !entry->key.data;
    *entry = (struct index_entry){key, value};
    return 0;
}

bool index_get(const struct index *index, struct slice key, uint32_t *value)
{
    if (index->capacity == 0 || !key.data)
        return false;
    const struct index_entry *entry = find(index, key);
    if (!entry->key.data)
        return false;
    *value = entry->value;
    return true;
}

void index_deinit(struct index *index)
{
    free(index->entries);
    *index = (struct index){0};
}
