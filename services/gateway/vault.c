#include "vault.h"
#include "vault_cache.h"

#include <event2/event.h>
#include <stdlib.h>

/*
 *   vault_find ── memory ── all there: ready()
 *        └── missing ──► the call being collected ──► sent while fewer than two are under way, else when one ends
 *                        (or one under way that      └─► obtain_keys: the vault's key, or the proposed one that it took
 *                         has the same subject)           └─► memory; who waited for it: ready(), or waits for another
 *
 * A call carries new keys for all its subjects, wrapped; the vault answers with the one that holds.
 */
#define CACHE_ENTRIES  16384
#define KEEP_US        (50 * SECOND_US)
#define SWEEP_US       (10 * SECOND_US) /* so that none is older than a minute */
#define CALLS_MAX      2                /* under way */
#define SUBJECTS_MAX   8192             /* of a call; beyond them 503 */
#define HEADS          1024
#define LOAD_LIMIT     ((size_t)16 << 20)
#define FAULT_AGAIN_US (10 * SECOND_US)

enum vault_column {
    VAULT_TENANT,
    VAULT_SUBJECT,
    VAULT_KEY
};
static const struct store_column vault_columns[] = {
    {"tenant_id", STORE_UUID, 0}, {"subject", STORE_BYTES, 0}, {"key", STORE_BYTES, 0}};
const struct store_table vault_table = {.name = "keys",
                                        .columns = vault_columns,
                                        .n_columns = ARRAY_SIZE(vault_columns),
                                        .n_key = 2,
                                        .conflict = STORE_IGNORE};
static const uint8_t all_columns[] = {VAULT_TENANT, VAULT_SUBJECT, VAULT_KEY};
static const struct store_lookup obtain_keys = {.table = &vault_table,
                                                .by = all_columns,
                                                .n_by = ARRAY_SIZE(all_columns),
                                                .columns = all_columns + VAULT_KEY,
                                                .n_columns = 1,
                                                .order = -1,
                                                .obtain = "vault.obtain_keys"};

enum answer {
    NONE, /* the vault did not say, or a key of another master key */
    KEY,
    ERASED
};

struct item {
    uint8_t tenant[16], subject[16], key[PRIVACY_KEY_SIZE], proposed[PRIVACY_WRAPPED_SIZE];
    enum answer answer;
    uint16_t next; /* of its chain, + 1 */
};

/* What an exchange waits for, in its arena: whoever finds the exchange by its handle may use it. */
struct wait {
    struct vault_subject *subjects;
    bool *there;
    unsigned n, missing;
    void (*ready)(struct exchange *exchange);
};

struct waiter {
    uint64_t handle;
    struct wait *wait;
};

struct call {
    struct gateway *gateway;
    struct call *next;
    struct item *items;
    unsigned n, capacity;
    uint16_t heads[HEADS];
    struct buf waiters;
    struct arena *arena;
    struct store_load load;
};

struct vault {
    uint8_t master[PRIVACY_KEY_SIZE];
    struct vault_cache *cache;
    struct call *calls, *collecting;
    unsigned n_calls;
    struct event *sweep;
    int64_t fault_us; /* of the last log line about it */
};

void vault_day(uint8_t subject[16], int64_t now_us)
{
    privacy_day(subject, now_us);
}

/* ---- a call ---- */

static void call_free(struct call *call)
{
    if (!call)
        return;
    if (call->items)
        privacy_wipe(call->items, call->n * sizeof(*call->items));
    free(call->items);
    buf_deinit(&call->waiters);
    arena_destroy(&call->arena);
    free(call);
}

static uint16_t *chain_of(struct call *call, const uint8_t subject[16])
{
    uint16_t head = 0;
    memcpy(&head, subject, sizeof(head)); /* a hash: any two bytes are as good */
    return &call->heads[head % HEADS];
}

static struct item *item_find(struct call *call, const uint8_t tenant[16],
                              const uint8_t subject[16])
{
    for (unsigned i = *chain_of(call, subject); i && call->items; i = call->items[i - 1].next) {
        struct item *item = &call->items[i - 1];
        if (memcmp(item->subject, subject, 16) == 0 && memcmp(item->tenant, tenant, 16) == 0)
            return item;
    }
    return NULL;
}

static bool item_add(struct call *call, const uint8_t tenant[16], const uint8_t subject[16])
{
    if (call->n == call->capacity) {
        unsigned capacity = call->capacity ? call->capacity * 2 : 16;
        struct item *items = call->n < SUBJECTS_MAX ? calloc(capacity, sizeof(*items)) : NULL;
        if (!items)
            return false;
        if (call->items)
            memcpy(items, call->items, call->n * sizeof(*items)); /* no key is in them yet */
        free(call->items);
        call->items = items;
        call->capacity = capacity;
    }
    assert(call->items);
    struct item *item = &call->items[call->n++];
    uint16_t *chain = chain_of(call, subject);
    memcpy(item->tenant, tenant, 16);
    memcpy(item->subject, subject, 16);
    item->next = *chain;
    *chain = (uint16_t)call->n;
    return true;
}

