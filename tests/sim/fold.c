/*
 * A session is the fold of what was said of it. This folds touchpoints and changes again, by rules of its own, and
 * compares with the rows: numbers without gaps, totals, stage, times, conversions; ended once for each time it was open.
 */
#include "sim.h"

#include "libs/stream/src/internal.h"

#include "domain/conversion.h"
#include "journey_state.h"
#include "tables.h"

#include "journey/v1/journey.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_SESSIONS = 800,
    MAX_ORDERS = 40,
    MAX_STARTS = 2, /* by a touchpoint, then by a start */
};

struct folded {
    uint8_t tenant[16];
    char id[64];
    int total, rows, conversions, ended_again;
    const char *stage;
    const char *expected; /* the stage that the last event brings it to; NULL: none */
    int returned
        [MAX_STARTS]; /* starts that found somebody who converted lately: after how many touchpoints */
    unsigned n_returned;
    int64_t start_us, last_us, ended_last_us;
    uint64_t orders[MAX_ORDERS];
    unsigned n_orders;
    bool open, seen_row;
};

struct folds {
    struct folded *list[1024];
    struct folded all[MAX_SESSIONS];
    unsigned n;
    unsigned order_conversions, other_conversions;
};

static struct folded *find(struct sim *sim, struct slice tenant, struct slice id)
{
    struct folds *folds = sim->checks;
    uint64_t at = hash64(id.data, id.size, tenant.data[1]);
    for (;; at++) {
        struct folded *f = folds->list[at % 1024];
        if (f && (memcmp(f->tenant, tenant.data, 16) != 0 || !slice_equal_str(id, f->id)))
            continue;
        if (f)
            return f;
        assert(folds->n < MAX_SESSIONS && id.size < sizeof(f->id));
        f = folds->list[at % 1024] = &folds->all[folds->n++];
        memcpy(f->tenant, tenant.data, 16);
        memcpy(f->id, id.data, id.size);
        f->start_us = INT64_MAX;
        f->last_us = INT64_MIN;
        f->stage = "awareness";
        return f;
    }
}

static int rank(const char *stage)
{
    static const char *const stages[] = {"awareness", "consideration", "decision", "conversion",
                                         "retention"};
    for (int i = 0; i < 5; i++)
        if (strcmp(stage, stages[i]) == 0)
            return i;
    return -1;
}

static const char *brings_to(const Journey__V1__Touchpoint *t)
{
    static const char *const moves[][2] = {{"Product List Viewed", "consideration"},
                                           {"Product Viewed", "consideration"},
                                           {"Product Added", "decision"},
                                           {"Checkout Started", "decision"},
                                           {"Order Completed", "conversion"}};
    if (strcmp(t->conversion_type, "purchase") == 0)
        return "conversion";
    for (unsigned i = 0; i < ARRAY_SIZE(moves); i++)
        if (strcmp(t->event_name, moves[i][0]) == 0)
            return moves[i][1];
    return NULL;
}

static void fold_conversion(struct sim *sim, struct folded *f, const Journey__V1__Touchpoint *t)
{
    struct folds *folds = sim->checks;
    f->conversions++;
    if (!t->order_id[0]) {
        folds->other_conversions++;
        return;
    }
    uint64_t order = hash64(t->order_id, strlen(t->order_id), 1);
    for (unsigned i = 0; i < f->n_orders; i++)
        if (f->orders[i] == order)
            violation(sim, "order %s is counted twice in session %s", t->order_id, f->id);
    if (f->n_orders < MAX_ORDERS)
        f->orders[f->n_orders++] = order;
}

/* The one change of stage without a touchpoint of its own. */
static void fold_return(struct folded *f)
{
    for (unsigned i = 0; i < f->n_returned; i++)
        if (f->returned[i] == f->total && strcmp(f->stage, "awareness") == 0)
            f->stage = "retention";
}

