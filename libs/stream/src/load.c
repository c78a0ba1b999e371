/*
 * What the items of a batch need and memory does not hold: states, answers given before, look-ups; one request per
 * table, all at once. Then the parts of the states that there are: they stand only beside a state, and what is new has
 * none. An entry that a batch in flight wrote is pinned in the cache, so what is read here was written by no batch that
 * is still under way.
 */
#include "internal.h"

#include <stdlib.h>

enum {
    KIND_NEEDS = 1000
};

static struct pending_load *load_of(struct batch *batch, unsigned kind, bool parts,
                                    const struct store_lookup *lookup)
{
    for (unsigned i = 0; i < batch->n_loads; i++)
        if (batch->loads[i].load.lookup == lookup)
            return &batch->loads[i];
    struct pending_load *loads = realloc(batch->loads, (batch->n_loads + 1) * sizeof(*loads));
    if (!loads)
        abort();
    batch->loads = loads;
    loads[batch->n_loads] = (struct pending_load){
        .batch = batch, .kind = kind, .parts = parts, .load = {.lookup = lookup}};
    return &loads[batch->n_loads++];
}

static unsigned key_width(const struct store_lookup *lookup)
{
    return lookup->n_by + lookup->after + lookup->until;
}

static unsigned load_add(struct pending_load *load, struct entry *entry,
                         const struct store_value *key)
{
    unsigned n = load->load.n_keys, width = key_width(load->load.lookup);
    if (n == load->capacity) {
        unsigned grown = load->capacity ? load->capacity * 2 : 64;
        struct entry **entries = realloc(load->entries, grown * sizeof(*entries));
        struct store_value *keys = realloc(load->keys, (size_t)grown * width * sizeof(*keys));
        if (!entries || !keys)
            abort();
        load->entries = entries;
        load->keys = keys;
        load->capacity = grown;
    }
    load->entries[n] = entry;
    memcpy(load->keys + (size_t)n * width, key, width * sizeof(*key));
    return load->load.n_keys++;
}

static void want_entry(struct stream *s, struct batch *batch, struct entry *entry)
{
    bool first = batch_touch(batch, entry);
    if (!first || entry->loaded)
        return;
    const struct store_value key[2] = {{.s = slice_make(entry->tenant, 16)},
                                       {.s = entry_id(entry)}};
    load_add(load_of(batch, entry->kind, false, &s->state_lookups[entry->kind]), entry, key);
}

static void want_parts(struct stream *s, struct batch *batch, struct entry *entry)
{
    const struct stream_state *state = s->states[entry->kind];
    if (entry->loaded || !entry->present || !state->parts)
        return;
    const struct store_value key[3] = {{.s = slice_make(entry->tenant, 16)},
                                       {.s = entry_id(entry)},
                                       {.i = s->now_us - state->parts->keep_us}};
    load_add(load_of(batch, entry->kind, true, &s->part_lookups[entry->kind]), entry, key);
}

static void want_item(struct stream *s, struct batch *batch, struct item *item)
{
    if (item->unusable || item->part->life != item->life)
        return;
    item->entry = cache_get(&s->cache, item->state, item->part->id, &item->key);
    if (!item->entry)
        abort();
    want_entry(s, batch, item->entry);
    if (item->command && !item->command->read_only && item->command->id.len == 16) {
        struct stream_key id = {.id = slice_make(item->command->id.data, 16)};
        memcpy(id.tenant, item->key.tenant, 16);
        item->answer = cache_get(&s->cache, s->n_states - 1, item->part->id, &id);
        if (!item->answer)
            abort();
        want_entry(s, batch, item->answer);
    }
    if (item->input && item->input->needs &&
        (item->kind == ITEM_RECORD || item->kind == ITEM_PARKED)) {
        struct stream_need needs[STREAM_MAX_NEEDS];
        memset(needs, 0, sizeof(needs));
        item->n_needs = item->input->needs(item->body, item->index, batch->arena, needs);
        for (unsigned i = 0; i < item->n_needs; i++) {
            item->needs[i].lookup_load = -1;
            if (!needs[i].lookup)
                continue;
            struct pending_load *load = load_of(batch, KIND_NEEDS, false, needs[i].lookup);
            item->needs[i].key = load_add(load, NULL, needs[i].key);
            item->needs[i].lookup_load = (int)(load - batch->loads);
        }
    }
}

static void fill_entries(struct stream *s, struct pending_load *load)
{
    for (unsigned k = 0; k < load->load.n_found; k++) {
        const struct store_found *found = &load->load.found[k];
        struct entry *entry = load->entries[found->key];
        if (load->parts) {
            if (entry_set_part(&s->cache, entry, found->values[0].i, found->values[1].s, false))
                abort();
        } else {
            entry->present = entry->stored = true;
            if (entry_set_bytes(&s->cache, entry, found->values[0].s))
                abort();
        }
    }
}

static void load_done(struct store_load *load)
{
    struct batch *batch = load->user;
    struct pending_load *pending = (struct pending_load *)(void *)load; /* its first member */
    struct stream *s = batch->stream;
    s->wants_step = true;
    now_read(s);
    batch->loads_open--;
    if (load->err.code) {
        char text[200];
        bool transient = load->err.class == ERR_CLASS_TRANSIENT;
        batch->loads_failed = true;
        batch->loads_refused = batch->loads_refused || commit_refuses_data(&load->err);
        batch->retry_us = s->now_us + (transient ? 100000 : SECOND_US);
        if (!transient)
            observe(s, LOG_ERROR, "load_failed", "\"table\":\"%s\",\"error\":\"%s\"",
                    load->lookup->table->name, log_escape(text, sizeof(text), load->err.message));
        return;
    }
    if (pending->kind != KIND_NEEDS && !batch->dead)
        fill_entries(s, pending);
}

static void submit(struct stream *s, struct batch *batch, struct pending_load *load)
{
    load->load.err = (struct err){0};
    load->load.keys = load->keys;
    load->load.arena = batch->arena;
    load->load.done = load_done;
    load->load.user = batch;
    load->load.found = NULL;
    load->load.n_found = 0;
    batch->loads_open++;
    store_load(s->store, &load->load);
}

void load_submit(struct stream *s, struct batch *batch)
{
    bool again = batch->loads_failed;
    batch->loads_failed = false;
    if (!again)
        for (unsigned i = 0; i < batch->n_items; i++)
            want_item(s, batch, &batch->items[i]);
    for (unsigned i = 0; i < batch->n_loads; i++)
        if (!again || batch->loads[i].load.err.code)
            submit(s, batch, &batch->loads[i]);
}

bool load_parts(struct stream *s, struct batch *batch)
{
    unsigned before = batch->n_loads;
    if (batch->parts_wanted)
        return false;
    batch->parts_wanted = true;
    for (unsigned i = 0; i < batch->n_touched; i++)
        want_parts(s, batch, batch->touched[i]);
    for (unsigned i = before; i < batch->n_loads; i++)
        submit(s, batch, &batch->loads[i]);
    return batch->n_loads > before;
}

/* After every load has come: what was not found is known to be absent. */
void load_finish(struct stream *s, struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_touched; i++) {
        struct entry *entry = batch->touched[i];
        const struct stream_parts *parts = s->states[entry->kind]->parts;
        entry->loaded = true;
        if (parts && parts->keep_us)
            entry_expire_parts(&s->cache, entry, s->now_us - parts->keep_us);
    }
}

void load_deinit(struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_loads; i++) {
        free(batch->loads[i].entries);
        free(batch->loads[i].keys);
    }
    free(batch->loads);
    batch->loads = NULL;
    batch->n_loads = 0;
}
