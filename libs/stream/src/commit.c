/*
 * One transaction for all partitions of a batch: their fences, then every row. What is confirmed is said; after anything
 * else, and when rows were missing that memory knew of, everything is forgotten and owned anew.
 */
#include "internal.h"

#include <stdlib.h>

void batch_free(struct stream *s, struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_touched; i++)
        cache_unpin(&s->cache, batch->touched[i]);
    for (unsigned i = 0; i < batch->n_records; i++)
        bus_event_release(s->bus, &batch->records[i]);
    while (batch->asks) {
        struct ask *ask = batch->asks;
        batch->asks = ask->next;
        ask_free(&ask);
        s->n_asks--;
    }
    load_deinit(batch);
    arena_reset(batch->arena);
    batch->asks_tail = &batch->asks;
    batch->cached = NULL;
    batch->cached_tail = &batch->cached;
    batch->n_touched = batch->n_records = batch->n_items = batch->n_rows = batch->n_parts =
        batch->decided = 0;
    batch->bytes = 0;
    batch->dead = batch->closed = batch->loads_failed = batch->loads_refused = batch->parts_wanted =
        false;
    batch->marked = batch->tried = NULL;
    if (s->loading == batch)
        s->loading = NULL;
    batch->state = BATCH_FREE;
    cache_trim(&s->cache);
}

static void settled(struct stream *s, struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_parts; i++) {
        struct part *part = batch->parts[i].part;
        if (part->life != batch->parts[i].life)
            continue; /* given up meanwhile: whoever took over says it */
        part->tries = 0;
        if (batch->parts[i].given_up == part->condemned) {
            part->condemned = 0; /* a timer of the same name may be set again, and be harmless */
            part->condemned_code = NULL;
        }
        if (batch->parts[i].row)
            batch->parts[i].row->committed = true;
        outbox_advance(part); /* it may say nothing after all */
    }
    s->settled_batch = batch->id;
    for (const struct cached *c = batch->cached; c; c = c->next)
        s->options.cache(s->options.user, c->key, c->value, c->seconds);
    ask_start(s, batch->asks);
    batch->asks = NULL;
    /* One connection carries all commits in order: before its predecessor ended this one had not begun. */
    pace_settled(s, batch, s->now_us - max_i64(batch->submitted_us, s->settled_us));
    s->settled_us = s->now_us;
    metric_observe(s->m.commit_s, (double)(s->now_us - batch->submitted_us) / 1e6);
    metric_observe(s->m.batch_size, batch->decided);
    metric_inc(s->m.batches, 1);
}

/* Not the server's or the network's doing: something in the batch is what Postgres does not take. */
bool commit_refuses_data(const struct err *err)
{
    return err->class == ERR_CLASS_PERMANENT &&
           (err->code == ERR_INVALID || err->code == ERR_CONFLICT || err->code == ERR_TOO_LARGE ||
            err->code == ERR_NO_MEMORY);
}

/* Alone, it is condemned: a dead letter when it comes again. Else smaller batches will tell who is to blame. */
static void blame(struct stream *s, struct batch *batch, const char *code)
{
    const struct item *first = batch->items;
    bool alone = batch->n_items > 0;
    for (unsigned i = 1; alone && i < batch->n_items; i++)
        alone = batch->items[i].part == first->part &&
                item_identity(&batch->items[i]) == item_identity(first);
    if (alone) {
        first->part->condemned = item_identity(first);
        first->part->condemned_code = code;
    }
    pace_blamed(s);
}

void batch_undo(struct stream *s, struct batch *batch, const char *code)
{
    blame(s, batch, code);
    own_forget_all(s, code, 20000);
    batch_free(s, batch);
}

