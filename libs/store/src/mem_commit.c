/* The twin's transactions: own and commit. A commit that fails puts back what it changed, last change first. */
#include "mem.h"
#include <stdlib.h>

struct change {
    struct store_mem_table *mem;
    struct store_value *before, *after; /* rows; NULL: there was, or is, none */
};

struct journal {
    struct change *changes;
    size_t n, capacity;
};

/* Replaces the row with this key, or its absence. */
static void row_put(struct store_mem_table *mem, const struct store_value *key,
                    struct store_value *row)
{
    bool found;
    unsigned at = store_mem_table_find(mem, key, &found);
    if (found && row)
        mem->rows[at] = row;
    else if (found)
        store_mem_table_take(mem, at);
    else if (row)
        store_mem_table_insert(mem, at, row);
}

static void change_row(struct journal *journal, struct store_mem_table *mem,
                       struct store_value *before, struct store_value *after)
{
    if (journal->n == journal->capacity) {
        journal->capacity = journal->capacity ? journal->capacity * 2 : 64;
        journal->changes =
            realloc(journal->changes, journal->capacity * sizeof(*journal->changes)); /* NOLINT */
        if (!journal->changes)
            abort();
    }
    journal->changes[journal->n++] = (struct change){mem, before, after};
    row_put(mem, before ? before : after, after);
}

static void journal_finish(struct journal *journal, bool keep)
{
    for (size_t c = journal->n; c > 0; c--) {
        struct change *change = &journal->changes[c - 1];
        if (!keep)
            row_put(change->mem, change->before ? change->before : change->after, change->before);
    }
    for (size_t c = 0; c < journal->n; c++)
        free(keep ? journal->changes[c].before : journal->changes[c].after);
    free(journal->changes);
}

static int write_row(struct journal *journal, struct store_mem_table *mem,
                     const struct store_table *table, const struct store_value *values,
                     enum store_row_kind kind, struct store_commit *commit)
{
    bool found;
    unsigned at = store_mem_table_find(mem, values, &found);
    if (!found && kind != STORE_ROW_PUT) {
        commit->missing++;
        return 0;
    }
    if (!found) {
        change_row(journal, mem, NULL, store_mem_row_copy(table, values));
        return 0;
    }
    if (table->conflict == STORE_IGNORE)
        return 0;
    if (table->conflict == STORE_PLAIN)
        return err_set(&commit->err, ERR_CONFLICT, ERR_CLASS_PERMANENT,
                       "store: duplicate key in %s (23505)", table->name);
    struct store_value merged[STORE_MAX_COLUMNS];
    memcpy(merged, mem->rows[at], table->n_columns * sizeof(merged[0]));
    int rc = store_row_update(table, merged, values, kind, &commit->err);
    if (rc < 0)
        return rc;
    change_row(journal, mem, mem->rows[at], store_mem_row_copy(table, merged));
    return 0;
}

static int apply_plan(struct store_mem_db *db, struct journal *journal,
                      const struct store_plan *plan, struct store_commit *commit)
{
    struct store_mem_table *mem = store_mem_table_get(db, plan->table);
    for (unsigned r = 0; r < plan->n[STORE_ROW_REMOVE]; r++) {
        bool found;
        unsigned at = store_mem_table_find(mem, plan->rows[STORE_ROW_REMOVE][r], &found);
        if (found)
            change_row(journal, mem, mem->rows[at], NULL);
    }
    int rc = 0;
    for (enum store_row_kind kind = STORE_ROW_PUT; kind < STORE_ROW_REMOVE; kind++)
        for (unsigned w = 0; rc == 0 && w < plan->n[kind]; w++)
            rc = write_row(journal, mem, plan->table, plan->rows[kind][w], kind, commit);
    return rc;
}

/* ---- the commits table ---- */

static struct slice slice_dup(struct slice s)
{
    uint8_t *copy = store_mem_alloc(s.size);
    if (s.size)
        memcpy(copy, s.data, s.size);
    return slice_make(copy, s.size);
}

static void commit_free(struct store_mem_commit *commit)
{
    free((void *)(uintptr_t)commit->offsets.data);
    free((void *)(uintptr_t)commit->numbers.data);
    free((void *)(uintptr_t)commit->watermarks.data);
    free((void *)(uintptr_t)commit->outbox.data);
}

static struct store_mem_part *part_get(struct store_mem_db *db, int32_t part)
{
    for (unsigned p = 0; p < db->n_parts; p++)
        if (db->parts[p].part == part)
            return &db->parts[p];
    db->parts =
        realloc(db->parts, (db->n_parts + 1) * sizeof(*db->parts)); /* NOLINT: aborts below */
    if (!db->parts)
        abort();
    struct store_mem_part *mem = &db->parts[db->n_parts++];
    *mem = (struct store_mem_part){.part = part};
    return mem;
}

