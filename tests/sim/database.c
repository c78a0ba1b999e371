/*
 * An instance's memory against its database, whenever nothing of it is under way: timers, attempts, states, numbers of a
 * partition that it owns are what their rows say, and the other way round.
 */
#include "sim.h"

#include "libs/stream/src/internal.h"

#include "tables.h"

#include <stdio.h>

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
    bool unknown = kind == TIMER_ATTEMPT ||
                   (kind % TIMER_KINDS == TIMER_PARKED && !park_known(instance->stream, row[6].s));
    bool read =
        row[5].i < part->horizon_us || (row[5].i == part->horizon_us && !part->horizon_open);
    if (unknown || !read || row[4].s.size >= sizeof(name))
        return;
    memcpy(key.tenant, row[1].s.data, 16);
    memcpy(name, row[4].s.data, row[4].s.size);
    const struct timer *timer = timers_find(part, kind, &key, name);
    if (!timer)
        violation(sim,
                  "%s: timer %s of partition %d has a row, due by its horizon, and is not known",
                  instance_name(instance), name, part->id);
    else if ((kind % TIMER_KINDS == TIMER_PARKED ? park_order_of(timer) : timer->due_us) !=
                 row[5].i ||
             !slice_equal(timer->data, row[6].s))
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

/* A message whose state has come is due at once, in the order of the log. */
static void check_parked(struct instance *instance, const struct part *part)
{
    const struct cache *cache = &instance->stream->cache;
    for (const struct timer *t = part->parked; t; t = t->parked_next)
        for (const struct entry *e = cache->newest; e; e = e->older)
            if (e->present && e->loaded && e->kind == t->kind / TIMER_KINDS &&
                memcmp(e->tenant, t->key.tenant, 16) == 0 && slice_equal(entry_id(e), t->key.id) &&
                t->due_us != park_order_of(t))
                violation(instance->sim, "%s: partition %d: %s waits on, though its state has come",
                          instance_name(instance), part->id, t->name);
}

/* Who tried something, and lives, knows of it: else others count him among the dead. */
static void check_attempt(struct instance *instance, const struct store_value *row)
{
    const struct stream *s = instance->stream;
    int64_t epoch = row[5].i;
    uint64_t identity;
    bool known = s->retracting;
    if (ledger_owner(instance->sim, instance->service, (int32_t)row[0].i, epoch) != instance)
        return;
    memcpy(&identity, row[2].s.data, sizeof(identity));
    const struct part *part = &s->parts[row[0].i];
    for (unsigned i = 0; i < part->n_attempts; i++)
        known = known || (part->attempts[i].identity == identity && part->epoch == epoch);
    for (unsigned i = 0; i < s->n_survived; i++)
        known = known || (s->survived[i].attempt.identity == identity &&
                          s->survived[i].attempt.epoch == epoch && s->survived[i].part == part->id);
    if (!known)
        violation(instance->sim,
                  "%s: partition %d: its attempt of epoch %lld has a row, and it lives",
                  instance_name(instance), part->id, (long long)epoch);
}

static void check_attempts(struct instance *instance)
{
    const struct store_mem_table *mem =
        store_mem_table_get(instance->sim->dbs[instance->service], &timers_table);
    for (unsigned i = 0; i < mem->n; i++)
        if (mem->rows[i][3].i == TIMER_ATTEMPT)
            check_attempt(instance, mem->rows[i]);
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
        if (e->present != (row != NULL) || (table->n_key == 2 && e->stored != e->present) ||
            (row && !slice_equal(row[table->n_columns - 1].s, slice_make(e->bytes, e->size))))
            violation(instance->sim, "%s: a state of %s in memory is not what its row says",
                      instance_name(instance), table->name);
        if (s->states[e->kind]->parts)
            check_parts_of(instance, e);
    }
}

/* What was read since then waits for its commit, and unsaved_us says so. */
static void check_offsets(struct instance *instance, const struct part *part)
{
    const struct stream_service *service = instance->stream->service;
    for (unsigned i = 0; i < service->n_inputs && !part->unsaved_us; i++) {
        int topic = service->inputs[i].topic;
        int64_t next = outage_read_until(instance->sim, instance->service, topic, part->id);
        if (part->inputs[i].known && part->inputs[i].next != next)
            violation(instance->sim, "%s: %s/%d is read to %lld, its row says %lld",
                      instance_name(instance), topic_name(topic), part->id,
                      (long long)part->inputs[i].next, (long long)next);
    }
}

static void check_numbers(struct instance *instance, const struct part *part)
{
    for (int slot = 0; slot < TOPIC_SLOTS; slot++) {
        for (int32_t p = 0; p < instance->sim->partitions; p++) {
            int topic = topic_of_slot(slot);
            unsigned said = ledger_said(instance->sim, instance->service, part->id, topic, p);
            if (part->dests[dest_index(instance->stream, topic, p)].number != said)
                violation(
                    instance->sim, "%s: partition %d gave %llu numbers to %s/%d, %u are said",
                    instance_name(instance), part->id,
                    (unsigned long long)part->dests[dest_index(instance->stream, topic, p)].number,
                    topic_name(topic), p, said);
        }
    }
}

/* ---- what is cached outside ---- */

/* "<tenant>:journey_session:<id>", told only once its row is there. */
void database_cached(void *user, struct slice key, struct slice value, int64_t seconds UNUSED)
{
    struct instance *instance = user;
    struct sim *sim = instance->sim;
    bool found = !value.data; /* removed */
    for (unsigned t = 0; t < TENANTS && !found; t++) {
        char prefix[80], tenant[UUID_TEXT_SIZE];
        ProtobufCBinaryData id = gateway_tenant(sim, t);
        uuid_format(tenant, id.data);
        size_t size = (size_t)snprintf(prefix, sizeof(prefix), "%s:journey_session:", tenant);
        const struct store_value row[2] = {
            {.s = slice_make(id.data, 16)},
            {.s = slice_make(key.data + size, key.size > size ? key.size - size : 0)}};
        found = key.size > size && memcmp(key.data, prefix, size) == 0 &&
                row_of(sim, instance->service, &sessions_table, row);
    }
    if (!found)
        violation(sim, "%s: %.*s is cached, and has no row", instance_name(instance), (int)key.size,
                  (const char *)key.data);
    tally.steps[STEP_CACHED]++;
}

/* ---- all of it ---- */

/* Of the partitions that it owns indeed, when no request of its own is on its way. */
void database_check(struct instance *instance)
{
    struct stream *s = instance->stream;
    struct sim *sim = instance->sim;
    if (s->loading || s->committing || s->requests || instance->store.n)
        return;
    check_attempts(instance);
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
        check_offsets(instance, part);
        check_timers(instance, part);
        check_parked(instance, part);
        check_states(instance, part);
    }
}
