/* An instance's store: the twin's, watched. Reads fail when told; what a commit is about to say of timers is checked. */
#include "sim.h"

#include "journey_state.h"
#include "tables.h"

#include "journey/v1/journey.pb-c.h"

static struct sim_store *of(struct store *store)
{
    return (struct sim_store *)(void *)store; /* its first member */
}

static struct instance *owner_of(struct sim_store *store)
{
    return (struct instance *)(void *)((char *)store - offsetof(struct instance, store));
}

enum vault_wait {
    WAIT_OWN,
    WAIT_COMMIT,
    WAIT_LOAD
};

static bool waiting(const struct sim_store *s, enum vault_wait what)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->waits[(s->first + i) % ARRAY_SIZE(s->waits)] == what)
            return true;
    return false;
}

static void add_wait(struct sim_store *s, enum vault_wait what)
{
    if (what == WAIT_COMMIT && waiting(s, WAIT_COMMIT))
        tally.steps[STEP_IN_FLIGHT]++;
    assert(s->n < ARRAY_SIZE(s->waits));
    s->waits[(s->first + s->n++) % ARRAY_SIZE(s->waits)] = (uint8_t)what;
}

static void vault_own(struct store *store, struct store_own *own)
{
    add_wait(of(store), WAIT_OWN);
    store_own(of(store)->inner, own);
}

static bool is_page(const struct store_load *load)
{
    return strcmp(load->lookup->table->name, "timers") == 0;
}

static void vault_load(struct store *store, struct store_load *load)
{
    struct sim_store *s = of(store);
    struct instance *instance = owner_of(s);
    tally.steps[STEP_PAGE] += is_page(load) && load->keys[1].i != INT64_MIN;
    bool too_large = is_page(load) && instance->little_memory && load->lookup->limit > 100;
    if (!too_large && (!instance->fail_loads || load->after_commits)) {
        if (load->after_commits)
            add_wait(s, WAIT_LOAD);
        store_load(s->inner, load);
        return;
    }
    instance->fail_loads -= !too_large;
    load->next = NULL;
    *s->failed_tail = load;
    s->failed_tail = &load->next;
}

/* Whether this end was looked at when it came: a row may be written again as it stands. */
static bool seen_before(struct sim *sim, const Journey__V1__SessionRecord *record)
{
    uint64_t hash =
        hash64(record->session_id, strlen(record->session_id),
               hash64(&record->end_us, sizeof(record->end_us), record->tenant_id.data[1]));
    for (uint64_t at = hash;; at++) {
        uint64_t *place = &sim->idled[at % ARRAY_SIZE(sim->idled)];
        if (*place == hash)
            return true;
        if (!*place) {
            *place = hash;
            return false;
        }
    }
}

/* A session that falls idle: not before its time by the clock of whoever says so. */
static void check_idle(struct instance *instance, const struct store_row *row)
{
    const struct store_value *v = row->values;
    struct sim *sim = instance->sim;
    ProtobufCAllocator allocator = sim_allocator(sim);
    if (row->kind == STORE_ROW_REMOVE || v[SESSIONS_END_TIMESTAMP].null)
        return;
    Journey__V1__SessionRecord *record = journey__v1__session_record__unpack(
        &allocator, v[SESSIONS_STATE].s.size, v[SESSIONS_STATE].s.data);
    if (!record || record->ended_by_command || seen_before(sim, record))
        return;
    tally.steps[STEP_TIMER]++;
    sim->load.timers++;
    if (instance->clock.now_us(&instance->clock) < record->last_received_us + record->idle_us)
        violation(sim, "timer before its time: session %s ended %lld us early", record->session_id,
                  (long long)(record->last_received_us + record->idle_us -
                              instance->clock.now_us(&instance->clock)));
}

static void vault_commit(struct store *store, struct store_commit *commit)
{
    struct sim_store *s = of(store);
    struct instance *instance = owner_of(s);
    for (unsigned r = 0; r < commit->n_rows && instance->service == JOURNEY; r++)
        if (commit->rows[r].table == &sessions_table)
            check_idle(instance, &commit->rows[r]);
    add_wait(s, WAIT_COMMIT);
    store_commit(s->inner, commit);
}

static void vault_reset(struct store *store)
{
    if (waiting(of(store), WAIT_OWN))
        tally.steps[STEP_OWN_FAILED]++;
    store_reset(of(store)->inner);
}

static bool vault_ready(struct store *store)
{
    return true;
}

static void vault_destroy(struct store *store) {}

static const struct store_ops ops = {vault_own,   vault_load,  vault_commit,
                                     vault_reset, vault_ready, vault_destroy};

void vault_open(struct instance *instance)
{
    const struct store_table *tables[32];
    unsigned n = stream_tables(&instance->table, tables, 32);
    instance->store = (struct sim_store){
        .store = {&ops},
        .inner = store_mem_create(instance->sim->dbs[instance->service], tables, n)};
    instance->store.failed_tail = &instance->store.failed;
}

void vault_close(struct instance *instance)
{
    store_destroy(&instance->store.inner);
}

bool vault_step(struct instance *instance)
{
    struct sim_store *s = &instance->store;
    struct sim *sim = instance->sim;
    struct store_load *load = s->failed;
    if (!load) { /* connections do not wait for each other */
        struct random random = {mix(sim->plan->seed, 5000000 + sim->step)};
        bool any = store_mem_step_any(s->inner, random_next(&random));
        for (unsigned left = store_mem_commits_waiting(s->inner); s->n > left; s->n--)
            s->first++;
        return any;
    }
    s->failed = load->next;
    if (!s->failed)
        s->failed_tail = &s->failed;
    load->found = NULL;
    load->n_found = 0;
    if (is_page(load))
        err_set(&load->err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT, "made to fail");
    else
        err_set(&load->err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT, "made to fail");
    load->done(load);
    return true;
}
