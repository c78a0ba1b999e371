/*
 * What an instance holds in memory: right in itself (stream_audit), and as the database has it; what decisions are given
 * of it; that what is due is done in time once faults have stopped; and limits so low that a seed reaches them.
 */
#include "sim.h"

#include "libs/stream/src/audit.h"

enum {
    LOOK_EACH = 16, /* steps: each one would cost as much as the run */
};

/* That of a parked message is due in 1970, that it is read first: its time is over later. */
static int64_t due_of(const struct store_value *row)
{
    struct slice data = row[6].s;
    uint64_t form, until;
    bool parked = row[3].i != TIMER_ATTEMPT && row[3].i % TIMER_KINDS == TIMER_PARKED;
    return parked && !slice_take_varint(&data, &form) && !slice_take_varint(&data, &until)
               ? (int64_t)until
               : row[5].i;
}

/*
 * A row is there as long as what it is for was not done, whoever's memory holds it. A message that was held up may set a timer
 * for a time that is past, which then fires at once: late is what stays late.
 */
void memory_late(struct sim *sim)
{
    bool any = false;
    for (unsigned service = 0; service < SERVICES && !sim->outage.state; service++) {
        const struct store_mem_table *mem = store_mem_table_get(sim->dbs[service], &timers_table);
        for (unsigned i = 0; i < mem->n; i++) {
            const struct store_value *row = mem->rows[i];
            int64_t due_us = max_i64(due_of(row), sim->well_us);
            if (row[3].i == TIMER_ATTEMPT || due_us >= sim->now_us)
                continue;
            any = true;
            if (sim->late_us && sim->late_us + SIM_LATE_US < sim->now_us)
                violation(sim, "timers fire in time: %.*s of partition %lld is %lld us late",
                          (int)row[4].s.size, (const char *)row[4].s.data, (long long)row[0].i,
                          (long long)(sim->now_us - due_us));
        }
    }
    sim->late_us = !any ? 0 : sim->late_us ? sim->late_us : sim->now_us;
}

/* ---- fences ---- */

void memory_fenced(struct instance *instance)
{
    const struct stream *s = instance->stream;
    tally.steps[STEP_FENCED]++;
    instance->fenced_us = instance->sim->now_us;
    instance->fenced = 0;
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++) {
        const struct batch *batch = &s->batches[b];
        if (batch->state == BATCH_FREE || batch->dead || batch->commit.err.code != ERR_FENCED)
            continue;
        for (unsigned i = 0; i < batch->n_parts; i++)
            if (batch->parts[i].part->life == batch->parts[i].life) /* else given up since */
                instance->fenced |= (unsigned)batch->fenced[i] << batch->parts[i].part->id;
    }
}

void memory_taken(struct instance *instance, int32_t part, const struct owner *from)
{
    struct sim *sim = instance->sim;
    if (instance->fenced_us && instance->fenced & 1U << part && from->instance != instance &&
        sim->now_us < instance->fenced_us + SIM_POLITE_US)
        violation(sim, "%s takes %d over again %lld us after it was fenced off",
                  instance_name(instance), part, (long long)(sim->now_us - instance->fenced_us));
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

/* Each message has randomness of its own; said again it is the same one. */
void memory_random(struct instance *instance, const struct stream_decision *d,
                   const struct stream_message *m)
{
    const struct bus_header *id = bus_record_header(m->record, "ce_id");
    uint64_t message = hash64(id->value.data, id->value.size, m->index);
    if (instance->random == d->random.state && instance->decided != message)
        violation(instance->sim, "%s: two messages are decided with the same randomness",
                  instance_name(instance));
    instance->decided = message;
    instance->random = d->random.state;
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
    }
    tally.steps[STEP_FULL_BATCH] += s->loading && s->loading->bytes >= s->limits.batch_bytes;
    tally.steps[STEP_FULL_OUTBOX] += s->unconfirmed >= s->limits.unconfirmed;
    tally.steps[STEP_FULL_TIMERS] += timers;
    tally.steps[STEP_FULL_CACHE] += s->cache.bytes > s->cache.limit;
}

/* Nothing is decided before they are read to where they ended at the start, or nothing came for 10 s. */
static void check_mirrors(struct instance *instance)
{
    const struct stream *s = instance->stream;
    bool soon = s->now_us - instance->started_us <= 10 * SECOND_US && !instance->jumped;
    for (unsigned i = 0; s->mirrors_started && soon && i < s->service->n_mirrors; i++)
        for (int32_t p = 0; p < s->n_parts; p++)
            if (s->mirrors[i].next[p] < s->mirrors[i].ends[p])
                violation(instance->sim, "%s: a mirror is read to %lld of %lld",
                          instance_name(instance), (long long)s->mirrors[i].next[p],
                          (long long)s->mirrors[i].ends[p]);
}

void memory_look(struct instance *instance, bool idle)
{
    struct sim *sim = instance->sim;
    char why[200] = "";
    struct stream *s = instance->stream;
    if (!instance->up)
        return;
    count_limits(instance);
    if (!instance->ready)
        check_mirrors(instance);
    instance->ready = s->mirrors_started;
    if (s->loading && s->loading->id != instance->batch) {
        instance->batch = s->loading->id;
        instance->batch_commits = sim->commits[instance->service];
    }
    if (!idle && (sim->step + instance->number) % LOOK_EACH)
        return;
    if (!stream_audit(s, idle, why, sizeof(why)))
        violation(sim, "%s: %s", instance_name(instance), why);
    database_check(instance);
}
