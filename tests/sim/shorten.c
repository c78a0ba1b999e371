/* A failing plan without what it does not need: halves are left out first, then less and less, while it still fails. */
#include "sim.h"

static bool fails(struct plan *plan)
{
    return !run_plan(plan, false, NULL, 0);
}

static bool without(struct plan *plan, unsigned from, unsigned n)
{
    bool was[MAX_ACTIONS] = {0}, any = false;
    for (unsigned i = from; i < from + n && i < plan->n; i++) {
        was[i] = plan->actions[i].off;
        any = any || !was[i];
        plan->actions[i].off = true;
    }
    if (any && fails(plan))
        return true;
    for (unsigned i = from; i < from + n && i < plan->n; i++)
        plan->actions[i].off = was[i];
    return false;
}

void shorten(struct plan *plan)
{
    for (unsigned size = (plan->n + 1) / 2; size; size /= 2)
        for (unsigned from = 0; from < plan->n; from += size)
            (void)without(plan, from, size);
    for (bool less = true; less;) {
        less = false;
        for (unsigned i = plan->n; i-- > 0;)
            less = (!plan->actions[i].off && without(plan, i, 1)) || less;
    }
}
