#include "audit.h"

#include <stdio.h>

bool audit_wrong(const struct audit *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(a->why, a->size, format, args);
    va_end(args);
    return false;
}

/* ---- batches ---- */

static bool audit_free(const struct audit *a, const struct batch *b)
{
    bool empty = !b->n_items && !b->n_records && !b->bytes && !b->n_touched && !b->n_rows &&
                 !b->n_parts && !b->decided && !b->loads && !b->n_loads && !b->loads_open &&
                 !b->asks && b->asks_tail == &b->asks && !b->cached &&
                 b->cached_tail == &b->cached && !b->marked && !b->tried;
    bool clear =
        !b->dead && !b->closed && !b->loads_failed && !b->loads_refused && !b->parts_wanted;
    return (empty && clear && !arena_used(b->arena)) ||
           audit_wrong(a, "a free batch holds something: %u items, %u records of %zu bytes",
                       b->n_items, b->n_records, b->bytes);
}

static bool audit_batch(const struct audit *a, const struct batch *b)
{
    size_t bytes = 0;
    if (b->state == BATCH_FREE)
        return audit_free(a, b);
    for (unsigned i = 0; i < b->n_records; i++)
        bytes += b->records[i].record.value.size;
    if (b->state == BATCH_LOADING ? b->bytes != bytes || a->s->loading != b : b->n_records > 0)
        return audit_wrong(a, "a batch of %u records and %zu bytes, counted %zu", b->n_records,
                           bytes, b->bytes);
    if (b->loads_open > b->n_loads || (b->state == BATCH_COMMITTING && b->loads_open) ||
        (b->marked && (b->state != BATCH_LOADING || b->marked != b->tried)))
        return audit_wrong(a, "a batch waits for %u of %u loads%s", b->loads_open, b->n_loads,
                           b->marked ? ", and for its mark" : "");
    for (unsigned i = 0; i < b->n_items && b->state == BATCH_LOADING; i++)
        if (!b->items[i].part || b->items[i].life > a->s->lives)
            return audit_wrong(a, "an item of nobody's");
    return true;
}

static bool audit_batches(const struct audit *a)
{
    const struct stream *s = a->s;
    unsigned committing = 0, loading = 0;
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++) {
        const struct batch *batch = &s->batches[b];
        if (!audit_batch(a, batch))
            return false;
        committing += batch->state == BATCH_COMMITTING || batch->marked;
        loading += batch->state == BATCH_LOADING;
        if (a->idle && batch->state != BATCH_FREE)
            return audit_wrong(a, "at rest, but a batch is under way");
    }
    return (committing == s->committing && loading == (s->loading != NULL)) ||
           audit_wrong(a, "%u batches commit and %u load, counted %u and %d", committing, loading,
                       s->committing, s->loading != NULL);
}

/* ---- what is asked of others ---- */

static bool audit_requests(const struct audit *a)
{
    const struct stream *s = a->s;
    unsigned n = 0, owning = 0, asks = 0;
    struct request *const *link = &s->requests;
    for (const struct request *r = s->requests; r; link = &r->next, r = r->next, n++)
        if (r->link != link)
            return audit_wrong(a, "the list of requests is broken");
    for (int32_t p = 0; p < s->n_parts; p++)
        owning += s->parts[p].state == PART_OWNING;
    if (n < owning + s->retracting || n < s->page_loads + s->retracting)
        return audit_wrong(a, "%u requests, but %u partitions are being owned, %u pages read%s", n,
                           owning, s->page_loads, s->retracting ? ", attempts withdrawn" : "");
    for (const struct ask *ask = s->asks; ask; ask = ask->next)
        asks++;
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        for (const struct ask *ask = s->batches[b].asks; ask; ask = ask->next)
            asks++;
    if (asks != s->n_asks || asks > s->limits.asks)
        return audit_wrong(a, "%u questions, counted %u", asks, s->n_asks);
    if (s->n_survived > SURVIVED_LIMIT || (s->retracting && !s->n_survived))
        return audit_wrong(a, "%u attempts were survived", s->n_survived);
    /* Who left waits for nobody: its store goes first. */
    return !a->idle || (!asks && (s->left || (!n && !s->n_survived && !s->page_loads))) ||
           audit_wrong(a, "at rest, but %u requests, %u pages, %u questions, %u survived attempts",
                       n, s->page_loads, asks, s->n_survived);
}

/* Else what an earlier life left is looked at when the next one begins. */
static bool any_runs(const struct stream *s)
{
    int32_t p = 0;
    while (p < s->n_parts && s->parts[p].state != PART_RUNNING)
        p++;
    return p < s->n_parts;
}

static bool audit_calls(const struct audit *a)
{
    const struct stream *s = a->s;
    for (unsigned i = 0; i < s->n_calls; i++) {
        const struct call *call = &s->calls[i];
        if (call->ticket > s->tickets || call->life > s->lives || call->part >= s->n_parts ||
            !call->name || call->kind % TIMER_KINDS != TIMER_CALL ||
            (!call->answered && call->data.data))
            return audit_wrong(a, "call %llu contradicts itself", (unsigned long long)call->ticket);
        for (unsigned o = 0; o < i && s->n_calls <= 64; o++)
            if (s->calls[o].ticket == call->ticket)
                return audit_wrong(a, "call %llu is there twice", (unsigned long long)call->ticket);
    }
    if (s->n_calls > s->limits.calls || s->n_calls > s->calls_capacity)
        return audit_wrong(a, "%u calls under way", s->n_calls);
    return !(a->idle && s->n_calls && any_runs(s)) ||
           audit_wrong(a, "at rest, but %u calls are kept", s->n_calls);
}

