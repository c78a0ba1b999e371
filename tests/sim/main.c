/*
 * sim [SEEDS [SEED]]     runs seeds from SEED (1) on; environment SEEDS, SEED, STORY mean the same
 *
 * Prints what was hit and TAP; last line "N seeds, V violations". A seed that fails is shortened and told.
 */
#include "sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct plan plan;
static char last_words[60];

static void died(int signal)
{
    (void)!write(STDOUT_FILENO, last_words, sizeof(last_words));
    _exit(1);
}

static void tell(uint64_t seed)
{
    char why[600];
    unsigned left = 0;
    shorten(&plan);
    for (unsigned i = 0; i < plan.n; i++)
        left += !plan.actions[i].off;
    printf("--- seed %llu, %u of %u actions needed\n", (unsigned long long)seed, left, plan.n);
    (void)run_plan(&plan, true, why, sizeof(why));
    printf("--- %s\n", why);
}

static bool run_seed(uint64_t seed)
{
    char why[600];
    (void)snprintf(last_words, sizeof(last_words), "not ok seed %-32llu: died\n",
                   (unsigned long long)seed);
    plan_make(&plan, seed);
    if (run_plan(&plan, false, why, sizeof(why))) {
        if (getenv("CMOCKA_MESSAGE_OUTPUT")) /* tests/run counts */
            printf("ok seed %llu\n", (unsigned long long)seed);
        return true;
    }
    printf("not ok seed %llu: %s\n", (unsigned long long)seed, why);
    if (getenv("STORY"))
        tell(seed);
    (void)fflush(stdout);
    return false;
}

static unsigned report(const char *what, const char *const *texts, const uint64_t *hits, unsigned n)
{
    unsigned none = 0;
    for (unsigned i = 0; i < n; i++) {
        printf("# %-6s %9llu  %s\n", what, (unsigned long long)hits[i], texts[i]);
        none += hits[i] == 0;
    }
    return none;
}

static unsigned report_all(void)
{
    static const char *const faults[] = {
#define FAULT_TEXT(id, weight, text) text,
        FAULT_TABLE(FAULT_TEXT)
#undef FAULT_TEXT
    };
    static const char *const steps[] = {
#define STEP_TEXT(id, text) text,
        STEP_TABLE(STEP_TEXT)
#undef STEP_TEXT
    };
    unsigned none = report("fault", faults, tally.faults, FAULTS);
    none += report("step", steps, tally.steps, STEPS_COUNT);
    printf("# unlucky %6llu  innocent messages condemned, for all who tried them died\n",
           (unsigned long long)tally.unlucky);
    return none;
}

static uint64_t number(const char *given, const char *name, uint64_t otherwise)
{
    const char *text = given ? given : getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    uint64_t seeds = number(argc > 1 ? argv[1] : NULL, "SEEDS", getenv("SEED") ? 1 : 2000);
    uint64_t first = number(argc > 2 ? argv[2] : NULL, "SEED", 1), violations = 0, seed;
    const char *limit = getenv("STOP_AFTER");
    (void)signal(SIGSEGV, died);
    (void)signal(SIGABRT, died);
    for (seed = first; seed < first + seeds; seed++) {
        violations += !run_seed(seed);
        if (limit && violations >= strtoull(limit, NULL, 10)) {
            seed++;
            break;
        }
    }
    unsigned none = report_all();
    /* few seeds cannot hit everything */
    if (none && seeds >= 500 && !violations) {
        printf("not ok every fault and step was hit: %u were not\n", none);
        violations++;
    }
    printf("%llu seeds, %llu violations\n", (unsigned long long)(seed - first),
           (unsigned long long)violations);
    return violations != 0;
}
