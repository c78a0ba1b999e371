#pragma once
/* How engaged somebody was, from what was measured: negative members were not given. */
#include "base.h"

struct engagement {
    double time_on_page; /* seconds */
    double scroll_depth; /* 0..1 */
    int64_t interaction_count;
    double score; /* as given */
};
#define ENGAGEMENT_NONE ((struct engagement){-1, -1, -1, -1})

/* The given score, else .4 min(time_on_page / 60, 1) + .3 scroll_depth + .3 min(interaction_count /
 * 5, 1) where what is missing counts as 0; within 0..1; negative when nothing was given. */
double engagement_score(const struct engagement *engagement);
double engagement_scroll(const struct engagement *engagement);   /* within 0..1, or negative */
int32_t engagement_seconds(const struct engagement *engagement); /* rounded, or -1 */
int32_t engagement_clicks(const struct engagement *engagement);  /* or -1 */
