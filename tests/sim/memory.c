/*
 * What an instance holds in memory: right in itself (stream_audit), and as the database has it whenever nothing of it is
 * under way; and that what is due is done in time once faults have stopped.
 */
#include "sim.h"

#include "libs/stream/src/audit.h"

enum {
    LOOK_EACH = 16, /* steps: each one would cost as much as the run */
    LATE_US = 60000000,
};

static struct store_mem_part *committed(struct sim *sim, enum service_id service, int32_t part)
{
    for (unsigned p = 0; p < sim->dbs[service]->n_parts; p++)
        if (sim->dbs[service]->parts[p].part == part)
            return &sim->dbs[service]->parts[p];
    return NULL;
}

static const struct store_value *row_of(struct sim *sim, enum service_id service,
                                        const struct store_table *table,
                                        const struct store_value *key)
{
    const struct store_mem_table *mem = store_mem_table_get(sim->dbs[service], table);
    bool found;
    unsigned at = store_mem_table_find(mem, key, &found);
    return found ? mem->rows[at] : NULL;
}

/* ---- timers ---- */

static void check_timer_row(struct instance *instance, struct part *part,
                            const struct store_value *row)
{
    struct sim *sim = instance->sim;
    struct stream_key key = {.id = row[2].s};
    char name[300] = "";
    unsigned kind = (unsigned)row[3].i;
    bool unknown = kind == TIMER_ATTEMPT || (kind % TIMER_KINDS == TIMER_PARKED &&
                                             !park_known(instance->stream, row[6].s));
    bool read = row[5].i < part->horizon_us ||
                (row[5].i == part->horizon_us && !part->horizon_open);
    if (unknown || !read || row[4].s.size >= sizeof(name))
        return;
    memcpy(key.tenant, row[1].s.data, 16);
    memcpy(name, row[4].s.data, row[4].s.size);
    const struct timer *timer = timers_find(part, kind, &key, name);
    if (!timer)
        violation(sim, "%s: timer %s of partition %d has a row, due by its horizon, and is not known",
                  instance_name(instance), name, part->id);
    else if (timer->due_us != row[5].i || !slice_equal(timer->data, row[6].s))
        violation(sim, "%s: timer %s of partition %d is due at %lld, its row says %lld",
                  instance_name(instance), name, part->id, (long long)timer->due_us,
                  (long long)row[5].i);
}

static void check_timers(struct instance *instance, struct part *part)
{
    struct sim *sim = instance->sim;
    const struct store_mem_table *mem =
        store_mem_table_get(sim->dbs[instance->service], &timers_table);
    for (unsigned i = 0; i < mem->n; i++)
        if (mem->rows[i][0].i == part->id)
            check_timer_row(instance, part, mem->rows[i]);
    for (unsigned i = 0; i < part->n_heap; i++) {
        const struct timer *timer = part->heap[i];
        const struct store_value key[5] = {{.i = part->id},
                                           {.s = slice_make(timer->key.tenant, 16)},
                                           {.s = timer->key.id},
                                           {.i = timer->kind},
                                           {.s = slice_str(timer->name)}};
        if (!row_of(sim, instance->service, &timers_table, key))
            violation(sim, "%s: timer %s of partition %d has no row", instance_name(instance),
                      timer->name, part->id);
    }
}

/* ---- states ---- */

static const struct store_value *state_row(struct instance *instance, const struct entry *e)
{
    struct stream *s = instance->stream;
    const struct store_table *table = s->states[e->kind]->table;
    const struct store_mem_table *mem =
        store_mem_table_get(instance->sim->dbs[instance->service], table);
    struct store_value key[3] = {
        {.s = slice_make(e->tenant, 16)}, {.s = entry_id(e)}, {.i = INT64_MAX}};
    bool found;
    unsigned at = store_mem_table_find(mem, key, &found);
    if (table->n_key == 3 && at > 0 && !found) /* the newest day's */
        found = store_value_compare(STORE_UUID, &mem->rows[--at][0], &key[0]) == 0 &&
                store_value_compare(table->columns[1].type, &mem->rows[at][1], &key[1]) == 0;
    return found ? mem->rows[at] : NULL;
}

