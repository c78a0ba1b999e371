/* Every event that was acknowledged, however often it was sent, is one touchpoint or one dead letter. */
#include "sim.h"

#include "journey/v1/event.pb-c.h"
#include "journey/v1/journey.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

/* "<kind><action>-<event>" */
static struct event_fate *fate_of(struct sim *sim, const char *id)
{
    const char *digits = id + strcspn(id, "0123456789");
    char *end;
    unsigned long action = strtoul(digits, &end, 10);
    if (*end != '-' || action >= sim->plan->n)
        return NULL;
    unsigned long event = strtoul(end + 1, &end, 10);
    struct action *of = &sim->plan->actions[action];
    return of->done && event < of->n_events ? &of->events[event] : NULL;
}

/* Dead because its service did not survive it, or so it seemed; else because it is unusable. */
static void count_dead(struct event_fate *fate, const struct bus_record *record)
{
    const struct bus_header *code = bus_record_header(record, "dlq-code");
    if (code && slice_equal_str(code->value, "poison"))
        fate->condemned++;
    else
        fate->dead++;
}

static void count_touchpoint(struct sim *sim, const struct bus_record *record)
{
    ProtobufCAllocator allocator = sim_allocator(sim);
    Journey__V1__Touchpoint *t =
        journey__v1__touchpoint__unpack(&allocator, record->value.size, record->value.data);
    if (!t) {
        violation(sim, "a touchpoint cannot be decoded");
        return;
    }
    if (strcmp(t->touchpoint_type, "stage_transition") == 0 && t->message_id[0] != 'c')
        return;
    if (t->message_id[0] == 'c') {
        unsigned long action = strtoul(t->message_id + 1, NULL, 10);
        if (action < sim->plan->n)
            sim->plan->actions[action].command.touchpoints +=
                sim->plan->actions[action].what == 1 ||
                strcmp(t->touchpoint_type, "stage_transition") != 0;
        return;
    }
    struct event_fate *fate = fate_of(sim, t->message_id);
    if (fate && *fate->session && strcmp(t->session_id, fate->session) != 0)
        violation(sim, "event %s of session %s is in %s", t->message_id, fate->session,
                  t->session_id);
    if (fate)
        fate->touchpoints++;
    else
        violation(sim, "a touchpoint of an event that nobody sent: %s", t->message_id);
}

static void count_batch(struct sim *sim, const struct bus_record *record)
{
    ProtobufCAllocator allocator = sim_allocator(sim);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(&allocator, record->value.size, record->value.data);
    char text[40] = "";
    if (!batch && record->value.size < sizeof(text))
        memcpy(text, record->value.data, record->value.size);
    if (batch && batch->n_events != 1)
        violation(sim, "a dead letter of %zu events", batch->n_events);
    struct event_fate *fate =
        fate_of(sim, batch && batch->n_events ? batch->events[0]->message_id : text);
    if (fate)
        count_dead(fate, record);
    else
        violation(sim, "a dead letter of an event that nobody sent");
}

static void count_accepted(struct sim *sim, const struct bus_record *record)
{
    ProtobufCAllocator allocator = sim_allocator(sim);
    Journey__V1__Accepted *accepted =
        journey__v1__accepted__unpack(&allocator, record->value.size, record->value.data);
    struct event_fate *fate = accepted ? fate_of(sim, accepted->event->message_id) : NULL;
    if (fate)
        count_dead(fate, record);
    else
        violation(sim, "a dead letter of an accepted event that nobody sent");
}

void check_events(struct sim *sim)
{
    ledger_each(sim, TOPIC_TOUCHPOINTS, count_touchpoint);
    ledger_each(sim, topic_dlq(TOPIC_EVENTS), count_batch);
    ledger_each(sim, topic_dlq(TOPIC_IMPORTS), count_batch);
    ledger_each(sim, topic_dlq(TOPIC_ACCEPTED), count_accepted);
    for (unsigned a = 0; a < sim->plan->n; a++) {
        const struct action *action = &sim->plan->actions[a];
        for (unsigned e = 0; e < action->n_events && action->done; e++) {
            const struct event_fate *fate = &action->events[e];
            if (!fate->copies)
                continue;
            /* a copy that was condemned is a dead letter of its own */
            bool right =
                fate->unusable
                    ? !fate->touchpoints && fate->dead + fate->condemned == fate->copies
                    : !fate->dead && fate->condemned <= fate->copies &&
                          (fate->touchpoints == 1 || (!fate->touchpoints && fate->condemned));
            if (!right)
                violation(
                    sim,
                    "event %u-%u, sent %u times%s: %u touchpoints, %u dead letters, %u condemned",
                    a, e, fate->copies, fate->unusable ? ", unusable" : "", fate->touchpoints,
                    fate->dead, fate->condemned);
        }
    }
}