/* ---- what is said ---- */

static bool audit_parts(const struct audit *a)
{
    const struct stream *s = a->s;
    size_t unconfirmed = 0;
    uint32_t slots = 0;
    for (int32_t p = 0; p < s->n_parts; p++)
        if (!audit_part(a, &s->parts[p], &unconfirmed, &slots))
            return false;
    for (uint32_t i = s->free_slot; i && slots < s->n_slots; i = s->slots[i].next, slots++)
        if (i >= s->n_slots || s->slots[i].row)
            return audit_wrong(a, "a free slot is in use");
    if (s->n_slots && slots + 1 != s->n_slots) /* the first is nobody's */
        return audit_wrong(a, "%u slots are free or in use, of %u", slots, s->n_slots);
    return (unconfirmed == s->unconfirmed && !(a->idle && unconfirmed)) ||
           audit_wrong(a, "%zu bytes are not confirmed, counted %zu", unconfirmed, s->unconfirmed);
}

static bool audit_mirrors(const struct audit *a)
{
    for (unsigned i = 0; i < a->s->service->n_mirrors; i++) {
        const struct mirror *mirror = &a->s->mirrors[i];
        size_t n = 0;
        for (size_t b = 0; b < ARRAY_SIZE(mirror->buckets); b++) {
            for (const struct mirror_entry *e = mirror->buckets[b]; e; e = e->chain, n++)
                if (e->hash % ARRAY_SIZE(mirror->buckets) != b ||
                    e->hash != hash64(e->key, e->key_size, 7) ||
                    e->version != mirror->spec->version(e->body))
                    return audit_wrong(a, "a mirrored value is of version %lld, kept as %lld",
                                       (long long)mirror->spec->version(e->body),
                                       (long long)e->version);
        }
        if (n != mirror->n || n > mirror->spec->limit)
            return audit_wrong(a, "%zu mirrored values, counted %zu", n, mirror->n);
    }
    return true;
}

/* ---- when to wake ---- */

static bool by(const struct audit *a, int64_t us, const char *what)
{
    us = max_i64(us, a->s->now_us);
    return a->s->wake_us <= us ||
           audit_wrong(a, "wakes %lld us too late for %s", (long long)(a->s->wake_us - us), what);
}

static bool has_unsent(const struct part *part)
{
    bool any = false;
    for (const struct outrow *row = part->rows; row && row->committed; row = row->next)
        any = any || row->cursor[0] < row->frames[0].size || row->cursor[1] < row->frames[1].size;
    return any;
}

/* Nothing holds up what this partition has to do: none of it is due. */
static bool audit_nothing_due(const struct audit *a, const struct part *part)
{
    const struct stream *s = a->s;
    int64_t saved_us = part->unsaved_us + SAVE_AFTER_US;
    if ((part->n_heap && !part->stopping && part->heap[0]->due_us <= s->now_us) ||
        (part->unsaved_us && saved_us <= s->now_us) || timers_want_page(part, s->now_us))
        return audit_wrong(a, "partition %d has something to do, and does not do it", part->id);
    if (part->n_heap && !part->stopping && !by(a, part->heap[0]->due_us, "a timer"))
        return false;
    return !part->unsaved_us || by(a, saved_us, "positions to be saved");
}

static bool audit_wake(const struct audit *a)
{
    const struct stream *s = a->s;
    const struct batch *loading = s->loading;
    if (s->wants_step || s->producer_failed || s->draining || !s->wake_us)
        return true;
    bool free = !loading && !s->committing && !s->page_loads &&
                s->unconfirmed < s->limits.unconfirmed && store_ready(s->store);
    if (loading && !loading->loads_open && !loading->marked &&
        !by(a, max_i64(loading->retry_us, s->now_us + 20000), "loads that failed"))
        return false;
    if (s->n_survived && !s->retracting &&
        !by(a, max_i64(s->retract_us, s->now_us + 50000), "attempts that were survived"))
        return false;
    for (int32_t p = 0; p < s->n_parts; p++) {
        const struct part *part = &s->parts[p];
        if (part->state == PART_WAITING &&
            !by(a, max_i64(part->retry_us, s->now_us + 50000), "a take-over"))
            return false;
        if (part->state == PART_RUNNING && has_unsent(part) &&
            !by(a, s->now_us + 5000, "a queue that is full"))
            return false;
        if (part->state == PART_RUNNING && free && !audit_nothing_due(a, part))
            return false;
    }
    return by(a, s->now_us + SECOND_US, "anything");
}

bool stream_audit(const struct stream *s, bool idle, char *why, size_t size)
{
    const struct audit a = {s, idle, why, size};
    for (unsigned p = 0; p < PACES; p++)
        if (s->pace.limits[p] < 1 || s->pace.limits[p] > s->options.batch_limit)
            return audit_wrong(&a, "batches of %u messages", s->pace.limits[p]);
    if (s->aside.held && ((idle && any_runs(s)) || s->aside.life > s->lives))
        return audit_wrong(&a, "a record is put aside, and nobody takes it");
    return audit_batches(&a) && audit_requests(&a) && audit_calls(&a) && audit_parts(&a) &&
           audit_cache(&a) && audit_mirrors(&a) && audit_wake(&a);
}
