/*
 * Transactions whose outcome nobody knows: the connection broke, or their process died, after they had been sent. The
 * server may carry them out at any later time, or never; a simulation decides.
 */
#include "mem.h"

#define LATE_LIMIT ((size_t)256 << 20)

static struct store_mem_late *late_add(struct store_mem_db *db)
{
    if (db->n_late == STORE_MEM_LATE) { /* the oldest never happens */
        arena_destroy(&db->late[0].arena);
        memmove(&db->late[0], &db->late[1], (STORE_MEM_LATE - 1) * sizeof(db->late[0]));
        db->n_late--;
    }
    struct store_mem_late *late = &db->late[db->n_late++];
    *late = (struct store_mem_late){.arena = arena_create(LATE_LIMIT)};
    return late;
}

void store_mem_late_own(struct store_mem_db *db, int32_t part)
{
    struct store_mem_late *late = late_add(db);
    late->own = true;
    late->part = part;
}

void store_mem_late_commit(struct store_mem_db *db, const struct store_commit *commit)
{
    struct store_mem_late *late = late_add(db);
    struct arena *arena = late->arena;
    struct store_position *fences =
        arena_copy(arena, commit->fences, commit->n_fences * sizeof(*fences));
    for (unsigned f = 0; f < commit->n_fences; f++) {
        fences[f].offsets = arena_slice(arena, fences[f].offsets);
        fences[f].numbers = arena_slice(arena, fences[f].numbers);
        fences[f].watermarks = arena_slice(arena, fences[f].watermarks);
        fences[f].outbox = arena_slice(arena, fences[f].outbox);
    }
    struct store_row *rows = arena_copy(arena, commit->rows, commit->n_rows * sizeof(*rows));
    for (unsigned r = 0; r < commit->n_rows; r++) {
        const struct store_table *table = rows[r].table;
        unsigned n = rows[r].kind == STORE_ROW_REMOVE ? table->n_key : table->n_columns;
        struct store_value *values = arena_copy(arena, rows[r].values, n * sizeof(*values));
        for (unsigned c = 0; c < n; c++)
            if (store_type_is_slice(table->columns[c].type) && !values[c].null)
                values[c].s = arena_slice(arena, values[c].s);
        rows[r].values = values;
    }
    late->commit = (struct store_commit){.fences = fences,
                                         .n_fences = commit->n_fences,
                                         .fenced = arena_alloc(arena, commit->n_fences),
                                         .rows = rows,
                                         .n_rows = commit->n_rows};
    assert(!arena_overflowed(arena));
}

bool store_mem_db_late(struct store_mem_db *db)
{
    if (db->n_late == 0)
        return false;
    struct store_mem_late late = db->late[0];
    db->n_late--;
    memmove(&db->late[0], &db->late[1], db->n_late * sizeof(db->late[0]));
    struct store_own own = {.part = late.part};
    if (late.own)
        (void)!store_mem_own(db, &own);
    else
        (void)!store_mem_commit(db, &late.commit);
    arena_destroy(&late.arena);
    return true;
}

void store_mem_late_free(struct store_mem_db *db)
{
    for (unsigned l = 0; l < db->n_late; l++)
        arena_destroy(&db->late[l].arena);
    db->n_late = 0;
}