static struct call *call_make(struct gateway *gateway)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    call->gateway = gateway;
    call->arena = arena_create(LOAD_LIMIT);
    if (call->arena)
        return call;
    call_free(call);
    return NULL;
}

static void on_loaded(struct store_load *load);

/* A new key for each, in case that it has none. */
static struct store_value *propose(struct call *call)
{
    struct gateway *gateway = call->gateway;
    struct entropy *entropy = gateway->world.entropy;
    struct store_value *values =
        arena_alloc(call->arena, (size_t)call->n * ARRAY_SIZE(all_columns) * sizeof(*values));
    for (unsigned i = 0; values && i < call->n; i++) {
        struct item *item = &call->items[i];
        uint8_t random[PRIVACY_KEY_SIZE + PRIVACY_NONCE_SIZE];
        entropy->fill(entropy, random, sizeof(random));
        privacy_wrap(item->proposed, gateway->vault->master, item->tenant, item->subject,
                     random + PRIVACY_KEY_SIZE, random);
        privacy_wipe(random, sizeof(random));
        struct store_value *row = values + (size_t)i * ARRAY_SIZE(all_columns);
        row[VAULT_TENANT].s = slice_make(item->tenant, 16);
        row[VAULT_SUBJECT].s = slice_make(item->subject, 16);
        row[VAULT_KEY].s = slice_make(item->proposed, PRIVACY_WRAPPED_SIZE);
    }
    return values;
}

/* What has been collected goes, if it may. */
static void send_collected(struct gateway *gateway)
{
    struct vault *vault = gateway->vault;
    struct call *call = vault->collecting;
    if (!call || call->n == 0 || vault->n_calls >= CALLS_MAX)
        return;
    call->load = (struct store_load){.lookup = &obtain_keys,
                                     .keys = propose(call),
                                     .n_keys = call->n,
                                     .arena = call->arena,
                                     .done = on_loaded,
                                     .user = call};
    if (!call->load.keys)
        call->load.n_keys = 0; /* answered with nothing: 503 */
    vault->collecting = NULL;
    call->next = vault->calls;
    vault->calls = call;
    vault->n_calls++;
    metric_inc(gateway->stats.vault_calls, 1);
    metric_inc(gateway->stats.vault_subjects, call->n);
    store_load(gateway->world.store, &call->load);
}

/* ---- what comes back ---- */

static void say_fault(struct gateway *gateway, const char *event, const char *message)
{
    struct vault *vault = gateway->vault;
    char text[300];
    int64_t now_us = gateway_now(gateway);
    metric_inc(gateway->stats.vault_faults, 1);
    if (vault->fault_us && now_us - vault->fault_us < FAULT_AGAIN_US)
        return;
    vault->fault_us = now_us;
    log_event(LOG_ERROR, event, NULL, "\"message\":\"%s\"",
              log_escape(text, sizeof(text), message));
}

static void take_answers(struct call *call)
{
    struct gateway *gateway = call->gateway;
    struct vault *vault = gateway->vault;
    int64_t now_us = gateway_now(gateway);
    for (unsigned f = 0; f < call->load.n_found; f++) {
        const struct store_found *found = &call->load.found[f];
        if (found->key >= call->n)
            continue;
        struct item *item = &call->items[found->key];
        if (found->values[0].null)
            item->answer = ERASED;
        else if (privacy_unwrap(item->key, vault->master, item->tenant, item->subject,
                                found->values[0].s) == 0)
            item->answer = KEY;
        else
            say_fault(gateway, "vault_key_not_opened", "wrapped by another master key");
        if (item->answer != NONE)
            vault_cache_put(vault->cache, item->tenant, item->subject, now_us,
                            item->answer == KEY ? item->key : NULL);
    }
}

static void refuse(struct exchange *exchange)
{
    exchange_problem(exchange, GW_PROBLEM_UNAVAILABLE, "Personal data cannot be sealed now", NULL);
}

/* false: the exchange has been answered. */
static bool fill_in(struct exchange *exchange, struct vault_subject *subject, const uint8_t *key)
{
    subject->key = key ? arena_copy(exchange->arena, key, PRIVACY_KEY_SIZE) : NULL;
    if (!key || subject->key)
        return true;
    exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
    return false;
}

static void tell(struct call *call, struct exchange *exchange, struct wait *wait)
{
    for (unsigned i = 0; i < wait->n; i++) {
        struct vault_subject *subject = &wait->subjects[i];
        struct item *item =
            wait->there[i] ? NULL : item_find(call, exchange->key.tenant.id, subject->id);
        if (!item)
            continue;
        if (item->answer == NONE) {
            refuse(exchange);
            return;
        }
        if (!fill_in(exchange, subject, item->answer == KEY ? item->key : NULL))
            return;
        wait->there[i] = true;
        wait->missing--;
    }
    if (wait->missing > 0)
        return; /* another call has the rest */
    exchange_disarm(exchange);
    wait->ready(exchange);
}