static void fold_touchpoint(struct sim *sim, const struct bus_record *record)
{
    ProtobufCAllocator allocator = sim_allocator(sim);
    Journey__V1__Touchpoint *t =
        journey__v1__touchpoint__unpack(&allocator, record->value.size, record->value.data);
    struct folded *f = find(sim, slice_make(t->tenant_id.data, 16), slice_str(t->session_id));
    bool moved = strcmp(t->touchpoint_type, "stage_transition") == 0;
    fold_return(f);
    if (t->touchpoint_sequence != ++f->total)
        violation(sim, "sequence numbers without gaps: session %s has %d after %d", f->id,
                  t->touchpoint_sequence, f->total - 1);
    const char *expected = f->expected && rank(f->expected) > rank(f->stage) ? f->expected : NULL;
    if (expected && (!moved || strcmp(t->stage, expected) != 0))
        violation(sim, "session %s, touchpoint %d: in %s, brought to %s, is in %s", f->id,
                  t->touchpoint_sequence, f->stage, expected, t->stage);
    if (!moved && strcmp(t->stage, f->stage) != 0)
        violation(sim, "session %s, touchpoint %d: in %s without a move from %s", f->id,
                  t->touchpoint_sequence, t->stage, f->stage);
    f->expected = moved ? NULL : brings_to(t);
    f->stage = t->stage;
    f->start_us = min_i64(f->start_us, t->timestamp_us);
    f->last_us = max_i64(f->last_us, t->timestamp_us);
    if (t->conversion_type[0])
        fold_conversion(sim, f, t);
}

static void fold_change(struct sim *sim, const struct bus_record *record)
{
    ProtobufCAllocator allocator = sim_allocator(sim);
    Journey__V1__SessionState *s =
        journey__v1__session_state__unpack(&allocator, record->value.size, record->value.data);
    struct folded *f = find(sim, slice_make(s->tenant_id.data, 16), slice_str(s->session_id));
    if (strcmp(s->change, "started") == 0) {
        f->open = true;
        f->start_us = min_i64(f->start_us, s->at_us);
        f->last_us = max_i64(f->last_us, s->at_us);
        if (f->n_returned == MAX_STARTS)
            violation(sim, "session %s starts again and again", f->id);
        else if (strcmp(s->current_stage, "retention") == 0)
            f->returned[f->n_returned++] = s->total_touchpoints;
    } else if (strcmp(s->change, "reopened") == 0) {
        if (f->open)
            violation(sim, "session %s is reopened while it is open", f->id);
        f->open = true;
    } else if (strcmp(s->change, "ended") == 0) {
        f->ended_again += !f->open;
        f->open = false;
        f->ended_last_us = max_i64(f->ended_last_us, s->last_us);
    }
}

/* A session may be told to end that fell idle before, as often as clients say so; its timer fires once. */
static void check_ends(struct sim *sim, const struct folded *f)
{
    int told = 0;
    char id[8];
    for (unsigned a = 0; a < sim->plan->n; a++) {
        const struct action *action = &sim->plan->actions[a];
        (void)snprintf(id, sizeof(id), "s%u", action->session);
        told += action->kind == ACT_COMMAND && action->done && action->what == 4 &&
                action->tenant == f->tenant[1] && strcmp(id, f->id) == 0;
    }
    if (f->ended_again > told)
        violation(sim,
                  "a timer fires once: session %s ended %d times while it was over, told %d times",
                  f->id, f->ended_again, told);
}

static void compare(struct sim *sim, struct folded *f, const Journey__V1__SessionRecord *r)
{
    int64_t last_us = max_i64(f->last_us, f->ended_last_us);
    f->seen_row = true;
    fold_return(f);
    if (f->total != r->total_touchpoints || f->conversions != r->conversions ||
        strcmp(f->stage, r->current_stage) != 0)
        violation(
            sim,
            "state = fold: session %s has %d touchpoints, %d conversions, is in %s; folded %d, "
            "%d, %s",
            f->id, r->total_touchpoints, r->conversions, r->current_stage, f->total, f->conversions,
            f->stage);
    if (r->start_us > f->start_us || r->last_us != last_us ||
        (!f->ended_last_us && r->start_us != f->start_us))
        violation(sim, "state = fold: session %s lasts %lld..%lld, folded %lld..%lld", f->id,
                  (long long)r->start_us, (long long)r->last_us, (long long)f->start_us,
                  (long long)last_us);
    bool given_up = strncmp(f->id, "killt", 5) == 0; /* its timer was */
    if ((f->open || !r->end_us) != given_up)
        violation(sim, "session %s %s", f->id,
                  given_up ? "ended, though nobody survives that"
                           : "never ended, though it fell idle");
    check_ends(sim, f);
    if (f->rows != f->total)
        violation(sim, "session %s has %d rows of %d touchpoints", f->id, f->rows, f->total);
}