static struct store_mem_commit *part_newest(const struct store_mem_part *part)
{
    return part->n ? &part->commits[part->n - 1] : NULL;
}

/* Adds a row; those before `done` of the newest are not read again by anybody and go. */
static void part_add(struct store_mem_part *part, struct store_mem_commit commit)
{
    if (part->n == part->capacity) {
        part->capacity = part->capacity ? part->capacity * 2 : 16;
        part->commits =
            realloc(part->commits, part->capacity * sizeof(*part->commits)); /* NOLINT */
        if (!part->commits)
            abort();
    }
    part->commits[part->n++] = commit;
    unsigned passed = 0;
    while (passed + 1 < part->n && part->commits[passed].n < commit.done)
        commit_free(&part->commits[passed++]);
    part->n -= passed;
    memmove(part->commits, part->commits + passed, part->n * sizeof(*part->commits));
}

int store_mem_own(struct store_mem_db *db, struct store_own *own)
{
    struct store_mem_part *part = part_get(db, own->part);
    struct store_mem_commit row = {.n = 1, .epoch = 1, .done = 1, .tries = 1};
    const struct store_mem_commit *newest = part_newest(part);
    if (newest) {
        row = *newest;
        row.n++;
        row.epoch++;
        row.tries++;
    }
    row.offsets = slice_dup(row.offsets);
    row.numbers = slice_dup(row.numbers);
    row.watermarks = slice_dup(row.watermarks);
    row.outbox = slice_dup((struct slice){0});
    part_add(part, row);
    if (!own->arena) /* nobody waits for it */
        return 0;

    struct store_outbox *outboxes = arena_alloc(own->arena, part->n * sizeof(*outboxes));
    unsigned n = 0;
    for (unsigned c = 0; outboxes && c < part->n; c++)
        if (part->commits[c].n >= row.done && part->commits[c].outbox.size)
            outboxes[n++] = (struct store_outbox){part->commits[c].n,
                                                  arena_slice(own->arena, part->commits[c].outbox)};
    struct store_position position = {own->part,
                                      row.n,
                                      row.epoch,
                                      row.done,
                                      row.tries,
                                      arena_slice(own->arena, row.offsets),
                                      arena_slice(own->arena, row.numbers),
                                      arena_slice(own->arena, row.watermarks),
                                      {0}};
    if (arena_overflowed(own->arena))
        return err_set(&own->err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT,
                       "store: outboxes over the arena's limit");
    own->position = position;
    own->outboxes = outboxes;
    own->n_outboxes = n;
    return 0;
}

static int check_fences(struct store_mem_db *db, struct store_commit *commit)
{
    int rc = 0;
    for (unsigned f = 0; f < commit->n_fences; f++) {
        const struct store_position *fence = &commit->fences[f];
        const struct store_mem_commit *newest = part_newest(part_get(db, fence->part));
        commit->fenced[f] = !newest || newest->n != fence->n - 1 || newest->epoch != fence->epoch;
        if (commit->fenced[f])
            rc = err_set(&commit->err, ERR_FENCED, ERR_CLASS_PERMANENT, "store: fenced");
    }
    return rc;
}

int store_mem_commit(struct store_mem_db *db, struct store_commit *commit)
{
    struct journal journal = {0};
    struct store_plan *plans = NULL;
    unsigned n_plans = 0;
    struct arena *arena = arena_create((size_t)256 << 20);
    int rc = store_plan_make(arena, commit->rows, commit->n_rows, &plans, &n_plans, &commit->err);
    if (rc == 0)
        rc = check_fences(db, commit);
    for (unsigned p = 0; rc == 0 && p < n_plans; p++)
        rc = apply_plan(db, &journal, &plans[p], commit);
    journal_finish(&journal, rc == 0);
    arena_destroy(&arena);
    for (unsigned f = 0; rc == 0 && f < commit->n_fences; f++) {
        const struct store_position *fence = &commit->fences[f];
        part_add(part_get(db, fence->part),
                 (struct store_mem_commit){fence->n, fence->epoch, fence->done, 0,
                                           slice_dup(fence->offsets), slice_dup(fence->numbers),
                                           slice_dup(fence->watermarks), slice_dup(fence->outbox)});
    }
    return rc;
}

void store_mem_parts_free(struct store_mem_db *db)
{
    for (unsigned p = 0; p < db->n_parts; p++) {
        for (unsigned c = 0; c < db->parts[p].n; c++)
            commit_free(&db->parts[p].commits[c]);
        free(db->parts[p].commits);
    }
    free(db->parts);
}
