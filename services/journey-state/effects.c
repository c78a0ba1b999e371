#include "effects.h"

#include "domain/money.h"
#include "journey_state.h"
#include "messages.h"
#include "record.h"
#include "render.h"
#include "rules.h"
#include "tables.h"
#include "topics.h"

#define IDLE_TIMER    "idle"
#define CACHE_SECONDS 3600
/* After the last sign of life. So whatever is said of an event is gone within 48 hours, and a session of the same name that
 * begins anew finds no row of the day in its numbers' place. */
#define FORGET_US (47 * HOUR_US)

/* ingest stamps what it lets through. */
static bool lacks_consent(const Journey__V1__ConsentStamp *consent)
{
    for (size_t i = 0; consent && i < consent->n_granted; i++)
        if (strcmp(consent->granted[i], "analytics") == 0)
            return false;
    return consent != NULL;
}

bool turn_pseudonymous(const struct turn *turn)
{
    return lacks_consent(turn->consent);
}

struct turn *turn_begin(struct stream_decision *d, const uint8_t tenant[16],
                        struct slice session_id)
{
    struct turn *turn = arena_alloc(d->arena, sizeof(*turn));
    struct session *session = arena_alloc(d->arena, sizeof(*session));
    struct happening *happening = arena_alloc(d->arena, sizeof(*happening));
    const char *id = arena_str(d->arena, session_id);
    char tenant_text[UUID_TEXT_SIZE];
    if (!turn || !session || !happening || !id)
        return NULL;
    *turn = (struct turn){.decision = d, .session = session, .happening = happening};
    uuid_format(tenant_text, tenant);
    turn->rules =
        rules_make(stream_mirror_get(d, JOURNEY_MIRROR_SETTINGS, slice_str(tenant_text)), d->arena);
    if (d->state) {
        const Journey__V1__SessionRecord *record = d->state;
        record_read(session, record);
        turn->consent = record->consent;
        turn->existed = true;
        turn->was_open = session->end_us == 0;
        turn->idle_us = session->idle_us;
        turn->was_pseudonymous = turn_pseudonymous(turn);
        if (session->n_recent == SESSION_CONVERSIONS)
            turn->oldest = arena_copy(d->arena, session->recent[0].id, 16);
    } else {
        memcpy(session->tenant, tenant, sizeof(session->tenant));
        session->session_id = id;
    }
    return turn;
}

/* ---- rows ---- */

static struct store_value money(struct stream_decision *d, int64_t cents)
{
    char *text = arena_alloc(d->arena, MONEY_TEXT_SIZE);
    if (!text)
        return value_null();
    money_format(text, cents);
    return (struct store_value){.s = slice_str(text)};
}

static struct store_value metadata(const char *json)
{
    return value_text(json[0] ? json : "{}");
}

static void put_touchpoint(const struct turn *turn, const Journey__V1__Touchpoint *t,
                           const struct happening *h)
{
    struct stream_decision *d = turn->decision;
    const struct session *s = turn->session;
    struct store_value v[TOUCHPOINTS_N];
    v[TOUCHPOINTS_TENANT_ID] = value_bytes(t->tenant_id.data, 16);
    v[TOUCHPOINTS_RECEIVED_AT] = value_int(t->received_us);
    v[TOUCHPOINTS_ID] = value_bytes(t->id.data, 16);
    v[TOUCHPOINTS_SESSION_ID] = value_text(s->session_id);
    v[TOUCHPOINTS_SEQUENCE] = value_int(t->touchpoint_sequence);
    v[TOUCHPOINTS_TYPE] = value_text(t->touchpoint_type);
    v[TOUCHPOINTS_EVENT_NAME] = value_text(t->event_name);
    v[TOUCHPOINTS_PAGE_URL] = value_text(t->page_url);
    v[TOUCHPOINTS_PAGE_TITLE] = value_text(t->page_title);
    v[TOUCHPOINTS_INTERACTION_TYPE] = value_text(t->interaction_type);
    v[TOUCHPOINTS_INTERACTION_DATA] =
        value_text(t->interaction_data[0] ? t->interaction_data : h->interaction_data);
    v[TOUCHPOINTS_ENGAGEMENT_SCORE] = value_share(t->engagement_score);
    v[TOUCHPOINTS_DURATION_SECONDS] = value_count(t->duration_seconds);
    v[TOUCHPOINTS_SCROLL_DEPTH] = value_share(t->scroll_depth);
    v[TOUCHPOINTS_CLICK_COUNT] = value_count(t->click_count);
    v[TOUCHPOINTS_CONVERSION_VALUE] = value_text(t->conversion_value);
    v[TOUCHPOINTS_TIMESTAMP] = value_int(t->timestamp_us);
    v[TOUCHPOINTS_DEVICE_CONTEXT] = value_text(h->device_context);
    v[TOUCHPOINTS_PERFORMANCE_METRICS] = value_text(t->performance_metrics);
    v[TOUCHPOINTS_PERSONALIZATION_APPLIED] = value_text(t->personalization_applied);
    v[TOUCHPOINTS_AB_TEST_VARIANT] = value_text(t->ab_test_variant);
    v[TOUCHPOINTS_METADATA] = metadata(t->metadata);
    v[TOUCHPOINTS_CREATED_AT] = v[TOUCHPOINTS_UPDATED_AT] = value_int(d->now_us);
    stream_put_row(
        d, turn_pseudonymous(turn) ? &pseudonymous_touchpoints_table : &touchpoints_table, v);
    stream_count(d, JOURNEY_COUNT_TOUCHPOINTS, 1);
}