/* What outsiders query is what the state says; but for columns that tell when they were written. */
static void check_columns(struct sim *sim, const struct store_value *row,
                          const Journey__V1__SessionRecord *record, const char *id)
{
    struct store_value then[STORE_MAX_COLUMNS] = {{0}}, later[STORE_MAX_COLUMNS] = {{0}};
    journey_sessions_state.project(record, record->last_received_us, sim->arena, then);
    journey_sessions_state.project(record, sim->now_us, sim->arena, later);
    for (unsigned c = 2; c + 1 < sessions_table.n_columns; c++) {
        const struct store_column *column = &sessions_table.columns[c];
        bool slice = store_type_is_slice(column->type);
        bool timeless = slice || (then[c].i == later[c].i && then[c].f == later[c].f);
        bool same = row[c].null == then[c].null;
        if (same && !then[c].null)
            same = slice ? slice_equal(row[c].s, then[c].s)
                         : row[c].i == then[c].i && row[c].f == then[c].f;
        if (timeless && !same)
            violation(sim, "session %s: the column %s is not what its state says", id,
                      column->name);
    }
}

static void compare_rows(struct sim *sim)
{
    static const struct store_value *rows[20000];
    struct folds *folds = sim->checks;
    ProtobufCAllocator allocator = sim_allocator(sim);
    unsigned n = store_mem_rows(sim->dbs[JOURNEY], &touchpoints_table, rows, ARRAY_SIZE(rows));
    for (unsigned i = 0; i < n; i++)
        find(sim, rows[i][TOUCHPOINTS_TENANT_ID].s, rows[i][TOUCHPOINTS_SESSION_ID].s)->rows++;
    n = store_mem_rows(sim->dbs[JOURNEY], &sessions_table, rows, ARRAY_SIZE(rows));
    for (unsigned i = 0; i < n; i++) {
        struct slice state = rows[i][SESSIONS_STATE].s;
        Journey__V1__SessionRecord *record =
            journey__v1__session_record__unpack(&allocator, state.size, state.data);
        struct folded *f = find(sim, rows[i][SESSIONS_TENANT_ID].s, rows[i][SESSIONS_SESSION_ID].s);
        compare(sim, f, record);
        check_columns(sim, rows[i], record, f->id);
    }
    for (unsigned i = 0; i < folds->n; i++)
        if (!folds->all[i].seen_row)
            violation(sim, "session %s has no row", folds->all[i].id);
    n = store_mem_rows(sim->dbs[JOURNEY], &conversions_table, rows, ARRAY_SIZE(rows));
    unsigned others = 0;
    for (unsigned i = 0; i < n; i++)
        others += rows[i][CONVERSIONS_ORDER_ID].null;
    if (others != folds->other_conversions)
        violation(sim, "%u conversions without an order, %u rows", folds->other_conversions,
                  others);
}

/* Of attempts a late mark may stay, carried out when it was withdrawn already; database.c looks at the others. */
static void check_over(struct sim *sim, const struct store_mem_table *left)
{
    for (unsigned i = 0; i < left->n; i++)
        if (left->rows[i][3].i != TIMER_ATTEMPT)
            violation(sim, "timers are left, though everything is over: %.*s of kind %lld",
                      (int)left->rows[i][4].s.size, (const char *)left->rows[i][4].s.data,
                      (long long)left->rows[i][3].i);
}

void check_sessions(struct sim *sim)
{
    sim->checks = calloc(1, sizeof(struct folds));
    if (!sim->checks)
        abort();
    ledger_each(sim, TOPIC_STATES, fold_change);
    struct folds *folds = sim->checks;
    ledger_each(sim, TOPIC_TOUCHPOINTS, fold_touchpoint);
    compare_rows(sim);
    sim->load.sessions = folds->n;
    for (unsigned s = 0; s < SERVICES; s++)
        check_over(sim, store_mem_table_get(sim->dbs[s], &timers_table));
    free(sim->checks);
    sim->checks = NULL;
}
