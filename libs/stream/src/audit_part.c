#include "audit.h"

/* ---- timers ---- */

static bool same(const struct timer *t, unsigned kind, const struct stream_key *key,
                 const char *name)
{
    return t->kind == kind && memcmp(t->key.tenant, key->tenant, 16) == 0 &&
           slice_equal(t->key.id, key->id) && strcmp(t->name, name) == 0;
}

/* What was taken is an item that waits for its turn, or a call under way. */
static bool has_taker(const struct stream *s, const struct part *part, const struct timer *t)
{
    for (unsigned i = 0; i < s->n_calls; i++) {
        const struct call *call = &s->calls[i];
        if (call->life == part->life && same(t, call->kind, &call->key, call->name))
            return true;
    }
    for (unsigned i = 0; s->loading && i < s->loading->n_items; i++) {
        const struct item *item = &s->loading->items[i];
        if (item->kind != ITEM_RECORD && item->part == part && item->life == part->life &&
            same(t, item->timer_kind, &item->key, item->timer_name))
            return true;
    }
    return false;
}

static bool audit_timer(const struct audit *a, const struct part *part, const struct timer *t)
{
    if ((t->hash | 1) != timer_identity(t->kind, &t->key, t->name))
        return audit_wrong(a, "partition %d: timer %s has another identity", part->id, t->name);
    if (t->taken != (t->heap < 0) ||
        (!t->taken && ((unsigned)t->heap >= part->n_heap || part->heap[t->heap] != t)))
        return audit_wrong(a, "partition %d: timer %s, %s, is at %d of the heap", part->id, t->name,
                           t->taken ? "taken" : "not taken", t->heap);
    if (t->taken && !has_taker(a->s, part, t))
        return audit_wrong(a, "partition %d: timer %s was taken, and nobody has it", part->id,
                           t->name);
    return true;
}

static bool audit_heap(const struct audit *a, const struct part *part)
{
    for (unsigned i = 1; i < part->n_heap; i++)
        if (part->heap[(i - 1) / 2]->due_us > part->heap[i]->due_us)
            return audit_wrong(a, "partition %d: timer %s lies above %s, which is due earlier",
                               part->id, part->heap[(i - 1) / 2]->name, part->heap[i]->name);
    return true;
}

static bool audit_parked(const struct audit *a, const struct part *part)
{
    unsigned n = 0;
    size_t bytes = 0;
    struct timer *const *link = &part->parked;
    for (const struct timer *t = part->parked; t; link = &t->parked_next, t = t->parked_next) {
        if (t->parked_link != link || t->kind % TIMER_KINDS != TIMER_PARKED ||
            n++ == part->n_parked)
            return audit_wrong(a, "partition %d: the list of parked messages is broken", part->id);
        bytes += t->data.size;
    }
    if (n != part->n_parked || bytes != part->parked_bytes)
        return audit_wrong(a, "partition %d: %u parked of %zu bytes, counted %u of %zu", part->id,
                           n, bytes, part->n_parked, part->parked_bytes);
    return true;
}

static bool audit_timers(const struct audit *a, const struct part *part)
{
    unsigned n = 0, waiting = 0, parked = 0;
    for (unsigned b = 0; b < TIMER_BUCKETS && (part->n_timers || b == 0); b++) {
        for (const struct timer *t = part->timers[b]; t; t = t->chain, n++) {
            if (t->hash % TIMER_BUCKETS != b || n == part->n_timers)
                return audit_wrong(a, "partition %d: timer %s is not where it is looked for",
                                   part->id, t->name);
            if (!audit_timer(a, part, t))
                return false;
            waiting += t->heap >= 0;
            parked += t->kind % TIMER_KINDS == TIMER_PARKED;
        }
    }
    if (n != part->n_timers || waiting != part->n_heap || parked != part->n_parked)
        return audit_wrong(a, "partition %d: %u timers, %u wait, %u parked; counted %u, %u, %u",
                           part->id, n, waiting, parked, part->n_timers, part->n_heap,
                           part->n_parked);
    return audit_heap(a, part) && audit_parked(a, part);
}

/* ---- outbox ---- */

static bool will_commit(const struct stream *s, const struct part *part, const struct outrow *row)
{
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        for (unsigned i = 0; s->batches[b].state == BATCH_COMMITTING && i < s->batches[b].n_parts;
             i++)
            if (s->batches[b].parts[i].row == row && s->batches[b].parts[i].life == part->life)
                return true;
    return false;
}

/* Of a buffer, what was not yet handed to the bus. */
static unsigned frames(const struct outrow *row, unsigned which)
{
    unsigned n = 0;
    uint32_t rest;
    for (size_t at = row->cursor[which]; at + 4 <= row->frames[which].size; at += 4 + rest, n++)
        memcpy(&rest, row->frames[which].data + at, 4);
    return n;
}

