/*
 * Timers: rows in the service's schema, and those that are due next in memory: a table by identity (state, key, name)
 * and a heap by due time. Parked messages and intents to call are timers with a kind of their own and data, so one
 * mechanism keeps all that has to happen later.
 *
 * Memory holds every timer due by horizon_us. A page of rows is read through the commits connection (so it sees every
 * commit before it), and nothing is decided meanwhile, so no change can be missed.
 */
#include "internal.h"

#include <stdlib.h>

static const struct store_column timers_columns[] = {
    {"part", STORE_INT, 0},   {"tenant_id", STORE_UUID, 0}, {"id", STORE_BYTES, 0},
    {"kind", STORE_INT, 0},   {"name", STORE_TEXT, 0},      {"due", STORE_TIME, 0},
    {"data", STORE_BYTES, 0},
};
const struct store_table timers_table = {.name = "timers",
                                         .columns = timers_columns,
                                         .n_columns = 7,
                                         .n_key = 5,
                                         .conflict = STORE_UPDATE};

static const struct store_column answers_columns[] = {{"tenant_id", STORE_UUID, 0},
                                                      {"id", STORE_BYTES, 0},
                                                      {"day", STORE_DATE, 0},
                                                      {"state", STORE_BYTES, 0}};
const struct store_table answers_table = {.name = "answers",
                                          .columns = answers_columns,
                                          .n_columns = 4,
                                          .n_key = 3,
                                          .conflict = STORE_UPDATE,
                                          .roll = STORE_ROLL_DAY,
                                          .roll_column = "day",
                                          .roll_ahead = 2,
                                          .roll_keep = 1};

static void answers_project(const void *state, int64_t now_us, struct arena *arena,
                            struct store_value *values)
{
    (void)arena;
    const Journey__V1__Answer *answer = state;
    values[2] = (struct store_value){.i = (answer ? answer->at_us : now_us) / DAY_US};
}
const struct stream_state answers_state = {.name = "answers",
                                           .table = &answers_table,
                                           .type = &journey__v1__answer__descriptor,
                                           .project = answers_project};

/* ---- heap ---- */

static void heap_place(struct part *part, int i, struct timer *timer)
{
    part->heap[i] = timer;
    timer->heap = i;
}

static void heap_up(struct part *part, int i)
{
    struct timer *timer = part->heap[i];
    for (int up; i > 0 && part->heap[up = (i - 1) / 2]->due_us > timer->due_us; i = up)
        heap_place(part, i, part->heap[up]);
    heap_place(part, i, timer);
}

static void heap_down(struct part *part, int i)
{
    struct timer *timer = part->heap[i];
    for (int n = (int)part->n_heap, child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && part->heap[child + 1]->due_us < part->heap[child]->due_us)
            child++;
        if (part->heap[child]->due_us >= timer->due_us)
            break;
        heap_place(part, i, part->heap[child]);
    }
    heap_place(part, i, timer);
}

static void heap_remove(struct part *part, struct timer *timer)
{
    int i = timer->heap;
    if (i < 0)
        return;
    timer->heap = -1;
    struct timer *last = part->heap[--part->n_heap];
    if (last == timer)
        return;
    heap_place(part, i, last);
    heap_up(part, i);
    heap_down(part, last->heap);
}

static int heap_add(struct part *part, struct timer *timer)
{
    if (part->n_heap == part->heap_capacity) {
        unsigned grown = part->heap_capacity ? part->heap_capacity * 2 : 64;
        struct timer **heap = realloc(part->heap, grown * sizeof(struct timer *));
        if (!heap)
            return ERR_NO_MEMORY;
        part->heap = heap;
        part->heap_capacity = grown;
    }
    heap_place(part, (int)part->n_heap++, timer);
    heap_up(part, timer->heap);
    return STATUS_OK;
}

/* ---- by identity ---- */

static uint64_t identity_hash(unsigned kind, const struct stream_key *key, const char *name)
{
    return hash64(name, strlen(name),
                  hash64(key->id.data, key->id.size, hash64(key->tenant, 16, kind)));
}

uint64_t timer_identity(unsigned kind, const struct stream_key *key, const char *name)
{
    return identity_hash(kind, key, name) | 1;
}