static void remove_conversion(const struct turn *turn, const uint8_t *id)
{
    const struct store_value key[] = {value_bytes(turn->session->tenant, 16), value_bytes(id, 16)};
    stream_remove_row(turn->decision, &conversions_table, key);
}

static void put_conversion(const struct turn *turn)
{
    struct stream_decision *d = turn->decision;
    const struct session *s = turn->session;
    const struct happening *h = turn->happening;
    const struct session_goal *goal = &h->goal;
    struct store_value v[CONVERSIONS_N];
    v[CONVERSIONS_TENANT_ID] = value_bytes(s->tenant, 16);
    v[CONVERSIONS_ID] = value_bytes(turn->outcome.conversion_id, 16);
    v[CONVERSIONS_SESSION_ID] = value_text(s->session_id);
    v[CONVERSIONS_EVENT_TYPE] = value_text(goal->type);
    v[CONVERSIONS_EVENT_VALUE] = money(d, goal->cents);
    v[CONVERSIONS_EVENT_CURRENCY] = value_text(goal->currency);
    v[CONVERSIONS_ORDER_ID] = value_text(goal->order_id);
    v[CONVERSIONS_FUNNEL_STEP] = value_text(h->funnel_step);
    v[CONVERSIONS_TIMESTAMP] = value_int(h->moment.time_us);
    v[CONVERSIONS_ATTRIBUTION_DATA] = value_text(h->attribution_data);
    v[CONVERSIONS_PRODUCT_DATA] = value_text(h->product_data);
    v[CONVERSIONS_USER_DATA] = value_text(h->user_data);
    v[CONVERSIONS_CAMPAIGN_DATA] = value_text(h->campaign_data);
    v[CONVERSIONS_DEVICE_DATA] = value_text(h->device_data);
    /* the default attribution model gives the converting session, which is the last, all of it */
    v[CONVERSIONS_REVENUE_ATTRIBUTED] = money(d, goal->cents);
    v[CONVERSIONS_COMMISSION_EARNED] = money(d, 0);
    v[CONVERSIONS_LIFETIME_VALUE_PREDICTION] = value_null();
    v[CONVERSIONS_METADATA] = metadata("");
    v[CONVERSIONS_CREATED_AT] = v[CONVERSIONS_UPDATED_AT] = value_int(d->now_us);
    stream_put_row(d, &conversions_table, v);
    if (turn->oldest && turn_pseudonymous(turn)) /* nobody will remember that it has to go */
        remove_conversion(turn, turn->oldest);
    stream_count(d, JOURNEY_COUNT_CONVERSIONS, 1);
}

/* ---- all of it ---- */

static void say_touchpoint(const struct turn *turn, struct slice key,
                           const Journey__V1__Touchpoint *touchpoint, const struct happening *h)
{
    if (!touchpoint)
        return;
    put_touchpoint(turn, touchpoint, h);
    stream_publish(turn->decision, TOPIC_TOUCHPOINTS, key, touchpoint, touchpoint->timestamp_us);
}

static void say_state(const struct turn *turn, struct slice key, const struct session_fact *fact)
{
    const Journey__V1__SessionState *state = message_state(turn, fact);
    if (state)
        stream_publish(turn->decision, TOPIC_STATES, key, state, state->at_us);
}