static bool audit_rows(const struct audit *a, const struct part *part, size_t *bytes,
                       unsigned *pending, unsigned *unsent)
{
    const struct outrow *before = NULL;
    struct outrow *const *link = &part->rows;
    for (const struct outrow *row = part->rows; row; link = &row->next, before = row, row = *link) {
        unsigned left = frames(row, 0) + frames(row, 1);
        if (before && (before->n >= row->n || (row->committed && !before->committed)))
            return audit_wrong(a, "partition %d: rows %lld and %lld are out of order", part->id,
                               (long long)before->n, (long long)row->n);
        if (row->pending > row->count || left > row->pending ||
            (!row->committed && left != row->count))
            return audit_wrong(a, "partition %d: row %lld says %u, %u not confirmed, %u not sent",
                               part->id, (long long)row->n, row->count, row->pending, left);
        if (!row->committed && !will_commit(a->s, part, row))
            return audit_wrong(a, "partition %d: nobody will commit row %lld", part->id,
                               (long long)row->n);
        for (unsigned which = 0; which < 2; which++)
            *bytes += row->frames[which].size - row->cursor[which];
        *pending += row->pending;
        *unsent += left;
    }
    if (part->rows && part->rows->committed && !part->rows->pending)
        return audit_wrong(a, "partition %d: row %lld is confirmed and stays", part->id,
                           (long long)part->rows->n);
    return part->rows_tail == link ||
           audit_wrong(a, "partition %d: the list of rows is broken", part->id);
}

/* What waits for its report, by destination. */
static bool audit_sent(const struct audit *a, const struct part *part, size_t *bytes, uint32_t *n)
{
    const struct stream *s = a->s;
    for (uint32_t d = 0; d < 2 * TOPIC_COUNT * (uint32_t)s->n_parts; d++) {
        const struct dest *dest = &part->dests[d];
        uint32_t last = 0, queued = 0;
        for (uint32_t i = dest->head; i; last = i, i = s->slots[i].next) {
            const struct sent *sent = &s->slots[i];
            if (i >= s->n_slots || ++queued > s->n_slots || !sent->row || sent->part != part->id ||
                sent->dest != d)
                return audit_wrong(a, "partition %d: a message sent is of another queue", part->id);
            *bytes += sent->size;
        }
        *n += queued;
        if (last != dest->tail || dest->number < queued ||
            (dest->head && s->slots[dest->head].delivered))
            return audit_wrong(a, "partition %d: a queue of %u, number %llu, is broken", part->id,
                               queued, (unsigned long long)dest->number);
    }
    return true;
}

/* ---- all of it ---- */

/* Nothing of an earlier life. */
static bool audit_forgotten(const struct audit *a, const struct part *part)
{
    bool any = part->n_timers || part->heap || part->rows || part->n_attempts || part->unsaved_us ||
               part->horizon_us != INT64_MIN || part->unknown_offsets.size ||
               part->unknown_numbers.size || part->unknown_watermarks.size;
    for (unsigned i = 0; i < ARRAY_SIZE(part->watermarks); i++)
        any = any || part->watermarks[i];
    for (unsigned i = 0; i <= MAX_INPUTS; i++)
        any = any || part->inputs[i].known || part->inputs[i].next || part->inputs[i].singles;
    for (uint32_t d = 0; d < 2 * TOPIC_COUNT * (uint32_t)a->s->n_parts; d++)
        any = any || part->dests[d].number;
    return !any ||
           audit_wrong(a, "partition %d is not owned, and something of it is left", part->id);
}

static bool audit_watermarks(const struct audit *a, const struct part *part)
{
    for (unsigned b = 0; b < ARRAY_SIZE(part->watermarks); b++)
        for (const struct watermark *w = part->watermarks[b]; w; w = w->chain)
            if (hash64(w->producer, w->size, w->input) % ARRAY_SIZE(part->watermarks) != b)
                return audit_wrong(a, "partition %d: a watermark is not where it is looked for",
                                   part->id);
    return true;
}

bool audit_part(const struct audit *a, const struct part *part, size_t *unconfirmed,
                uint32_t *slots)
{
    unsigned pending = 0, unsent = 0;
    uint32_t sent = 0;
    bool owned = part->state == PART_RUNNING || part->state == PART_OWNING;
    if (!audit_timers(a, part) || !audit_rows(a, part, unconfirmed, &pending, &unsent) ||
        !audit_sent(a, part, unconfirmed, &sent) || !audit_watermarks(a, part) ||
        (!owned && !audit_forgotten(a, part)))
        return false;
    *slots += sent;
    if (part->state == PART_RUNNING && part->stop_known &&
        part->inputs[part->stop_input].next > part->stop_offset)
        return audit_wrong(a, "partition %d is to stop at offset %lld, and has taken it", part->id,
                           (long long)part->stop_offset);
    if (part->n_attempts > ATTEMPTS_LIMIT || part->life > a->s->lives ||
        !part->condemned != !part->condemned_code || (part->assigned && part->state == PART_IDLE) ||
        (!part->assigned && (part->stop_known || part->failures)))
        return audit_wrong(a, "partition %d: what is known of it contradicts itself", part->id);
    /* Reports come in any order, and count in theirs: what is not confirmed is not sent, or in a queue. */
    if (pending != unsent + sent)
        return audit_wrong(a, "partition %d: %u not confirmed, but %u not sent and %u under way",
                           part->id, pending, unsent, sent);
    if (a->idle && (part->rows || part->n_parked || part->unsaved_us))
        return audit_wrong(a, "partition %d: at rest, but %u are parked%s%s", part->id,
                           part->n_parked, part->rows ? ", rows are not confirmed" : "",
                           part->unsaved_us ? ", positions are not saved" : "");
    return true;
}
