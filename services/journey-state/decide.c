/* Accepted events: each is one touchpoint. And the timers: of what fell idle, of what is to be forgotten. */
#include "decide.h"
#include "journey_state.h"
#include "record.h"
#include "tables.h"

#include "journey/v1/event.pb-c.h"

static int check_key(ProtobufCBinaryData tenant, const char *session_id, struct stream_key *key,
                     struct err *err)
{
    size_t size = session_id ? strlen(session_id) : 0;
    if (tenant.len != sizeof(key->tenant))
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "the tenant id has not 16 bytes");
    if (size == 0 || size > STREAM_MAX_ID)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                       "the session id has %zu bytes, not 1 to %d", size, STREAM_MAX_ID);
    memcpy(key->tenant, tenant.data, sizeof(key->tenant));
    key->id = slice_make(session_id, size);
    return STATUS_OK;
}

int journey_event_key(const void *body, unsigned index UNUSED, struct arena *arena UNUSED,
                      struct stream_key *key, struct err *err)
{
    const Journey__V1__Accepted *accepted = body;
    if (!accepted->event)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "no event");
    return check_key(accepted->tenant_id, accepted->session_id, key, err);
}

int journey_command_key(const void *body, unsigned index UNUSED, struct arena *arena UNUSED,
                        struct stream_key *key, struct err *err)
{
    const Journey__V1__Command *command = body;
    return check_key(command->tenant_id, command->subject, key, err);
}

/* ---- look-ups: both sides derive from the message alone which there are ---- */

static struct stream_need need_person(ProtobufCBinaryData tenant, ProtobufCBinaryData user)
{
    return (struct stream_need){
        .lookup = &person_lookup,
        .key = {value_bytes(tenant.data, tenant.len), value_bytes(user.data, user.len)}};
}

/* A person's history matters where a session begins. */
static bool event_needs_person(const Journey__V1__Accepted *accepted)
{
    return accepted->opens && accepted->event->user.len == 16;
}

static bool command_needs_person(const Journey__V1__Command *command)
{
    return command->body_case == JOURNEY__V1__COMMAND__BODY_START && command->start->user.len == 16;
}

unsigned journey_event_needs(const void *body, unsigned index UNUSED, struct arena *arena,
                             struct stream_need *needs)
{
    const Journey__V1__Accepted *accepted = body;
    const char *order = reading_order(accepted->event, arena);
    unsigned n = 0;
    if (event_needs_person(accepted))
        needs[n++] = need_person(accepted->tenant_id, accepted->event->user);
    if (order[0])
        needs[n++] = (struct stream_need){
            .lookup = &order_lookup,
            .key = {value_bytes(accepted->tenant_id.data, 16), value_text(order)}};
    return n;
}

unsigned journey_command_needs(const void *body, unsigned index UNUSED, struct arena *arena,
                               struct stream_need *needs)
{
    const Journey__V1__Command *command = body;
    if (command_needs_person(command)) {
        needs[0] = need_person(command->tenant_id, command->start->user);
        return 1;
    }
    if (command->body_case != JOURNEY__V1__COMMAND__BODY_CONVERSION)
        return 0;
    const char *order = reading_order_id(command->conversion->order_id, arena);
    if (!order[0])
        return 0;
    needs[0] =
        (struct stream_need){.lookup = &order_lookup,
                             .key = {value_bytes(command->tenant_id.data, 16), value_text(order)}};
    return 1;
}

void decide_person(const struct turn *turn, unsigned need)
{
    struct stream_decision *d = turn->decision;
    struct session_moment *moment = &turn->happening->moment;
    for (unsigned i = 0; i < d->needs[need].n_found; i++) {
        const struct store_value *found = d->needs[need].found[i].values;
        if (slice_equal_str(found[PERSON_SESSION_ID].s, turn->session->session_id))
            continue;
        const Journey__V1__SessionRecord *earlier = record_decode(found[PERSON_STATE].s, d->arena);
        if (!earlier || earlier->start_us >= moment->time_us)
            continue;
        moment->seen_before = true;
        moment->converted_us = max_i64(moment->converted_us, earlier->converted_us);
    }
}

bool decide_counted(const struct stream_decision *d, unsigned need, const char *type)
{
    for (unsigned i = 0; i < d->needs[need].n_found; i++)
        if (slice_equal_str(d->needs[need].found[i].values[ORDER_TYPE].s, type))
            return true;
    return false;
}

/* ---- decisions ---- */

static void open_by_event(struct turn *turn, const Journey__V1__Accepted *accepted)
{
    struct session_profile profile;
    reading_profile(&profile, accepted->opens, turn->decision->arena);
    if (event_needs_person(accepted))
        decide_person(turn, 0);
    session_open(turn->session, turn->rules, &profile, &turn->happening->moment, false,
                 &turn->outcome);
}

void journey_event_decide(struct stream_decision *d, const struct stream_message *message)
{
    const Journey__V1__Accepted *accepted = message->body;
    struct turn *turn = turn_begin(d, message->key.tenant, message->key.id);
    if (!turn)
        return;
    struct session *s = turn->session;
    struct happening *h = turn->happening;
    reading_event(h, accepted, turn->rules, d->arena);
    if (h->has_goal && h->goal.order_id[0])
        h->goal.counted = decide_counted(d, event_needs_person(accepted) ? 1 : 0, h->goal.type);
    if (!d->state)
        open_by_event(turn, accepted);
    session_event(s, turn->rules, h->name, h->has_goal ? &h->goal : NULL, &h->moment,
                  &turn->outcome);
    if (accepted->idle_us > 0)
        s->idle_us = accepted->idle_us;
    if (accepted->consent)
        turn->consent = accepted->consent;
    if (h->item[0])
        s->last_item = h->item;
    turn_end(turn);
}

static void idle_due(struct turn *turn, const struct stream_message *message)
{
    if (!turn->was_open)
        return;
    session_idle(turn->session, message->due_us, &turn->outcome);
    if (turn->session->end_us == 0)
        turn_set_idle(turn);
    else
        turn_end(turn);
}

void journey_due(struct stream_decision *d, const struct stream_message *message)
{
    if (!d->state || message->kind != STREAM_TIMER)
        return;
    struct turn *turn = turn_begin(d, message->key.tenant, message->key.id);
    if (!turn)
        return;
    if (strcmp(message->name, TURN_FORGET_TIMER) == 0)
        turn_forget(turn);
    else
        idle_due(turn, message);
}