struct timer *timers_find(struct part *part, unsigned kind, const struct stream_key *key,
                          const char *name)
{
    uint64_t hash = identity_hash(kind, key, name);
    for (struct timer *t = part->timers[hash % ARRAY_SIZE(part->timers)]; t; t = t->chain)
        if (t->hash == hash && t->kind == kind && memcmp(t->key.tenant, key->tenant, 16) == 0 &&
            slice_equal(t->key.id, key->id) && strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

static struct timer *timer_create(unsigned kind, const struct stream_key *key, const char *name,
                                  struct slice data)
{
    size_t name_size = strlen(name) + 1;
    struct timer *t = calloc(1, sizeof(*t) + key->id.size + name_size + data.size);
    if (!t)
        return NULL;
    uint8_t *tail = (uint8_t *)(t + 1);
    memcpy(tail, key->id.data, key->id.size);
    memcpy(tail + key->id.size, name, name_size);
    if (data.size)
        memcpy(tail + key->id.size + name_size, data.data, data.size);
    *t = (struct timer){.hash = identity_hash(kind, key, name),
                        .heap = -1,
                        .kind = kind,
                        .key = {.id = slice_make(tail, key->id.size)},
                        .name = (const char *)tail + key->id.size,
                        .data = slice_make(tail + key->id.size + name_size, data.size)};
    memcpy(t->key.tenant, key->tenant, 16);
    return t;
}

static unsigned plain_kind(unsigned kind)
{
    return kind % TIMER_KINDS;
}

/* Makes or moves a timer; NULL: it is due beyond the horizon (the row is enough), or there is no memory. */
struct timer *timers_set(struct stream *s, struct part *part, unsigned kind,
                         const struct stream_key *key, const char *name, int64_t due_us,
                         struct slice data)
{
    struct timer *t = timers_find(part, kind, key, name);
    if (t) {
        t->due_us = due_us;
        if (t->data.size != data.size ||
            (data.size && memcmp(t->data.data, data.data, data.size) != 0)) {
            timers_remove(part, t);
            return timers_set(s, part, kind, key, name, due_us, data);
        }
        timers_reheap(part, t);
        return t;
    }
    if (due_us > part->horizon_us && plain_kind(kind) == TIMER_PLAIN)
        return NULL;
    if (part->n_timers >= s->limits.timers && plain_kind(kind) == TIMER_PLAIN &&
        due_us > s->now_us + MINUTE_US) {
        /* Full: from here on later ones stay rows until their page is read. */
        if (due_us - 1 < part->horizon_us)
            part->horizon_open = false;
        part->horizon_us = min_i64(part->horizon_us, due_us - 1);
        return NULL;
    }
    t = timer_create(kind, key, name, data);
    if (!t)
        return NULL;
    t->due_us = due_us;
    t->chain = part->timers[t->hash % ARRAY_SIZE(part->timers)];
    part->timers[t->hash % ARRAY_SIZE(part->timers)] = t;
    part->n_timers++;
    if (plain_kind(kind) == TIMER_PARKED) {
        part->n_parked++;
        part->parked_bytes += t->data.size;
        t->adopted = due_us <= s->now_us;
        t->parked_next = part->parked;
        t->parked_link = &part->parked;
        if (part->parked)
            part->parked->parked_link = &t->parked_next;
        part->parked = t;
    }
    if (heap_add(part, t)) {
        timers_remove(part, t);
        return NULL;
    }
    return t;
}

void timers_remove(struct part *part, struct timer *timer)
{
    struct timer **p = &part->timers[timer->hash % ARRAY_SIZE(part->timers)];
    while (*p != timer)
        p = &(*p)->chain;
    *p = timer->chain;
    heap_remove(part, timer);
    part->n_timers--;
    if (plain_kind(timer->kind) == TIMER_PARKED) {
        part->n_parked--;
        part->parked_bytes -= timer->data.size;
        *timer->parked_link = timer->parked_next;
        if (timer->parked_next)
            timer->parked_next->parked_link = timer->parked_link;
    }
    free(timer);
}

void timers_reheap(struct part *part, struct timer *timer)
{
    if (timer->taken)
        return; /* its item looks at it again, and puts it back */
    heap_remove(part, timer);
    (void)heap_add(part, timer);
}

struct timer *timers_take_due(struct part *part, int64_t now_us)
{
    if (part->n_heap == 0 || part->heap[0]->due_us > now_us)
        return NULL;
    struct timer *t = part->heap[0];
    heap_remove(part, t);
    t->taken = true;
    return t;
}

void timers_postpone(struct part *part, struct timer *timer, int64_t due_us)
{
    timer->due_us = due_us;
    timer->taken = false;
    timers_reheap(part, timer);
}

void timers_put_row(struct batch *batch, const struct part *part, unsigned kind,
                    const struct stream_key *key, const char *name, int64_t due_us,
                    struct slice data)
{
    struct store_value values[7] = {{.i = part->id},
                                    {.s = arena_slice(batch->arena, slice_make(key->tenant, 16))},
                                    {.s = key->id},
                                    {.i = kind},
                                    {.s = slice_str(name)},
                                    {.i = due_us},
                                    {.s = data}};
    batch_put_row(batch, &timers_table, arena_copy(batch->arena, values, sizeof(values)),
                  STORE_ROW_PUT);
}

static bool waits_for(const struct timer *t, const struct stream_key *key, unsigned state)
{
    return t->kind == state * TIMER_KINDS + TIMER_PARKED &&
           memcmp(t->key.tenant, key->tenant, 16) == 0 && slice_equal(t->key.id, key->id);
}

bool timers_wait_for(const struct part *part, const struct stream_key *key, unsigned state)
{
    for (const struct timer *t = part->parked; t; t = t->parked_next)
        if (waits_for(t, key, state))
            return true;
    return false;
}

void timers_adopt(struct part *part, const struct stream_key *key, unsigned state)
{
    for (struct timer *t = part->parked; t; t = t->parked_next) {
        if (!waits_for(t, key, state))
            continue;
        t->adopted = true;
        t->due_us = park_order_of(t);
        timers_reheap(part, t);
    }
}

void timers_forget(struct part *part)
{
    for (unsigned b = 0; b < ARRAY_SIZE(part->timers); b++)
        while (part->timers[b])
            timers_remove(part, part->timers[b]);
    free(part->heap);
    part->heap = NULL;
    part->heap_capacity = 0;
    part->horizon_us = INT64_MIN;
    part->horizon_open = false;
}

/* ---- pages ---- */

struct page {
    struct request request;
    struct store_load load;
    struct store_lookup lookup;
    struct store_value key[2];
    struct stream *stream;
    struct part *part;
    uint64_t life;
    void (*then)(struct stream *, struct part *);
    struct arena *arena;
};

static const uint8_t page_by[] = {0}, page_columns[] = {1, 2, 3, 4, 5, 6};

/* What a later release set is left as a row, for a release that knows it. */
static bool is_known(const struct stream *s, unsigned kind, struct slice data)
{
    return kind / TIMER_KINDS < s->service->n_states &&
           (plain_kind(kind) != TIMER_PARKED || park_known(s, data));
}

/*
 * A full page: what is due at its last instant may go on in the next one, which begins before that instant. If the page
 * is of one instant, its timers are taken, and the next one begins there again when these have gone.
 */
static void page_take(struct stream *s, struct part *part, const struct page *page)
{
    const struct store_load *load = &page->load;
    bool full = load->n_found == page->lookup.limit;
    int64_t last = full ? load->found[load->n_found - 1].values[4].i : INT64_MAX;
    bool one_instant = full && load->found[0].values[4].i == last;
    part->horizon_us = INT64_MAX;
    part->horizon_open = one_instant;
    for (unsigned i = 0; i < load->n_found; i++) {
        const struct store_value *v = load->found[i].values;
        if (v[2].i == TIMER_ATTEMPT && page->then)
            attempt_found(s, part, v[1].s, v[4].i, v[5].s);
        struct stream_key key = {.id = v[1].s};
        memcpy(key.tenant, v[0].s.data, 16);
        char *name = arena_str(page->arena, v[3].s);
        if (name && (v[4].i < last || one_instant || !full) &&
            is_known(s, (unsigned)v[2].i, v[5].s) &&
            !timers_find(part, (unsigned)v[2].i, &key, name))
            timers_set(s, part, (unsigned)v[2].i, &key, name, v[4].i, v[5].s);
    }
    if (full)
        part->horizon_us = min_i64(part->horizon_us, one_instant ? last : last - 1);
}

static void page_done(struct store_load *load)
{
    struct page *page = load->user;
    struct stream *s = page->stream;
    struct part *part = page->part;
    s->wants_step = true;
    now_read(s);
    s->page_loads--;
    if (part->life == page->life && load->err.code) {
        char text[200];
        if (load->err.class != ERR_CLASS_TRANSIENT)
            observe(s, LOG_ERROR, "timers_not_read", "\"partition\":%d,\"error\":\"%s\"", part->id,
                    log_escape(text, sizeof(text), load->err.message));
        part->small_pages = load->err.code == ERR_NO_MEMORY;
        own_forget(s, part, s->now_us + 200000);
    } else if (part->life == page->life) {
        page_take(s, part, page);
        if (page->then)
            page->then(s, part);
    }
    request_free(&page->request);
}

void timers_load(struct stream *s, struct part *part, void (*then)(struct stream *, struct part *))
{
    struct page *page = calloc(1, sizeof(*page));
    struct arena *arena = page ? arena_create(PAGE_ARENA_LIMIT) : NULL;
    if (!arena) {
        free(page);
        own_forget(s, part, s->now_us + SECOND_US);
        return;
    }
    bool first = part->horizon_us == INT64_MIN;
    int64_t after = first || !part->horizon_open ? part->horizon_us : part->horizon_us - 1;
    *page = (struct page){.lookup = {.table = &timers_table,
                                     .by = page_by,
                                     .n_by = 1,
                                     .columns = page_columns,
                                     .n_columns = 6,
                                     .order = 5,
                                     .after = true,
                                     .limit = part->small_pages ? TIMER_PAGE_SMALL : TIMER_PAGE},
                          .key = {{.i = part->id}, {.i = after}},
                          .stream = s,
                          .part = part,
                          .life = part->life,
                          .then = then,
                          .arena = arena};
    page->load = (struct store_load){.lookup = &page->lookup,
                                     .keys = page->key,
                                     .n_keys = 1,
                                     .after_commits = true,
                                     .arena = arena,
                                     .done = page_done,
                                     .user = page};
    request_add(s, &page->request, arena);
    s->page_loads++;
    store_load(s->store, &page->load);
}

bool timers_want_page(const struct part *part, int64_t now_us)
{
    if (part->horizon_us == INT64_MAX)
        return false;
    /* What is in memory of one instant is under way: the rest of it is read when that is over. */
    if (part->n_heap == 0)
        return !(part->horizon_open && part->n_timers);
    return part->horizon_us < now_us + 2 * SECOND_US &&
           !(part->horizon_open && part->heap[0]->due_us <= part->horizon_us);
}
