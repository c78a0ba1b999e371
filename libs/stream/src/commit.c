/*
 * One transaction for all partitions of a batch: their fences, then every row. What is confirmed is said; after anything
 * else, everything is forgotten and owned anew.
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
    }
    load_deinit(batch);
    arena_reset(batch->arena);
    batch->asks_tail = &batch->asks;
    batch->cached = NULL;
    batch->cached_tail = &batch->cached;
    batch->n_touched = batch->n_records = batch->n_items = batch->n_rows = batch->n_parts =
        batch->decided = 0;
    batch->bytes = 0;
    batch->dead = batch->loads_failed = false;
    batch->marked = NULL;
    if (s->loading == batch)
        s->loading = NULL;
    batch->state = BATCH_FREE;
    cache_trim(&s->cache);
}

/* As large as commits in about the target time: halved quickly, grown slowly. */
static void adapt(struct stream *s, const struct batch *batch, int64_t took_us)
{
    if (took_us > INT64_C(2) * BATCH_TARGET_US)
        s->batch_limit = (unsigned)max_i64(BATCH_MIN, s->batch_limit * 2 / 3);
    else if (took_us < BATCH_TARGET_US && batch->decided >= s->batch_limit)
        s->batch_limit =
            (unsigned)min_i64(s->options.batch_limit, s->batch_limit + s->batch_limit / 4 + 1);
}

static void settled(struct stream *s, struct batch *batch)
{
    for (unsigned i = 0; i < batch->n_parts; i++) {
        struct part *part = batch->parts[i].part;
        if (part->life != batch->parts[i].life)
            continue; /* given up meanwhile: whoever took over says it */
        part->tries = 0;
        part->attempt.count = 0;
        if (batch->parts[i].row)
            batch->parts[i].row->committed = true;
    }
    for (const struct cached *c = batch->cached; c; c = c->next)
        s->options.cache(s->options.user, c->key, c->value, c->seconds);
    ask_start(s, batch->asks);
    batch->asks = NULL;
    adapt(s, batch, s->now_us - batch->submitted_us);
    metric_observe(s->m.commit_s, (double)(s->now_us - batch->submitted_us) / 1e6);
    metric_observe(s->m.batch_size, batch->decided);
    metric_inc(s->m.batches, 1);
}

static void refused(struct stream *s, struct batch *batch, const struct store_commit *commit)
{
    struct part *fenced[64];
    unsigned n = 0;
    if (commit->err.code == ERR_FENCED) {
        for (unsigned i = 0; i < batch->n_parts && n < ARRAY_SIZE(fenced); i++)
            if (batch->fenced[i] && batch->parts[i].part->life == batch->parts[i].life)
                fenced[n++] = batch->parts[i].part;
        metric_inc(s->m.fenced, n);
    } else {
        char text[200];
        observe(s, commit->err.class == ERR_CLASS_TRANSIENT ? LOG_WARN : LOG_ERROR, "commit_failed",
                "\"error\":\"%s\"", log_escape(text, sizeof(text), commit->err.message));
        for (unsigned i = 0; i < batch->n_parts; i++)
            batch->parts[i].part->refused =
                commit->err.class != ERR_CLASS_TRANSIENT && batch->n_parts == 1;
        store_reset(s->store); /* nothing of before may be pipelined behind what comes now */
    }
    own_forget_all(s, commit->err.code == ERR_FENCED ? "fenced" : "commit failed",
                   commit->err.code == ERR_FENCED             ? 0
                   : commit->err.class == ERR_CLASS_TRANSIENT ? 20000
                                                              : 200000);
    /* Somebody else owns these, whatever the group says: let it speak first. */
    for (unsigned i = 0; i < n; i++)
        fenced[i]->retry_us = s->now_us + 500000;
}

static void commit_done(struct store_commit *commit)
{
    struct batch *batch = commit->user;
    struct stream *s = batch->stream;
    s->wants_step = true;
    s->committing--;
    s->now_us = s->options.clock->now_us(s->options.clock);
    if (!commit->err.code)
        settled(s, batch);
    else if (!batch->dead)
        refused(s, batch, commit);
    batch_free(s, batch);
}

static void mark_done(struct store_commit *commit)
{
    struct batch *batch = commit->user;
    struct stream *s = batch->stream;
    s->wants_step = true;
    s->committing--;
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
        position_encode(s, part, batch->arena, &fences[i], false);
        fences[i].n = batch->parts[i].n;
        fences[i].done = outbox_done(part, fences[i].n);
        fences[i].outbox = row && row->count ? outbox_pack(row, batch->arena) : (struct slice){0};
        if (row && row->count && !fences[i].outbox.data)
            fences = NULL;
        part->n = batch->parts[i].n;
    }
    if (!fences || !fenced || arena_overflowed(batch->arena)) {
        /* It decided more than a batch may hold: once more, in smaller ones. */
        s->batch_limit = (unsigned)max_i64(1, s->batch_limit / 4);
        own_forget_all(s, "a batch outgrew its memory", 0);
        batch_free(s, batch);
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
