#include "session.h"

#include "path.h"

const struct session_rules session_default_rules = {
    .stages = &stage_default_rules,
    .goals = &goals_default,
    .idle_us = 30 * MINUTE_US,
    .currency = "EUR",
    .retention_us = 365 * DAY_US,
};

/* ---- pieces ---- */

static void add_fact(const struct session *s, enum session_fact_kind kind, enum stage previous,
                     struct session_outcome *outcome)
{
    assert(outcome->n_facts < SESSION_MAX_FACTS);
    outcome->facts[outcome->n_facts++] =
        (struct session_fact){kind, previous, s->stage, s->total_touchpoints};
}

static void see_person(struct session *s, const struct session_moment *moment)
{
    if (moment->user) {
        memcpy(s->user, moment->user, sizeof(s->user));
        s->known = true;
    }
    if (moment->device) {
        memcpy(s->device, moment->device, sizeof(s->device));
        s->placed = true;
    }
    s->converted_us = max_i64(s->converted_us, moment->converted_us);
}

/* A sign of life: times grow at both ends, whatever the order of arrival; an ended session is open
 * again, unless its client ended it after this. */
static void see(struct session *s, const struct session_moment *moment,
                struct session_outcome *outcome)
{
    see_person(s, moment);
    s->start_us = min_i64(s->start_us, moment->time_us);
    s->last_us = max_i64(s->last_us, moment->time_us);
    s->last_received_us = max_i64(s->last_received_us, moment->received_us);
    if (s->end_us == 0 || (s->ended_by_command && moment->time_us <= s->end_us))
        return;
    s->end_us = 0;
    s->ended_by_command = false;
    s->exit_point = "";
    add_fact(s, SESSION_REOPENED, s->stage, outcome);
}

static void add_touchpoint(struct session *s, struct session_outcome *outcome)
{
    s->total_touchpoints++;
    add_fact(s, SESSION_TOUCHPOINT, s->stage, outcome);
}

static void move(struct session *s, enum stage to, struct session_outcome *outcome)
{
    enum stage previous = s->stage;
    s->stage = to;
    s->total_touchpoints++;
    add_fact(s, SESSION_MOVED, previous, outcome);
}

static void move_forward(struct session *s, enum stage to, struct session_outcome *outcome)
{
    if (to > s->stage)
        move(s, to, outcome);
}

/* ---- conversions ---- */

static bool order_known(const struct session *s, uint64_t hash)
{
    for (unsigned i = 0; i < s->n_orders; i++)
        if (s->orders[i] == hash)
            return true;
    return false;
}

static void remember_order(struct session *s, uint64_t hash)
{
    if (s->n_orders == SESSION_ORDERS)
        memmove(s->orders, s->orders + 1, --s->n_orders * sizeof(s->orders[0]));
    s->orders[s->n_orders++] = hash;
}

static void remember_conversion(struct session *s, const struct session_goal *goal,
                                const uint8_t id[16], int64_t time_us)
{
    if (s->n_recent == SESSION_CONVERSIONS)
        memmove(s->recent, s->recent + 1, --s->n_recent * sizeof(s->recent[0]));
    struct session_conversion *c = &s->recent[s->n_recent++];
    *c = (struct session_conversion){
        .type = goal->type, .currency = goal->currency, .cents = goal->cents, .at_us = time_us};
    memcpy(c->id, id, sizeof(c->id));
}

/* Whether the order was counted before; then the outcome has its id. */
static bool repeated(const struct session *s, const struct session_goal *goal,
                     struct session_outcome *outcome)
{
    if (!goal->order_id[0])
        return false;
    struct uuid id;
    conversion_id_of_order(&id, s->tenant, goal->type, goal->order_id);
    memcpy(outcome->conversion_id, id.bytes, sizeof(id.bytes));
    return goal->counted || order_known(s, conversion_order_hash(goal->type, goal->order_id));
}

/* Of the touchpoint just added. */
static void count(struct session *s, const struct session_rules *rules,
                  const struct session_goal *goal, int64_t time_us, struct session_outcome *outcome)
{
    if (goal->order_id[0]) {
        remember_order(s, conversion_order_hash(goal->type, goal->order_id));
    } else {
        struct uuid id;
        conversion_id_of_touchpoint(&id, s->tenant, s->session_id, s->total_touchpoints);
        memcpy(outcome->conversion_id, id.bytes, sizeof(id.bytes));
    }
    s->conversions++;
    if (goals_has(rules->goals, goal->type))
        s->converted_us = max_i64(s->converted_us, time_us);
    remember_conversion(s, goal, outcome->conversion_id, time_us);
    outcome->counted = true;
    add_fact(s, SESSION_CONVERTED, s->stage, outcome);
}

/* Where what happened brings a session by itself. */
static enum stage behaviour(const struct session_rules *rules, const char *event,
                            const struct session_goal *goal)
{
    enum stage to = stage_by_event(rules->stages, event);
    if (goal && goals_has(rules->goals, goal->type) && to < STAGE_CONVERSION)
        to = STAGE_CONVERSION;
    return to;
}

/* ---- what happens to a session ---- */

