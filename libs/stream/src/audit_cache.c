#include "audit.h"

static unsigned holders(const struct stream *s, const struct entry *e)
{
    unsigned n = 0;
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        for (unsigned i = 0; i < s->batches[b].n_touched; i++)
            n += s->batches[b].touched[i] == e;
    return n;
}

static bool in_table(const struct cache *cache, const struct entry *e)
{
    const struct entry *at = cache->buckets[e->hash & (cache->n_buckets - 1)];
    while (at && at != e)
        at = at->chain;
    return at != NULL;
}

static bool audit_entry(const struct audit *a, const struct entry *e)
{
    const struct stream *s = a->s;
    if (e->hash != hash64(e->id, e->id_size, hash64(e->tenant, 16, e->kind)) ||
        !in_table(&s->cache, e))
        return audit_wrong(a, "a state in memory is not where it is looked for");
    if (e->part < 0 || e->part >= s->n_parts || s->parts[e->part].state != PART_RUNNING)
        return audit_wrong(a, "a state in memory is of partition %d, which is not owned", e->part);
    if (e->pins != holders(s, e))
        return audit_wrong(a, "a state is pinned %u times, %u batches hold it", e->pins,
                           holders(s, e));
    if (!e->loaded && !e->pins)
        return audit_wrong(a, "a state that was not loaded stays in memory");
    if (e->stored && !e->present)
        return audit_wrong(a, "a state that is not there is held for stored");
    if (e->size > e->capacity || (e->present && !e->bytes))
        return audit_wrong(a, "a state of %u bytes in %u", e->size, e->capacity);
    for (unsigned i = 0; i < e->n_parts; i++)
        if ((i && e->parts[i - 1].sub >= e->parts[i].sub) || e->parts_changed[i])
            return audit_wrong(a, "parts of a state are out of order, or their change is not kept");
    return true;
}

/* Out of the table because their partition went; their batches are dead, or being committed. */
static bool audit_dropped(const struct audit *a)
{
    const struct stream *s = a->s;
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        for (unsigned i = 0; i < s->batches[b].n_touched; i++) {
            const struct entry *e = s->batches[b].touched[i];
            if (e->part < 0 && e->pins != holders(s, e))
                return audit_wrong(a, "a state that was let go is pinned %u times, %u hold it",
                                   e->pins, holders(s, e));
        }
    return true;
}

bool audit_cache(const struct audit *a)
{
    const struct cache *cache = &a->s->cache;
    const struct entry *newer = NULL;
    size_t n = 0, bytes = 0, unpinned = 0;
    for (const struct entry *e = cache->newest; e; newer = e, e = e->older, n++) {
        if (e->newer != newer || n == cache->n_entries)
            return audit_wrong(a, "the list of states by their use is broken after %zu of %zu", n,
                               cache->n_entries);
        if (!audit_entry(a, e))
            return false;
        bytes += entry_bytes(e);
        unpinned += e->pins ? 0 : entry_bytes(e);
    }
    if (cache->oldest != newer || n != cache->n_entries || bytes != cache->bytes)
        return audit_wrong(a, "%zu states of %zu bytes in memory, counted %zu of %zu", n, bytes,
                           cache->n_entries, cache->bytes);
    if (unpinned > cache->limit)
        return audit_wrong(a, "%zu bytes of states that nobody uses, the limit is %zu", unpinned,
                           cache->limit);
    return audit_dropped(a);
}
