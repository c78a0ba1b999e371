/*
 * The in-memory twin: the semantics of store.h without a server, carried out when somebody says so.
 *
 *   own, commit, load -> queue of their connection -> store_mem_step() -> transaction on the shared database -> done()
 *
 * One step is one transaction of the first connection that has something to do (commits, then loads, then slow), or of
 * the one that the caller chooses, so the same calls give the same history.
 */
#include "mem.h"
#include <stdlib.h>

enum {
    MEM_COMMITS,
    MEM_LOADS,
    MEM_SLOW,
    MEM_CONNECTIONS
};

#define MEM_QUEUE_LIMIT 4096 /* as the real one's: the caller's batches bound it far below */

struct request {
    enum {
        REQUEST_OWN,
        REQUEST_COMMIT,
        REQUEST_LOAD
    } kind;
    union {
        struct store_own *own;
        struct store_commit *commit;
        struct store_load *load;
    };
    bool broken; /* by a reset */
    bool full;   /* refused: too many are waiting */
    struct request *next;
};

struct queue {
    struct request *first, **last;
    unsigned n;
};

struct mem {
    struct store store;
    struct store_mem_db *db;
    struct queue queues[MEM_CONNECTIONS];
    enum store_mem_fault fault;
};

static struct mem *mem_of(struct store *store)
{
    return (struct mem *)(void *)store; /* its first member */
}

static void submit(struct store *store, unsigned connection, struct request request)
{
    struct queue *queue = &mem_of(store)->queues[connection];
    struct request *copy = store_mem_alloc(sizeof(*copy));
    *copy = request;
    copy->full = queue->n >= MEM_QUEUE_LIMIT;
    *queue->last = copy;
    queue->last = &copy->next;
    queue->n++;
}

static void mem_own(struct store *store, struct store_own *own)
{
    submit(store, MEM_COMMITS, (struct request){.kind = REQUEST_OWN, .own = own});
}

static void mem_commit(struct store *store, struct store_commit *commit)
{
    submit(store, MEM_COMMITS, (struct request){.kind = REQUEST_COMMIT, .commit = commit});
}

static void mem_load(struct store *store, struct store_load *load)
{
    unsigned connection = load->after_commits ? MEM_COMMITS : load->slow ? MEM_SLOW : MEM_LOADS;
    submit(store, connection, (struct request){.kind = REQUEST_LOAD, .load = load});
}

static void make_late(struct store_mem_db *db, const struct request *request)
{
    if (request->broken || request->full)
        return;
    if (request->kind == REQUEST_OWN)
        store_mem_late_own(db, request->own->part);
    else if (request->kind == REQUEST_COMMIT)
        store_mem_late_commit(db, request->commit);
}

static void mem_reset(struct store *store)
{
    struct mem *mem = mem_of(store);
    for (struct request *request = mem->queues[MEM_COMMITS].first; request;
         request = request->next) {
        make_late(mem->db, request);
        request->broken = true;
    }
}

static bool mem_ready(struct store *store)
{
    return true;
}

static void mem_destroy(struct store *store)
{
    struct mem *mem = mem_of(store);
    mem_reset(store); /* a process that dies leaves what it sent */
    for (unsigned c = 0; c < MEM_CONNECTIONS; c++) {
        for (struct request *request = mem->queues[c].first, *next; request; request = next) {
            next = request->next;
            free(request);
        }
    }
    free(mem);
}

/* ---- carrying out ---- */

static int unknown(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, ERR_CLASS_TRANSIENT,
                   "store: connection lost, outcome unknown");
}

/* Whether the request fails without having been tried; fills err. */
static bool refused(const struct request *request, struct err *err)
{
    *err = (struct err){0};
    if (request->full)
        err_set(err, ERR_FULL, ERR_CLASS_TRANSIENT, "store: too many requests");
    else if (request->broken)
        unknown(err);
    return err->code != 0;
}

