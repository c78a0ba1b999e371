#pragma once
/* load_figures: what a load saw of the answers. */
#include "ctl.h"

struct load_figures {
    uint64_t events, commands, later, retries, refused; /* later: answered 202 */
    /* of the retries: answered 429, 503, 404 (a start's effect may be on its way), not at all; else */
    uint64_t limited, unavailable, early, silent, faults;
    uint32_t *latencies_us;
    size_t n_latencies;
    char refusal[200]; /* the first one */
};

int load_figures_init(struct load_figures *figures) MUST_CHECK; /* ERR_NO_MEMORY */
void load_figures_deinit(struct load_figures *figures);
void load_figures_took(struct load_figures *figures, int64_t took_us);
void load_figures_retry(struct load_figures *figures, int status);
void load_figures_say(const struct load_figures *figures, int64_t since_us);
/* The outcome on stdout; unanswered: requests still without an answer. Returns an exit status. */
int load_figures_report(struct load_figures *figures, int64_t since_us, unsigned unanswered);
