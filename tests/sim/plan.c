/* A seed's plan: what clients do and what goes wrong, and when. */
#include "sim.h"

#include <stdlib.h>

uint64_t mix(uint64_t a, uint64_t b)
{
    struct random random = {a ^ b * UINT64_C(0x9e3779b97f4a7c15)};
    (void)random_next(&random);
    return random_next(&random);
}

static struct action *add(struct plan *plan, struct random *random, enum action_kind kind,
                          unsigned from, unsigned until)
{
    assert(plan->n < MAX_ACTIONS);
    struct action *action = &plan->actions[plan->n];
    *action = (struct action){.seed = mix(plan->seed, plan->n + 1),
                              .kind = (uint8_t)kind,
                              .step = (uint16_t)(from + below(random, until - from))};
    plan->n++;
    return action;
}

static void add_clients(struct plan *plan, struct random *random)
{
    unsigned events = 0, clients;
    for (unsigned i = 0; i < 4; i++)
        add(plan, random, ACT_SETTINGS, 0, STEPS);
    while (events < 520) {
        struct action *batch = add(plan, random, ACT_BATCH, 0, STEPS);
        batch->n_events = 1 + (unsigned)below(random, MAX_EVENTS);
        events += batch->n_events;
    }
    for (unsigned i = 0; i < 2; i++)
        add(plan, random, ACT_GARBAGE, 0, STEPS);
    for (unsigned i = 0; i < 90; i++)
        add(plan, random, ACT_COMMAND, 0, STEPS);
    clients = plan->n;
    for (unsigned i = 0; i < 70; i++) {
        unsigned of = (unsigned)below(random, clients);
        bool settings = plan->actions[of].kind == ACT_SETTINGS;
        unsigned soon = plan->actions[of].step + 1U, late = soon + (settings ? 2000 : 400);
        struct action *repeat =
            add(plan, random, ACT_REPEAT, soon, late > STEPS + 1 ? STEPS + 1 : late);
        repeat->of = of;
    }
}

/* Not every kind of fault in every seed: some need quiet to do harm, others company. */
static void add_faults(struct plan *plan, struct random *random)
{
    static const unsigned weights[FAULTS] = {
#define FAULT_WEIGHT(id, weight, text) weight,
        FAULT_TABLE(FAULT_WEIGHT)
#undef FAULT_WEIGHT
    };
    unsigned density = 1 + (unsigned)below(random, 3);
    for (unsigned f = 0; f < FAULTS; f++) {
        if (below(random, 2))
            continue;
        bool rare = f == FAULT_POISON || f == FAULT_RETENTION || f == FAULT_ANEW;
        if (rare && below(random, 6))
            continue;
        unsigned n = rare ? 1 : 1 + (unsigned)below(random, (uint64_t)weights[f] * density);
        for (unsigned i = 0; i < n; i++)
            add(plan, random, ACT_FAULT, 50, STEPS - 50)->fault = (uint8_t)f;
    }
}

static int by_step(const void *a, const void *b)
{
    const struct action *x = *(struct action *const *)a, *y = *(struct action *const *)b;
    return x->step != y->step ? (x->step < y->step ? -1 : 1) : x < y ? -1 : x > y;
}

/* In the order of their steps; what repeats an action names its new place. */
static void sort(struct plan *plan)
{
    static struct action sorted[MAX_ACTIONS];
    struct action *order[MAX_ACTIONS];
    unsigned place[MAX_ACTIONS];
    for (unsigned i = 0; i < plan->n; i++)
        order[i] = &plan->actions[i];
    qsort(order, plan->n, sizeof(struct action *), by_step);
    for (unsigned i = 0; i < plan->n; i++) {
        place[order[i] - plan->actions] = i;
        sorted[i] = *order[i];
    }
    for (unsigned i = 0; i < plan->n; i++) {
        plan->actions[i] = sorted[i];
        if (plan->actions[i].kind == ACT_REPEAT)
            plan->actions[i].of = place[plan->actions[i].of];
    }
}

void plan_make(struct plan *plan, uint64_t seed)
{
    struct random random = {mix(seed, 0)};
    plan->seed = seed;
    plan->n = 0;
    add_clients(plan, &random);
    add_faults(plan, &random);
    sort(plan);
}