static void on_loaded(struct store_load *load)
{
    struct call *call = load->user;
    struct gateway *gateway = call->gateway;
    struct vault *vault = gateway->vault;
    struct call **at = &vault->calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    vault->n_calls--;
    if (load->err.code)
        say_fault(gateway, "vault_unavailable", load->err.message);
    else
        take_answers(call);
    for (size_t i = 0; i + sizeof(struct waiter) <= call->waiters.size;
         i += sizeof(struct waiter)) {
        struct waiter waiter;
        memcpy(&waiter, call->waiters.data + i, sizeof(waiter));
        struct exchange *exchange = slots_get(gateway->exchanges, waiter.handle);
        if (exchange)
            tell(call, exchange, waiter.wait);
    }
    call_free(call);
    send_collected(gateway);
}

/* ---- asking ---- */

static bool wait_at(struct call *call, struct exchange *exchange, struct wait *wait)
{
    struct waiter waiter = {exchange->handle, wait}, last;
    if (call->waiters.size) {
        memcpy(&last, call->waiters.data + call->waiters.size - sizeof(last), sizeof(last));
        if (last.handle == waiter.handle)
            return true;
    }
    buf_append(&call->waiters, &waiter, sizeof(waiter));
    return !call->waiters.overflow;
}

/* At the call that has the subject already, else at the one being collected. */
static bool ask(struct exchange *exchange, struct wait *wait, const uint8_t subject[16])
{
    struct gateway *gateway = exchange->gateway;
    struct vault *vault = gateway->vault;
    const uint8_t *tenant = exchange->key.tenant.id;
    for (struct call *call = vault->calls; call; call = call->next)
        if (item_find(call, tenant, subject))
            return wait_at(call, exchange, wait);
    if (!vault->collecting)
        vault->collecting = call_make(gateway);
    if (!vault->collecting || (!item_find(vault->collecting, tenant, subject) &&
                               !item_add(vault->collecting, tenant, subject)))
        return false;
    return wait_at(vault->collecting, exchange, wait);
}

static struct wait *wait_make(struct exchange *exchange, struct vault_subject *subjects, unsigned n)
{
    struct wait *wait = arena_alloc(exchange->arena, sizeof(*wait));
    bool *there = arena_alloc(exchange->arena, n * sizeof(*there) + 1);
    if (!wait || !there)
        return NULL;
    *wait = (struct wait){.subjects = subjects, .there = there, .n = n};
    return wait;
}

void vault_find(struct exchange *exchange, struct vault_subject *subjects, unsigned n,
                void (*ready)(struct exchange *exchange))
{
    struct gateway *gateway = exchange->gateway;
    struct wait *wait = wait_make(exchange, subjects, n);
    int64_t now_us = gateway_now(gateway);
    if (!wait) {
        exchange_problem(exchange, GW_PROBLEM_TOO_LARGE, NULL, NULL);
        return;
    }
    wait->ready = ready;
    for (unsigned i = 0; i < n; i++) {
        uint8_t key[PRIVACY_KEY_SIZE];
        bool erased = false;
        wait->there[i] = vault_cache_get(gateway->vault->cache, exchange->key.tenant.id,
                                         subjects[i].id, now_us, key, &erased);
        bool filled = !wait->there[i] || fill_in(exchange, &subjects[i], erased ? NULL : key);
        privacy_wipe(key, sizeof(key));
        if (!filled)
            return;
        wait->missing += !wait->there[i];
    }
    if (wait->missing == 0) {
        ready(exchange);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        if (wait->there[i] || ask(exchange, wait, subjects[i].id))
            continue;
        metric_inc(gateway->stats.vault_full, 1);
        refuse(exchange);
        return;
    }
    exchange->timeout = refuse;
    exchange_arm(exchange, gateway->options.deadline_ms * 1000);
    send_collected(gateway);
}

/* ---- making ---- */

static void on_sweep(evutil_socket_t fd, short what, void *user)
{
    struct gateway *gateway = user;
    metric_set(gateway->stats.vault_keys,
               vault_cache_sweep(gateway->vault->cache, gateway_now(gateway)));
}

int vault_create(struct gateway *gateway, struct err *err)
{
    static const struct timeval every = {SWEEP_US / SECOND_US, 0};
    struct vault *vault = gateway->vault = calloc(1, sizeof(*vault));
    if (!vault)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for the vault");
    int r = privacy_master_load(vault->master, gateway->options.master_key,
                                gateway->options.master_key_file, err);
    if (r < 0)
        return r;
    vault->cache = vault_cache_create(CACHE_ENTRIES, KEEP_US);
    vault->sweep = event_new(gateway->world.base, -1, EV_PERSIST, on_sweep, gateway);
    if (!vault->cache || !vault->sweep || event_add(vault->sweep, &every) < 0)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for the vault");
    return 0;
}

void vault_destroy(struct gateway *gateway)
{
    struct vault *vault = gateway->vault;
    if (!vault)
        return;
    while (vault->calls) {
        struct call *call = vault->calls;
        vault->calls = call->next;
        call_free(call);
    }
    call_free(vault->collecting);
    if (vault->sweep)
        event_free(vault->sweep);
    vault_cache_destroy(&vault->cache);
    privacy_wipe(vault, sizeof(*vault));
    free(vault);
    gateway->vault = NULL;
}
