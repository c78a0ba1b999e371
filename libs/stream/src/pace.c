/*
 * How large batches are, and how many of them commit at once.
 *
 *   prompt   commands came within the last second: a batch commits in about 5 ms, so that the next one waits no longer
 *   bulk     nobody waits: 40 ms, for what a commit costs (fences, statements, a request to Kafka for each topic and
 *            partition) is shared by more messages
 *
 * Each pace has a limit of its own, so neither has to find it anew when the other was in force. A second commit goes
 * under way beside the first only when the last batch was full: else what arrives meanwhile makes one batch of several
 * small ones, which is worth more than deciding a little earlier.
 */
#include "internal.h"

enum {
    PROMPT_FOR_US = 1000000,
    /* Nor smaller, however slow: a commit costs as much as 20 to 30 messages, so smaller ones only fall further behind. */
    BATCH_MIN = 128,
    BATCH_FIRST = 200,
    IMPORTS_SHARE = 4, /* while commands come, imports fill a batch up to a quarter */
};

static const int64_t target_us[PACES] = {[PACE_PROMPT] = 5000, [PACE_BULK] = 40000};

void pace_init(struct stream *s)
{
    for (unsigned p = 0; p < PACES; p++)
        s->pace.limits[p] = (unsigned)min_i64(s->options.batch_limit, BATCH_FIRST);
    s->pace.prompt_until_us = INT64_MIN;
}

static enum pace_kind kind_now(const struct stream *s)
{
    return s->now_us < s->pace.prompt_until_us ? PACE_PROMPT : PACE_BULK;
}

unsigned pace_limit(const struct stream *s, enum bus_lane lane)
{
    enum pace_kind kind = kind_now(s);
    unsigned limit = s->pace.limits[kind];
    return kind == PACE_PROMPT && lane == BUS_LANE_IMPORTS ? 1 + limit / IMPORTS_SHARE : limit;
}

void pace_command(struct stream *s)
{
    s->pace.prompt_until_us = s->now_us + PROMPT_FOR_US;
}

void pace_gathered(struct stream *s, struct batch *batch, bool full)
{
    batch->pace = kind_now(s);
    s->pace.full = full;
}

unsigned pace_commits(const struct stream *s)
{
    return s->pace.full ? COMMITS_IN_FLIGHT : 1;
}

void pace_settled(struct stream *s, const struct batch *batch, int64_t took_us)
{
    unsigned *limit = &s->pace.limits[batch->pace];
    /* What a blame made smaller grows again, also where no commit is as fast as the target. */
    if ((took_us < target_us[batch->pace] || *limit < BATCH_MIN) && batch->decided >= *limit)
        *limit = (unsigned)min_i64(s->options.batch_limit, *limit + *limit / 4 + 1);
    else if (took_us > 2 * target_us[batch->pace])
        *limit = (unsigned)min_i64(*limit, max_i64(BATCH_MIN, *limit * 2 / 3));
}

void pace_blamed(struct stream *s)
{
    for (unsigned p = 0; p < PACES; p++)
        s->pace.limits[p] = (unsigned)max_i64(1, s->pace.limits[p] / 4);
}
