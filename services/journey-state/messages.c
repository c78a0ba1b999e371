#include "messages.h"

#include "borrow.h"
#include "domain/money.h"
#include "json.h"
#include "reading_inside.h"

static const char *change_name(enum session_fact_kind kind)
{
    switch (kind) {
    case SESSION_STARTED:
        return "started";
    case SESSION_REOPENED:
        return "reopened";
    case SESSION_CONVERTED:
        return "conversion";
    case SESSION_MOVED:
        return "stage_transition";
    default:
        return "ended";
    }
}

Journey__V1__SessionState *message_state(const struct turn *turn, const struct session_fact *fact)
{
    const struct session *s = turn->session;
    Journey__V1__SessionState *m = arena_alloc(turn->decision->arena, sizeof(*m));
    if (!m)
        return NULL;
    journey__v1__session_state__init(m);
    m->tenant_id = borrow_id(s->tenant);
    m->session_id = borrow_text(s->session_id);
    m->current_stage = borrow_text(stage_name(fact->stage));
    m->journey_path = borrow_text(s->path);
    m->change = borrow_text(change_name(fact->kind));
    m->at_us = fact->kind == SESSION_ENDED ? s->end_us : turn->happening->moment.time_us;
    m->total_touchpoints = fact->sequence;
    if (fact->kind == SESSION_MOVED)
        m->previous_stage = borrow_text(stage_name(fact->previous));
    if (s->known)
        m->user = borrow_id(s->user);
    if (s->placed)
        m->device = borrow_id(s->device);
    m->start_us = s->start_us;
    m->last_us = s->last_us;
    return m;
}

static void set_engagement(Journey__V1__Touchpoint *m, const struct engagement *e)
{
    m->engagement_score = engagement_score(e);
    m->scroll_depth = engagement_scroll(e);
    m->duration_seconds = engagement_seconds(e);
    m->click_count = engagement_clicks(e);
}

static bool set_identity(Journey__V1__Touchpoint *m, const struct turn *turn,
                         const struct session_fact *fact)
{
    const struct session *s = turn->session;
    struct arena *arena = turn->decision->arena;
    struct uuid id;
    touchpoint_id(&id, s->tenant, s->session_id, fact->sequence);
    const uint8_t *copy = arena_copy(arena, id.bytes, sizeof(id.bytes));
    m->id = borrow_id(copy);
    m->tenant_id = borrow_id(s->tenant);
    m->session_id = borrow_text(s->session_id);
    m->touchpoint_sequence = fact->sequence;
    if (s->known)
        m->user = borrow_id(s->user);
    if (s->placed)
        m->device = borrow_id(s->device);
    m->stage = borrow_text(stage_name(fact->stage));
    m->path = borrow_text(s->path);
    m->consent = turn->consent;
    return copy != NULL;
}

static bool set_value(Journey__V1__Touchpoint *m, int64_t cents, struct arena *arena)
{
    char *text = arena_alloc(arena, MONEY_TEXT_SIZE);
    if (!text)
        return false;
    money_format(text, cents);
    m->conversion_value = text;
    return true;
}

/* What every touchpoint says of what happened. */
static Journey__V1__Touchpoint *
touchpoint_of(const struct turn *turn, const struct session_fact *fact, const struct happening *h)
{
    Journey__V1__Touchpoint *m = arena_alloc(turn->decision->arena, sizeof(*m));
    if (!m)
        return NULL;
    journey__v1__touchpoint__init(m);
    m->message_id = borrow_text(h->message_id);
    m->touchpoint_type = borrow_text(h->type);
    m->event_name = borrow_text(h->name);
    m->timestamp_us = h->moment.time_us;
    m->received_us = h->moment.received_us;
    m->properties = borrow_text(h->properties);
    m->context = borrow_text(h->context);
    m->sealed = h->sealed;
    m->page_url = borrow_text(h->page_url);
    m->page_title = borrow_text(h->page_title);
    m->interaction_type = borrow_text(h->interaction_type);
    m->personalization_applied = borrow_text(h->personalization_applied);
    m->performance_metrics = borrow_text(h->performance_metrics);
    m->ab_test_variant = borrow_text(h->ab_test_variant);
    m->metadata = borrow_text(h->metadata);
    m->late = h->late;
    m->automatic = h->automatic;
    set_engagement(m, &h->engagement);
    return set_identity(m, turn, fact) ? m : NULL;
}

Journey__V1__Touchpoint *message_touchpoint(const struct turn *turn,
                                            const struct session_fact *fact)
{
    const struct happening *h = turn->happening;
    const struct session_outcome *outcome = &turn->outcome;
    Journey__V1__Touchpoint *m = touchpoint_of(turn, fact, h);
    /* a repeated order has no value of its own: sums over touchpoints count it once */
    int64_t cents = h->has_goal && !outcome->counted ? 0 : h->value_cents;
    if (!m || !set_value(m, cents, turn->decision->arena))
        return NULL;
    if (!m->properties[0]) /* of an event they are its properties, said once */
        m->interaction_data = borrow_text(h->interaction_data);
    if (h->has_goal)
        m->order_id = borrow_text(h->goal.order_id);
    if (outcome->counted) {
        m->conversion_type = borrow_text(h->goal.type);
        m->conversion_currency = borrow_text(h->goal.currency);
    }
    return m;
}

/* ---- a move ---- */

static const char *transition_json(const struct session_fact *fact, const char *trigger,
                                   struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_object(&w);
    json_key(&w, "previous_stage");
    json_write_str(&w, stage_name(fact->previous));
    json_key(&w, "new_stage");
    json_write_str(&w, stage_name(fact->stage));
    json_key(&w, "trigger_event");
    json_write_str(&w, trigger);
    json_end_object(&w);
    return arena_str(arena, buf_slice(&buf));
}

static bool has_touchpoint(const struct session_outcome *outcome)
{
    for (unsigned i = 0; i < outcome->n_facts; i++)
        if (outcome->facts[i].kind == SESSION_TOUCHPOINT)
            return true;
    return false;
}

struct happening *message_transition(const struct turn *turn, const struct session_fact *fact)
{
    const struct happening *cause = turn->happening;
    struct arena *arena = turn->decision->arena;
    struct happening *h = arena_alloc(arena, sizeof(*h));
    const char *data = transition_json(fact, cause->trigger, arena);
    if (!h || !data)
        return NULL;
    reading_clear(h);
    h->moment = cause->moment;
    h->message_id = cause->message_id;
    h->late = cause->late;
    h->automatic = cause->automatic;
    h->type = "stage_transition";
    h->interaction_data = data;
    /* measured of the move itself when it was commanded, else of the touchpoint that caused it */
    if (!has_touchpoint(&turn->outcome)) {
        h->engagement = cause->engagement;
        h->metadata = cause->metadata;
    }
    return h;
}

Journey__V1__Touchpoint *message_moved(const struct turn *turn, const struct session_fact *fact,
                                       const struct happening *transition)
{
    Journey__V1__Touchpoint *m = touchpoint_of(turn, fact, transition);
    if (!m || !set_value(m, 0, turn->decision->arena))
        return NULL;
    m->interaction_data = borrow_text(transition->interaction_data);
    return m;
}