static void profile_set(struct session *s, const struct session_rules *rules,
                        const struct session_profile *profile, const struct session_moment *moment)
{
    s->profile = *profile;
    s->profile.device_type = path_device(profile->device_type);
    s->profile.returning = profile->returning || moment->seen_before;
    s->path = path_choose(s->profile.device_type, s->profile.entry_source, s->profile.returning);
    int64_t since = moment->time_us - moment->converted_us;
    if (s->stage == STAGE_AWARENESS && moment->converted_us > 0 && since >= 0 &&
        since <= rules->retention_us)
        s->stage = STAGE_RETENTION;
}

void session_open(struct session *s, const struct session_rules *rules,
                  const struct session_profile *profile, const struct session_moment *moment,
                  bool by_start, struct session_outcome *outcome)
{
    struct uuid id;
    session_row_id(&id, s->tenant, s->session_id, moment->time_us);
    memcpy(s->id, id.bytes, sizeof(s->id));
    s->stage = STAGE_AWARENESS;
    s->exit_point = s->last_item = "";
    s->start_us = s->last_us = moment->time_us;
    s->last_received_us = s->created_us = moment->received_us;
    s->idle_us = rules->idle_us;
    s->started = by_start;
    see_person(s, moment);
    profile_set(s, rules, profile, moment);
    add_fact(s, SESSION_STARTED, s->stage, outcome);
}

enum session_verdict session_start(struct session *s, const struct session_rules *rules,
                                   const struct session_profile *profile,
                                   const struct session_moment *moment,
                                   struct session_outcome *outcome)
{
    if (s->started)
        return SESSION_SAME;
    struct session_outcome reopened = {0}; /* told by the start itself */
    s->ended_by_command = false;           /* whoever starts it is there */
    see(s, moment, &reopened);
    s->started = true;
    /* what the touchpoints told and the start does not is kept */
    struct session_profile complete = *profile;
    if (!complete.utm_data[0])
        complete.utm_data = s->profile.utm_data;
    if (!complete.referrer_data[0])
        complete.referrer_data = s->profile.referrer_data;
    profile_set(s, rules, &complete, moment);
    add_fact(s, SESSION_STARTED, s->stage, outcome);
    return SESSION_DONE;
}

void session_event(struct session *s, const struct session_rules *rules, const char *event,
                   const struct session_goal *goal, const struct session_moment *moment,
                   struct session_outcome *outcome)
{
    see(s, moment, outcome);
    add_touchpoint(s, outcome);
    if (goal && !repeated(s, goal, outcome))
        count(s, rules, goal, moment->time_us, outcome);
    move_forward(s, behaviour(rules, event, goal), outcome);
}

enum session_verdict session_touch(struct session *s, const struct session_rules *rules,
                                   const char *event, const struct session_moment *moment,
                                   struct session_outcome *outcome)
{
    if (s->ended_by_command)
        return SESSION_OVER;
    session_event(s, rules, event, NULL, moment, outcome);
    return SESSION_DONE;
}

enum session_verdict session_convert(struct session *s, const struct session_rules *rules,
                                     const struct session_goal *goal,
                                     const struct session_moment *moment,
                                     struct session_outcome *outcome)
{
    if (s->ended_by_command)
        return SESSION_OVER;
    if (repeated(s, goal, outcome))
        return SESSION_SAME;
    session_event(s, rules, "", goal, moment, outcome);
    return SESSION_DONE;
}

enum session_verdict session_move(struct session *s, enum stage to,
                                  const struct session_moment *moment,
                                  struct session_outcome *outcome)
{
    if (s->ended_by_command)
        return SESSION_OVER;
    if (to != s->stage && !stage_move_legal(s->stage, to))
        return SESSION_ILLEGAL;
    see(s, moment, outcome);
    if (to == s->stage) {
        add_touchpoint(s, outcome);
        return SESSION_SAME;
    }
    move(s, to, outcome);
    return SESSION_DONE;
}

enum session_verdict session_end(struct session *s, const char *exit_point,
                                 const struct session_moment *moment,
                                 struct session_outcome *outcome)
{
    if (s->ended_by_command)
        return SESSION_OVER;
    struct session_outcome reopened = {0}; /* to end at once is no reopening */
    struct session_moment end = *moment;
    end.time_us = max_i64(end.time_us, s->start_us); /* nothing ends before it starts */
    see(s, &end, &reopened);
    s->end_us = s->last_us;
    s->ended_by_command = true;
    s->exit_point = exit_point;
    add_fact(s, SESSION_ENDED, s->stage, outcome);
    return SESSION_DONE;
}

int64_t session_idle_at(const struct session *s)
{
    return s->last_received_us + s->idle_us;
}

void session_idle(struct session *s, int64_t due_us, struct session_outcome *outcome)
{
    if (s->end_us || due_us < session_idle_at(s))
        return;
    s->end_us = s->last_us + s->idle_us;
    add_fact(s, SESSION_ENDED, s->stage, outcome);
}

int32_t session_seconds(const struct session *s)
{
    return (int32_t)min_i64((s->last_us - s->start_us) / SECOND_US, INT32_MAX);
}
