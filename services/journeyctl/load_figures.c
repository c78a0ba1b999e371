#include "load_figures.h"

#include <stdio.h>
#include <stdlib.h>

#define LATENCIES_MAX 1000000 /* the first so many answers; more would not change a percentile */

int load_figures_init(struct load_figures *figures)
{
    *figures = (struct load_figures){0};
    figures->latencies_us = calloc(LATENCIES_MAX, sizeof(*figures->latencies_us));
    return figures->latencies_us ? 0 : ERR_NO_MEMORY;
}

void load_figures_deinit(struct load_figures *figures)
{
    free(figures->latencies_us);
    figures->latencies_us = NULL;
}

void load_figures_took(struct load_figures *figures, int64_t took_us)
{
    if (figures->n_latencies < LATENCIES_MAX)
        figures->latencies_us[figures->n_latencies++] = (uint32_t)min_i64(took_us, UINT32_MAX);
}

void load_figures_retry(struct load_figures *figures, int status)
{
    figures->retries++;
    switch (status) {
    case 429:
        figures->limited++;
        break;
    case 503:
        figures->unavailable++;
        break;
    case 404:
        figures->early++;
        break;
    case 0:
        figures->silent++;
        break;
    default:
        figures->faults++;
    }
}

void load_figures_say(const struct load_figures *figures, int64_t since_us)
{
    (void)fprintf(stderr, "%.0f s: %llu events, %llu commands acknowledged, %llu retries\n",
                  (double)since_us / SECOND_US, (unsigned long long)figures->events,
                  (unsigned long long)figures->commands, (unsigned long long)figures->retries);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Of sorted latencies. */
static double quantile_ms(const struct load_figures *figures, double q)
{
    if (figures->n_latencies == 0)
        return 0;
    return figures->latencies_us[(size_t)(q * (double)(figures->n_latencies - 1))] / 1000.0;
}

int load_figures_report(struct load_figures *figures, int64_t since_us, unsigned unanswered)
{
    double seconds = (double)max_i64(since_us, 1) / SECOND_US;
    uint64_t done = figures->events + figures->commands;
    if (figures->n_latencies > 0)
        qsort(figures->latencies_us, figures->n_latencies, sizeof(uint32_t), compare_u32);
    printf(
        "%llu events and %llu commands acknowledged in %.1f s: %.0f a second; %llu answered 202, "
        "%llu retries, %llu refused, %u unanswered\n"
        "retries after: %llu 429, %llu 503, %llu 404, %llu no answer, %llu other\n"
        "answers after %.1f ms in the median, 95 %%: %.1f ms, 99 %%: %.1f ms\n",
        (unsigned long long)figures->events, (unsigned long long)figures->commands, seconds,
        (double)done / seconds, (unsigned long long)figures->later,
        (unsigned long long)figures->retries, (unsigned long long)figures->refused, unanswered,
        (unsigned long long)figures->limited, (unsigned long long)figures->unavailable,
        (unsigned long long)figures->early, (unsigned long long)figures->silent,
        (unsigned long long)figures->faults, quantile_ms(figures, 0.5), quantile_ms(figures, 0.95),
        quantile_ms(figures, 0.99));
    if (figures->refused > 0)
        return ctl_fail(CTL_FAILED, "the first refusal: %s", figures->refusal);
    if (unanswered > 0)
        return ctl_fail(CTL_PARTLY, "%u requests were never answered", unanswered);
    return CTL_DONE;
}