static void refused(struct stream *s, struct batch *batch, const struct store_commit *commit)
{
    struct part *fenced[64];
    unsigned n = 0;
    bool data = commit_refuses_data(&commit->err);
    if (commit->err.code == ERR_FENCED) {
        for (unsigned i = 0; i < batch->n_parts && n < ARRAY_SIZE(fenced); i++)
            if (batch->fenced[i] && batch->parts[i].part->life == batch->parts[i].life)
                fenced[n++] = batch->parts[i].part;
        metric_inc(s->m.fenced, n);
    } else {
        char text[200];
        observe(s, commit->err.class == ERR_CLASS_TRANSIENT ? LOG_WARN : LOG_ERROR, "commit_failed",
                "\"error\":\"%s\"", log_escape(text, sizeof(text), commit->err.message));
        if (data)
            blame(s, batch, "refused");
        store_reset(s->store); /* nothing of before may be pipelined behind what comes now */
    }
    own_forget_all(s, commit->err.code == ERR_FENCED ? "fenced" : "commit failed",
                   commit->err.code == ERR_FENCED                     ? 0
                   : data || commit->err.class == ERR_CLASS_TRANSIENT ? 20000
                                                                      : 200000);
    /* Somebody else owns these, whatever the group says: let it speak first. */
    for (unsigned i = 0; i < n; i++)
        fenced[i]->retry_us = s->now_us + 500000;
}

/* Somebody else removed rows of ours: what memory holds cannot be trusted. What this batch said of them stands. */
static void missing(struct stream *s, unsigned n)
{
    observe(s, LOG_ERROR, "rows_missing", "\"rows\":%u", n);
    own_forget_all(s, "rows missing", 0);
}

static void commit_done(struct store_commit *commit)
{
    struct batch *batch = commit->user;
    struct stream *s = batch->stream;
    s->wants_step = true;
    s->committing--;
    now_read(s);
    if (!commit->err.code) {
        settled(s, batch);
        if (commit->missing && !batch->dead)
            missing(s, commit->missing);
    } else if (!batch->dead) {
        refused(s, batch, commit);
    }
    batch_free(s, batch);
}

static void mark_done(struct store_commit *commit)
{
    struct batch *batch = commit->user;
    struct stream *s = batch->stream;
    s->wants_step = true;
    s->committing--;
    now_read(s);
    if (commit->err.code && !batch->dead)
        refused(s, batch, commit);
    batch->marked = NULL;
    batch->n_parts = 0;
    if (batch->dead)
        batch_free(s, batch);
    else
        load_submit(s, batch);
}

void commit_mark(struct stream *s, struct batch *batch)
{
    batch_add_part(s, batch, batch->marked);
    batch->fenced = arena_alloc(batch->arena, 1);
    batch->commit = (struct store_commit){.fences = &batch->mark,
                                          .n_fences = 1,
                                          .fenced = batch->fenced,
                                          .rows = &batch->mark_row,
                                          .n_rows = 1,
                                          .done = mark_done,
                                          .user = batch};
    s->committing++;
    store_commit(s->store, &batch->commit);
}

void commit_submit(struct stream *s, struct batch *batch)
{
    struct store_position *fences = arena_alloc(batch->arena, batch->n_parts * sizeof(*fences));
    bool *fenced = arena_alloc(batch->arena, batch->n_parts + 1);
    for (unsigned i = 0; fences && fenced && i < batch->n_parts; i++) {
        struct part *part = batch->parts[i].part;
        struct outrow *row = batch->parts[i].row;
        position_encode(s, part, batch->arena, &fences[i]);
        fences[i].n = batch->parts[i].n;
        fences[i].done = outbox_done(part, fences[i].n);
        fences[i].outbox = row && row->count ? outbox_pack(row, batch->arena) : (struct slice){0};
        if (row && row->count && !fences[i].outbox.data)
            fences = NULL;
        part->n = batch->parts[i].n;
        part->unsaved_us = 0;
    }
    if (!fences || !fenced || arena_overflowed(batch->arena)) {
        batch_undo(s, batch, "too_large");
        return;
    }
    batch->fences = fences;
    batch->fenced = fenced;
    batch->state = BATCH_COMMITTING;
    batch->submitted_us = s->now_us;
    s->loading = NULL;
    s->committing++;
    metric_observe(s->m.decide_s, (double)(s->now_us - batch->begun_us) / 1e6);
    batch->commit = (struct store_commit){.fences = fences,
                                          .n_fences = batch->n_parts,
                                          .fenced = fenced,
                                          .rows = batch->rows,
                                          .n_rows = batch->n_rows,
                                          .done = commit_done,
                                          .user = batch};
    store_commit(s->store, &batch->commit);
}
