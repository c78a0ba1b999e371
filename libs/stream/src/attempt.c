/*
 * Attempts at what may kill its service. An input that several take-overs could not move is suspect: who tries what comes
 * next adds a row to the timers table first, in a commit of its own, and whoever survives removes his: with what the
 * decision wrote, or, if that came to nothing, as soon as he knows. So the rows that a new owner finds are of processes
 * that died, and enough of them condemn the message. Not of take-overs alone, which are many when partitions move often.
 */
#include "internal.h"

#include <stdlib.h>

enum {
    RETRACT_AGAIN_US = 100000
};

struct retraction {
    struct request request;
    struct store_commit commit;
    struct stream *stream;
    unsigned n; /* of the survived */
};

/*
 * Without input: it is to be removed. The row's key: part, nobody's tenant, identity, kind, epoch. It is due in its
 * epoch's microsecond of 1970: on the first page.
 */
static void row_of(struct arena *arena, int32_t part, const struct attempt *attempt,
                   const char *input, struct store_row *row)
{
    static const uint8_t nobody[16];
    const struct store_value values[7] = {
        {.i = part},
        {.s = slice_make(nobody, 16)},
        {.s = arena_slice(arena, slice_make(&attempt->identity, sizeof(attempt->identity)))},
        {.i = TIMER_ATTEMPT},
        {.s = slice_str(arena_printf(arena, "%lld", (long long)attempt->epoch))},
        {.i = attempt->epoch},
        {.s = slice_str(input ? input : "")},
    };
    *row = (struct store_row){.table = &timers_table,
                              .values = arena_copy(arena, values, sizeof(values)),
                              .kind = input ? STORE_ROW_PUT : STORE_ROW_REMOVE};
}

void attempt_found(struct stream *s, struct part *part, struct slice id, int64_t epoch,
                   struct slice input)
{
    struct attempt attempt = {.epoch = epoch};
    int i = position_input(s, input);
    if (i < 0 || part->n_attempts == ATTEMPTS_LIMIT || id.size != sizeof(attempt.identity))
        return;
    memcpy(&attempt.identity, id.data, id.size);
    part->attempts[part->n_attempts++] = attempt;
    part->inputs[i].suspect = true;
}

unsigned attempts_at(const struct part *part, uint64_t identity)
{
    unsigned n = 0;
    for (unsigned i = 0; i < part->n_attempts; i++)
        n += part->attempts[i].identity == identity && !part->attempts[i].settled &&
             part->attempts[i].epoch != part->epoch;
    return n;
}

bool attempts_open(const struct part *part)
{
    unsigned i = 0;
    while (i < part->n_attempts && part->attempts[i].settled)
        i++;
    return i < part->n_attempts;
}

/* Before it counts as read, and with nothing before it in its batch. */
void attempt_mark(struct stream *s, struct batch *batch, struct part *part, unsigned input,
                  uint64_t identity)
{
    bool first = part->inputs[input].suspect;
    part->inputs[input].suspect = false;
    batch->tried = part;
    batch->tried_identity = identity;
    batch->tried_life = part->life;
    batch->tried_input = input;
    if ((!first && !attempts_at(part, identity)) || part->n_attempts == ATTEMPTS_LIMIT)
        return;
    struct attempt *attempt = &part->attempts[part->n_attempts++];
    *attempt = (struct attempt){.identity = identity, .epoch = part->epoch};
    row_of(batch->arena, part->id, attempt, position_name(s, input), &batch->mark_row);
    position_encode(s, part, batch->arena, &batch->mark);
    batch->mark.n = ++part->n;
    batch->mark.done = outbox_done(part, part->n);
    batch->marked = part;
}

/* What was decided, or cancelled, is no longer to be feared once that is committed. */
void attempts_settle(struct batch *batch, struct part *part, uint64_t identity)
{
    for (unsigned i = 0; i < part->n_attempts; i++) {
        struct attempt *attempt = &part->attempts[i];
        if (attempt->identity != identity || attempt->settled)
            continue;
        struct store_row row = {0};
        row_of(batch->arena, part->id, attempt, NULL, &row);
        batch_put_row(batch, row.table, row.values, row.kind);
        attempt->settled = true;
    }
}

/* What came to nothing, as a parked message that waits on, was none to fear: the next one is. */
void attempt_over(struct batch *batch)
{
    struct part *part = batch->tried;
    if (!part || part->life != batch->tried_life)
        return;
    attempts_settle(batch, part, batch->tried_identity);
    struct position_input *in = &part->inputs[batch->tried_input];
    in->suspect = in->suspect || (in->singles && !in->moved);
}

/* This process lives: its own attempts, if they are still there, say nothing. */
void attempts_forget(struct stream *s, struct part *part)
{
    for (unsigned i = 0; i < part->n_attempts; i++)
        if (part->attempts[i].epoch == part->epoch && s->n_survived < SURVIVED_LIMIT)
            s->survived[s->n_survived++] = (struct survived){part->id, part->attempts[i]};
    part->n_attempts = 0;
    if (s->n_survived)
        wake_at(s, s->retract_us); /* this step may have looked already */
}

static void retracted(struct store_commit *commit)
{
    struct retraction *retraction = commit->user;
    struct stream *s = retraction->stream;
    s->retracting = false;
    s->wants_step = true;
    now_read(s);
    if (commit->err.code) {
        char text[200];
        observe(s, LOG_WARN, "attempts_not_withdrawn", "\"error\":\"%s\"",
                log_escape(text, sizeof(text), commit->err.message));
        s->retract_us = s->now_us + RETRACT_AGAIN_US;
    } else {
        s->n_survived -= retraction->n;
        memmove(s->survived, s->survived + retraction->n, s->n_survived * sizeof(*s->survived));
    }
    request_free(&retraction->request);
}

static void retract(struct stream *s)
{
    struct retraction *retraction = calloc(1, sizeof(*retraction));
    struct arena *arena = retraction ? arena_create(1 << 20) : NULL;
    struct store_row *rows = arena ? arena_alloc(arena, SURVIVED_LIMIT * sizeof(*rows)) : NULL;
    if (!rows)
        abort();
    *retraction = (struct retraction){.stream = s, .n = s->n_survived};
    for (unsigned i = 0; i < s->n_survived; i++)
        row_of(arena, s->survived[i].part, &s->survived[i].attempt, NULL, &rows[i]);
    retraction->commit = (struct store_commit){
        .rows = rows, .n_rows = s->n_survived, .done = retracted, .user = retraction};
    request_add(s, &retraction->request, arena);
    s->retracting = true;
    store_commit(s->store, &retraction->commit);
}

bool attempts_retract(struct stream *s)
{
    if (s->n_survived && !s->retracting && s->retract_us <= s->now_us && store_ready(s->store))
        retract(s);
    if (s->n_survived && !s->retracting)
        wake_at(s, max_i64(s->retract_us, s->now_us + 50000));
    return s->n_survived > 0;
}