static void check_parts_of(struct instance *instance, const struct entry *e)
{
    const struct store_table *table = instance->stream->states[e->kind]->parts->table;
    for (unsigned i = 0; i < e->n_parts; i++) {
        const struct store_value key[3] = {
            {.s = slice_make(e->tenant, 16)}, {.s = entry_id(e)}, {.i = e->parts[i].sub}};
        const struct store_value *row = row_of(instance->sim, instance->service, table, key);
        if (!row || !slice_equal(row[3].s, e->parts[i].data))
            violation(instance->sim, "%s: a part in memory is not what its row says",
                      instance_name(instance));
    }
}

static void check_states(struct instance *instance, const struct part *part)
{
    struct stream *s = instance->stream;
    for (const struct entry *e = s->cache.newest; e; e = e->older) {
        if (e->part != part->id || !e->loaded)
            continue;
        const struct store_table *table = s->states[e->kind]->table;
        const struct store_value *row = state_row(instance, e);
        if (e->present != (row != NULL) ||
            (row && !slice_equal(row[table->n_columns - 1].s, slice_make(e->bytes, e->size))))
            violation(instance->sim, "%s: a state of %s in memory is not what its row says",
                      instance_name(instance), table->name);
        if (s->states[e->kind]->parts)
            check_parts_of(instance, e);
    }
}

static void check_numbers(struct instance *instance, const struct part *part)
{
    for (int slot = 0; slot < TOPIC_SLOTS; slot++) {
        for (int32_t p = 0; p < instance->sim->partitions; p++) {
            int topic = topic_of_slot(slot);
            unsigned said = ledger_said(instance->sim, instance->service, part->id, topic, p);
            if (part->dests[dest_index(instance->stream, topic, p)].number != said)
                violation(instance->sim, "%s: partition %d gave %llu numbers to %s/%d, %u are said",
                          instance_name(instance), part->id,
                          (unsigned long long)part->dests[dest_index(instance->stream, topic, p)].number,
                          topic_name(topic), p, said);
        }
    }
}

/* ---- all of it ---- */

/* Of the partitions that it owns indeed, when no request of its own is on its way. */
static void check_database(struct instance *instance)
{
    struct stream *s = instance->stream;
    struct sim *sim = instance->sim;
    if (s->loading || s->committing || s->requests || instance->store.n)
        return;
    for (int32_t p = 0; p < s->n_parts; p++) {
        struct part *part = &s->parts[p];
        const struct store_mem_part *rows = committed(sim, instance->service, p);
        const struct store_mem_commit *row = rows ? &rows->commits[rows->n - 1] : NULL;
        if (part->state != PART_RUNNING || !row || row->epoch != part->epoch)
            continue;
        if (row->n != part->n)
            violation(sim, "%s: partition %d is at row %lld, it believes at %lld",
                      instance_name(instance), p, (long long)row->n, (long long)part->n);
        check_numbers(instance, part);
        check_timers(instance, part);
        check_states(instance, part);
    }
}

static void check_late(struct instance *instance)
{
    struct stream *s = instance->stream;
    struct sim *sim = instance->sim;
    for (int32_t p = 0; p < s->n_parts; p++) {
        const struct part *part = &s->parts[p];
        if (part->state != PART_RUNNING || !part->n_heap)
            continue;
        int64_t due_us = max_i64(part->heap[0]->due_us, sim->drain_us);
        if (due_us + LATE_US < sim->now_us)
            violation(sim, "timers fire in time: %s of %s, partition %d, is %lld us late",
                      part->heap[0]->name, instance_name(instance), p,
                      (long long)(sim->now_us - due_us));
    }
}

void memory_look(struct instance *instance, bool idle)
{
    struct sim *sim = instance->sim;
    char why[200] = "";
    if (!instance->up || (!idle && (sim->step + instance->number) % LOOK_EACH))
        return;
    if (!stream_audit(instance->stream, idle, why, sizeof(why)))
        violation(sim, "%s: %s", instance_name(instance), why);
    check_database(instance);
    if (sim->draining)
        check_late(instance);
}
