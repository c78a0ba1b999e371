#pragma once
/*
 * A request whose answer the worker has to find: what it needs is copied out of the exchange, which may be answered (its time
 * is over, the client is gone) before the worker is done.
 *
 *   loop: ask_open ─► ask_submit ──► thread: find() ──► loop: finish(), which answers, or goes on to another find()
 */
#include "vault.h"
#include "worker.h"

#define ASK_MEMORY ((size_t)64 << 20)
#define ASK_DAYS   16 /* dead letters are kept for 14 */

struct ask {
    struct work work;
    struct gateway *gateway;
    uint64_t handle;
    struct arena *arena; /* its own, all of it lives there; buffers beside it: */
    struct buf body;     /* the answer */
    struct uuid tenant;
    char actor[32], address[64];
    bool failed; /* the answer is a problem: */
    enum gw_problem problem;
    const char *detail;
    struct gw_faults faults;
    struct vault_subject *days; /* that seal dead letters; NULL: not asked for */
    void (*find)(struct ask *ask, const struct work_tools *tools);
    void (*finish)(struct ask *ask, struct exchange *exchange); /* NULL: answers with the body */
};

/* At least `size` bytes, a struct that begins with an ask; NULL: answered. */
void *ask_open(struct exchange *exchange, size_t size);
/* Gives it to the worker. Too many wait: answered with 429. */
void ask_submit(struct ask *ask, struct exchange *exchange);
/* The same, once the keys of the days are there that seal dead letters. */
void ask_submit_with_keys(struct ask *ask, struct exchange *exchange);
/* What a sealed record holds, of the thread; empty: it is not sealed, or of none of the days. */
struct slice ask_unseal(struct ask *ask, const struct bus_record *record);
/* Held by its exchange while something else is waited for; it goes with it. */
void ask_hold(struct ask *ask, struct exchange *exchange);
void ask_release(struct ask *ask);
void ask_fail(struct ask *ask, enum gw_problem problem, const char *detail);
/* By a library's error. */
void ask_fail_err(struct ask *ask, const struct err *err);

/* Parameters of the query. */
struct slice ask_text(struct exchange *exchange, const char *name); /* data NULL: not given */
unsigned ask_limit(struct exchange *exchange, struct gw_faults *faults);
