#include "engagement.h"

#define LONG_LOOK_S       60.0 /* a page looked at so long counts in full */
#define MANY_INTERACTIONS 5.0

static double share(double value, double full)
{
    if (!(value > 0)) /* missing, or not a number */
        return 0;
    return value >= full ? 1 : value / full;
}

static bool given(double value)
{
    return value >= 0;
}

double engagement_score(const struct engagement *e)
{
    if (given(e->score))
        return share(e->score, 1);
    if (!given(e->time_on_page) && !given(e->scroll_depth) && e->interaction_count < 0)
        return -1;
    return share(.4 * share(e->time_on_page, LONG_LOOK_S) + .3 * share(e->scroll_depth, 1) +
                     .3 * share((double)e->interaction_count, MANY_INTERACTIONS),
                 1);
}

double engagement_scroll(const struct engagement *e)
{
    return given(e->scroll_depth) ? share(e->scroll_depth, 1) : -1;
}

int32_t engagement_seconds(const struct engagement *e)
{
    if (!given(e->time_on_page))
        return -1;
    return e->time_on_page >= INT32_MAX ? INT32_MAX : (int32_t)(e->time_on_page + .5);
}

int32_t engagement_clicks(const struct engagement *e)
{
    return e->interaction_count < 0 ? -1 : (int32_t)min_i64(e->interaction_count, INT32_MAX);
}
