/*
 * What an instance holds in memory: right in itself (stream_audit), and as the database has it whenever nothing of it is
 * under way; and that what is due is done in time once faults have stopped.
 */
#include "sim.h"

#include "libs/stream/src/audit.h"

enum {
    LOOK_EACH = 16, /* steps: each one would cost as much as the run */
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

/* A message whose state has come is due by its offset: at once, in the order of the log. But one that its owner had not
 * read yet, or its release did not know, is found only when its time is over. */
static void check_parked(struct instance *instance, const struct part *part)
{
    const struct cache *cache = &instance->stream->cache;
    if (instance->sim->parts[instance->service][part->id].unread)
        return;
    for (const struct timer *t = part->parked; t; t = t->parked_next)
        for (const struct entry *e = cache->newest; e; e = e->older)
            if (e->present && e->loaded && e->kind == t->kind / TIMER_KINDS &&
                memcmp(e->tenant, t->key.tenant, 16) == 0 && slice_equal(entry_id(e), t->key.id) &&
                t->due_us != park_offset(t))
                violation(instance->sim, "%s: partition %d: %s waits on, though its state has come",
                          instance_name(instance), part->id, t->name);
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
                violation(
                    instance->sim, "%s: partition %d gave %llu numbers to %s/%d, %u are said",
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
        check_parked(instance, part);
        check_states(instance, part);
    }
}

/* A row is there as long as what it is for was not done, whoever's memory holds it. */
void memory_late(struct sim *sim)
{
    for (unsigned service = 0; service < SERVICES && !sim->outage.state; service++) {
        const struct store_mem_table *mem = store_mem_table_get(sim->dbs[service], &timers_table);
        for (unsigned i = 0; i < mem->n; i++) {
            const struct store_value *row = mem->rows[i];
            int64_t due_us = max_i64(row[5].i, sim->well_us);
            if (row[3].i != TIMER_ATTEMPT && due_us + SIM_LATE_US < sim->now_us)
                violation(sim, "timers fire in time: %.*s of partition %lld is %lld us late",
                          (int)row[4].s.size, (const char *)row[4].s.data, (long long)row[0].i,
                          (long long)(sim->now_us - due_us));
        }
    }
}

/* ---- look-ups ---- */

static bool same_values(const struct store_lookup *lookup, const struct store_value *a,
                        const struct store_value *b)
{
    for (unsigned c = 0; c < lookup->n_columns; c++) {
        enum store_type type = lookup->table->columns[lookup->columns[c]].type;
        if (a[c].null != b[c].null || (!a[c].null && store_value_compare(type, &a[c], &b[c]) != 0))
            return false;
    }
    return true;
}

/* A decision is given what the database holds, unless somebody committed since its batch was gathered. */
void memory_needs(struct instance *instance, const struct stream_decision *d,
                  const struct stream_message *m)
{
    struct sim *sim = instance->sim;
    const struct batch *batch = instance->stream->loading;
    struct stream_need needs[STREAM_MAX_NEEDS] = {0};
    if (!m->input->needs || (batch->id == instance->batch &&
                             instance->batch_commits != sim->commits[instance->service]))
        return;
    unsigned n = m->input->needs(m->body, m->index, d->arena, needs);
    for (unsigned i = 0; i < n; i++) {
        struct store_load load = {
            .lookup = needs[i].lookup, .keys = needs[i].key, .n_keys = 1, .arena = d->arena};
        if (!needs[i].lookup)
            continue;
        (void)store_mem_find(sim->dbs[instance->service], &load);
        bool same = load.n_found == d->needs[i].n_found;
        for (unsigned k = 0; same && k < load.n_found; k++)
            same = same_values(needs[i].lookup, load.found[k].values, d->needs[i].found[k].values);
        if (!same)
            violation(sim, "%s: a decision is given %u rows of %s, there are %u, or others",
                      instance_name(instance), d->needs[i].n_found, needs[i].lookup->table->name,
                      load.n_found);
    }
}

/* ---- limits ---- */

static size_t lower(struct random *random, size_t limit, size_t few)
{
    uint64_t dice = below(random, 3 * few);
    return dice < few ? 1 + dice : limit;
}

/* Those that a seed is too small for. */
void memory_limit(struct instance *instance, struct random *random)
{
    struct limits *limits = &instance->stream->limits;
    limits->batch_bytes = lower(random, limits->batch_bytes, 2000);
    limits->unconfirmed = lower(random, limits->unconfirmed, 4000);
    limits->parked_bytes = lower(random, limits->parked_bytes, 1000);
    limits->parked = (unsigned)lower(random, limits->parked, 4);
    if (instance->sim->plan->seed % 3 == 0)
        limits->timers = (unsigned)lower(random, limits->timers, 10);
    limits->asks = (unsigned)lower(random, limits->asks, 1);
}

static void count_limits(const struct instance *instance)
{
    const struct stream *s = instance->stream;
    bool timers = false;
    for (int32_t p = 0; p < s->n_parts; p++) {
        const struct part *part = &s->parts[p];
        timers = timers || part->n_timers >= s->limits.timers;
        if (part->state == PART_RUNNING &&
            (part->horizon_us < INT64_MAX || instance->old_release))
            instance->sim->parts[instance->service][p].unread = true;
    }
    tally.steps[STEP_FULL_BATCH] += s->loading && s->loading->bytes >= s->limits.batch_bytes;
    tally.steps[STEP_FULL_OUTBOX] += s->unconfirmed >= s->limits.unconfirmed;
    tally.steps[STEP_FULL_TIMERS] += timers;
    tally.steps[STEP_FULL_CACHE] += s->cache.bytes > s->cache.limit;
}

void memory_look(struct instance *instance, bool idle)
{
    struct sim *sim = instance->sim;
    char why[200] = "";
    struct stream *s = instance->stream;
    if (!instance->up)
        return;
    count_limits(instance);
    if (s->loading && s->loading->id != instance->batch) {
        instance->batch = s->loading->id;
        instance->batch_commits = sim->commits[instance->service];
    }
    if (!idle && (sim->step + instance->number) % LOOK_EACH)
        return;
    if (!stream_audit(s, idle, why, sizeof(why)))
        violation(sim, "%s: %s", instance_name(instance), why);
    check_database(instance);
}
