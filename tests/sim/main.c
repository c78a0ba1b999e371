/*
 * sim [SEEDS [SEED]]     runs seeds from SEED (1) on; the environment's SEEDS and SEED mean the same
 *
 * Prints TAP, a line for each seed that fails, and how often everything was hit; last line "N seeds, V violations". STORY=1
 * tells what happens in a seed that fails, with every action left out that it does not need. STOP_AFTER=n: violations.
 */
#include "sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SEEDS_THAT_HIT_EVERYTHING = 2000
};

static struct plan plan;
static char last_words[200];

static void died(int signal)
{
    (void)!write(STDOUT_FILENO, last_words, strlen(last_words));
    _exit(1);
}

/* An option of the environment; NULL: not given, or empty. */
static const char *option(const char *name)
{
    const char *text = getenv(name);
    return text && *text ? text : NULL;
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

/* before: how many seeds were run, how many of them failed. */
static bool run_seed(uint64_t seed, uint64_t before, uint64_t violations)
{
    char why[600];
    (void)snprintf(last_words, sizeof(last_words),
                   "not ok seed %llu: died; make sim SEED=%llu STORY=1\n"
                   "%llu seeds, %llu violations\n",
                   (unsigned long long)seed, (unsigned long long)seed,
                   (unsigned long long)before + 1, (unsigned long long)violations + 1);
    plan_make(&plan, seed);
    if (run_plan(&plan, false, why, sizeof(why))) {
        if (getenv("CMOCKA_MESSAGE_OUTPUT")) /* tests/run counts */
            printf("ok seed %llu\n", (unsigned long long)seed);
        return true;
    }
    printf("not ok seed %llu: %s; make sim SEED=%llu STORY=1\n", (unsigned long long)seed, why,
           (unsigned long long)seed);
    if (option("STORY"))
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
    printf("# seed   at least %u events, %u commands, %u sessions, %u timers fired in each\n",
           tally.least.events, tally.least.commands, tally.least.sessions, tally.least.timers);
    printf("# unlucky %6llu  innocent messages condemned, for all who tried them died\n",
           (unsigned long long)tally.unlucky);
    return none;
}

static uint64_t number(const char *given, const char *name, uint64_t otherwise)
{
    const char *text = given ? given : option(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    uint64_t seeds =
        number(argc > 1 ? argv[1] : NULL, "SEEDS", option("SEED") ? 1 : SEEDS_THAT_HIT_EVERYTHING);
    uint64_t first = number(argc > 2 ? argv[2] : NULL, "SEED", 1), violations = 0, n = 0;
    uint64_t limit = number(NULL, "STOP_AFTER", UINT64_MAX);
    (void)signal(SIGSEGV, died);
    (void)signal(SIGABRT, died);
    for (; n < seeds && violations < limit; n++)
        violations += !run_seed(first + n, n, violations);
    unsigned none = report_all();
    if (none && n >= SEEDS_THAT_HIT_EVERYTHING) {
        printf("not ok every kind of fault and every step is hit: %u were not\n", none);
        violations++;
    }
    printf("%llu seeds, %llu violations\n", (unsigned long long)n, (unsigned long long)violations);
    return violations != 0;
}