static void run_commit(struct mem *mem, const struct request *request)
{
    struct store_commit *commit = request->commit;
    for (unsigned f = 0; f < commit->n_fences; f++)
        commit->fenced[f] = false;
    commit->missing = 0;
    if (!refused(request, &commit->err)) {
        enum store_mem_fault fault = mem->fault;
        mem->fault = STORE_MEM_OK;
        if (fault == STORE_MEM_FAIL_LATER)
            store_mem_late_commit(mem->db, commit);
        if (fault == STORE_MEM_OK || fault == STORE_MEM_FAIL_AFTER)
            (void)!store_mem_commit(mem->db, commit);
        if (fault != STORE_MEM_OK) {
            for (unsigned f = 0; f < commit->n_fences; f++)
                commit->fenced[f] = false; /* an unknown outcome tells nothing */
            unknown(&commit->err);
        }
        if (commit->err.code)
            commit->missing = 0;
    }
    commit->done(commit);
}

static void run_own(struct mem *mem, const struct request *request)
{
    struct store_own *own = request->own;
    own->outboxes = NULL;
    own->n_outboxes = 0;
    if (!refused(request, &own->err))
        (void)!store_mem_own(mem->db, own);
    own->done(own);
}

static void run_load(struct mem *mem, const struct request *request)
{
    struct store_load *load = request->load;
    load->found = NULL;
    load->n_found = 0;
    if (!refused(request, &load->err))
        (void)!store_mem_find(mem->db, load);
    load->done(load);
}

bool store_mem_step(struct store *store)
{
    return store_mem_step_any(store, 0);
}

bool store_mem_step_any(struct store *store, uint64_t choice)
{
    struct mem *mem = mem_of(store);
    unsigned busy[MEM_CONNECTIONS], n_busy = 0;
    for (unsigned i = 0; i < MEM_CONNECTIONS; i++)
        if (mem->queues[i].first)
            busy[n_busy++] = i;
    if (n_busy == 0)
        return false;
    unsigned c = busy[choice % n_busy];
    struct queue *queue = &mem->queues[c];
    struct request request = *queue->first;
    free(queue->first);
    queue->first = request.next;
    queue->n--;
    if (!queue->first)
        queue->last = &queue->first;
    /* last, because done() may destroy the store */
    if (request.kind == REQUEST_OWN)
        run_own(mem, &request);
    else if (request.kind == REQUEST_COMMIT)
        run_commit(mem, &request);
    else
        run_load(mem, &request);
    return true;
}

unsigned store_mem_commits_waiting(struct store *store)
{
    return mem_of(store)->queues[MEM_COMMITS].n;
}

/* ---- making ---- */

static const struct store_ops mem_ops = {mem_own,   mem_load,  mem_commit,
                                         mem_reset, mem_ready, mem_destroy};

struct store_mem_db *store_mem_db_create(void)
{
    return store_mem_alloc(sizeof(struct store_mem_db));
}

void store_mem_db_destroy(struct store_mem_db **db)
{
    if (!*db)
        return;
    for (unsigned t = 0; t < (*db)->n_tables; t++) {
        struct store_mem_table *table = &(*db)->tables[t];
        for (unsigned r = 0; r < table->n; r++)
            free(table->rows[r]);
        free(table->rows);
    }
    store_mem_parts_free(*db);
    store_mem_late_free(*db);
    free(*db);
    *db = NULL;
}

struct store *store_mem_create(struct store_mem_db *db, const struct store_table *const *tables,
                               unsigned n_tables)
{
    for (unsigned t = 0; t < n_tables; t++)
        if (store_table_check(tables[t], NULL) < 0)
            abort();
    struct mem *mem = store_mem_alloc(sizeof(*mem));
    mem->store.ops = &mem_ops;
    mem->db = db;
    for (unsigned c = 0; c < MEM_CONNECTIONS; c++)
        mem->queues[c].last = &mem->queues[c].first;
    return &mem->store;
}

void store_mem_fault_next(struct store *store, enum store_mem_fault fault)
{
    mem_of(store)->fault = fault;
}

unsigned store_mem_rows(const struct store_mem_db *db, const struct store_table *table,
                        const struct store_value **rows, unsigned max)
{
    for (unsigned t = 0; t < db->n_tables; t++) {
        const struct store_mem_table *mem = &db->tables[t];
        if (strcmp(mem->table->name, table->name) != 0)
            continue;
        for (unsigned r = 0; r < mem->n && r < max; r++)
            rows[r] = mem->rows[r];
        return mem->n;
    }
    return 0;
}