static void say_fact(const struct turn *turn, struct slice key, const struct session_fact *fact)
{
    switch (fact->kind) {
    case SESSION_TOUCHPOINT:
        say_touchpoint(turn, key, message_touchpoint(turn, fact), turn->happening);
        return;
    case SESSION_MOVED: {
        struct happening *transition = message_transition(turn, fact);
        if (transition)
            say_touchpoint(turn, key, message_moved(turn, fact, transition), transition);
        stream_count(turn->decision, JOURNEY_COUNT_TRANSITIONS, 1);
        break;
    }
    case SESSION_CONVERTED:
        put_conversion(turn);
        break;
    default:
        break;
    }
    say_state(turn, key, fact);
}

void turn_set_idle(const struct turn *turn)
{
    stream_set_timer(turn->decision, IDLE_TIMER, session_idle_at(turn->session));
}

/* For readers outside, at a start, a change of stage and an end; losing it loses nothing. */
static void cache_session(const struct turn *turn, const Journey__V1__SessionRecord *record)
{
    struct stream_decision *d = turn->decision;
    const struct session *s = turn->session;
    bool changed = false;
    for (unsigned i = 0; i < turn->outcome.n_facts; i++) {
        enum session_fact_kind kind = turn->outcome.facts[i].kind;
        changed =
            changed || kind == SESSION_STARTED || kind == SESSION_MOVED || kind == SESSION_ENDED;
    }
    struct store_value *values =
        changed ? arena_alloc(d->arena, SESSIONS_N * sizeof(*values)) : NULL;
    const char *key = values ? arena_printf(d->arena, "journey_session:%s", s->session_id) : NULL;
    if (!key)
        return;
    values[SESSIONS_TENANT_ID] = value_bytes(s->tenant, 16);
    values[SESSIONS_SESSION_ID] = value_text(s->session_id);
    record_project(record, d->now_us, d->arena, values);
    stream_cache(d, slice_str(key), slice_str(render_session(s, values, d->arena)), CACHE_SECONDS);
}

/* A timer that would only move later is left: it fires, looks, and is set again. */
static void set_timer(const struct turn *turn)
{
    const struct session *s = turn->session;
    bool open = s->end_us == 0;
    if (open && (!turn->was_open || s->idle_us < turn->idle_us))
        turn_set_idle(turn);
    else if (turn->was_open && s->ended_by_command)
        stream_cancel_timer(turn->decision, IDLE_TIMER);
}

static void set_forget(const struct turn *turn)
{
    if (turn_pseudonymous(turn) && !turn->was_pseudonymous)
        stream_set_timer(turn->decision, TURN_FORGET_TIMER,
                         turn->session->last_received_us + FORGET_US);
}

/* Of whom consent was withdrawn is not known any more, whatever was known before. */
static void forget_person(struct session *session)
{
    session->known = false;
    session->profile.device_fingerprint = session->profile.returning_visitor = "";
    session->profile.returning = false;
}

void turn_forget(struct turn *turn)
{
    struct stream_decision *d = turn->decision;
    const struct session *s = turn->session;
    int64_t due_us = s->last_received_us + FORGET_US;
    const char *key = arena_printf(d->arena, "journey_session:%s", s->session_id);
    if (!turn_pseudonymous(turn) || !key)
        return;
    if (due_us > d->now_us) {
        stream_set_timer(d, TURN_FORGET_TIMER, due_us);
        return;
    }
    for (unsigned i = 0; i < s->n_recent; i++)
        remove_conversion(turn, arena_copy(d->arena, s->recent[i].id, 16));
    if (turn->was_open)
        stream_cancel_timer(d, IDLE_TIMER);
    stream_put_state(d, NULL);
    stream_cache(d, slice_str(key), slice_make(NULL, 0), 0);
    stream_count(d, JOURNEY_COUNT_FORGOTTEN, 1);
}

void turn_end(struct turn *turn)
{
    struct stream_decision *d = turn->decision;
    struct session *s = turn->session;
    if (turn_pseudonymous(turn))
        forget_person(s);
    Journey__V1__SessionRecord *record = record_write(s, turn->consent, d->state, d->arena);
    if (!record)
        return;
    record->updated_us = d->now_us;
    struct slice key = topic_key(s->tenant, slice_str(s->session_id), d->arena);
    stream_put_state(d, record);
    for (unsigned i = 0; i < turn->outcome.n_facts; i++)
        say_fact(turn, key, &turn->outcome.facts[i]);
    cache_session(turn, record);
    set_timer(turn);
    set_forget(turn);
}
