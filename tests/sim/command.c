/* Commands, as gateways put them into the log; the same again under the same id, also with another body. */
#include "sim.h"

#include "journey/v1/command.pb-c.h"

#include <stdio.h>

static void set_start(struct sim *sim, struct action *action, Journey__V1__Command *c,
                      struct random *random, bool other)
{
    c->body_case = JOURNEY__V1__COMMAND__BODY_START;
    c->start = arena_alloc(sim->arena, sizeof(*c->start));
    journey__v1__start_session__init(c->start);
    c->start->start = arena_alloc(sim->arena, sizeof(*c->start->start));
    journey__v1__session_start__init(c->start->start);
    c->start->start->persona_type = gateway_text(sim, other ? "Other" : "Early");
    c->start->start->device_type = gateway_text(sim, "mobile");
    c->start->timestamp_us =
        below(random, 2) ? action->at_us - (int64_t)below(random, MINUTE_US) : 0;
    if (!action->command.unusable)
        c->start->device = gateway_device(sim, action->tenant, (unsigned)below(random, DEVICES));
    if (below(random, 3) == 0)
        c->start->user = gateway_device(sim, action->tenant + 8, (unsigned)below(random, DEVICES));
}

static void set_stage(struct sim *sim, Journey__V1__Command *c, struct random *random, bool other)
{
    static const char *const stages[] = {"awareness",  "consideration", "decision",
                                         "conversion", "retention",     "nowhere"};
    uint64_t stage = below(random, ARRAY_SIZE(stages));
    c->body_case = JOURNEY__V1__COMMAND__BODY_STAGE;
    c->stage = arena_alloc(sim->arena, sizeof(*c->stage));
    journey__v1__change_stage__init(c->stage);
    c->stage->new_stage = gateway_text(sim, "%s", stages[(stage + other) % ARRAY_SIZE(stages)]);
    c->stage->trigger_event = gateway_text(sim, "clicked");
}

static void set_conversion(struct sim *sim, Journey__V1__Command *c, struct random *random,
                           bool other)
{
    c->body_case = JOURNEY__V1__COMMAND__BODY_CONVERSION;
    c->conversion = arena_alloc(sim->arena, sizeof(*c->conversion));
    journey__v1__add_conversion__init(c->conversion);
    c->conversion->event_type = gateway_text(sim, "purchase");
    c->conversion->event_value = gateway_text(sim, other ? "9.99" : "19.90");
    if (below(random, 3))
        c->conversion->order_id = gateway_text(sim, "o%llu", (unsigned long long)below(random, 10));
}

/* Nothing that would take analytics' ground away: then events would be another session's. */
static void set_consent(struct sim *sim, struct action *action, Journey__V1__Command *c,
                        struct random *random, bool other)
{
    Journey__V1__ConsentChoice *choice = arena_alloc(sim->arena, sizeof(*choice));
    Journey__V1__ConsentChoice **choices = arena_alloc(sim->arena, sizeof(*choices));
    unsigned who = (unsigned)below(random, DEVICES);
    journey__v1__consent_choice__init(choice);
    choice->purpose = gateway_text(sim, below(random, 2) ? "marketing" : "personalization");
    choice->granted = below(random, 2) != other;
    choices[0] = choice;
    c->body_case = JOURNEY__V1__COMMAND__BODY_SET_CONSENT;
    c->set_consent = arena_alloc(sim->arena, sizeof(*c->set_consent));
    journey__v1__set_consent__init(c->set_consent);
    c->set_consent->about = below(random, 2) ? gateway_device(sim, action->tenant, who)
                                             : gateway_user(sim, action->tenant, who);
    c->set_consent->choices = choices;
    c->set_consent->n_choices = 1;
    c->set_consent->source = gateway_text(sim, "banner");
}

static void set_body(struct sim *sim, struct action *action, Journey__V1__Command *c,
                     struct random *random, bool other)
{
    switch (action->what) {
    case 0:
        set_start(sim, action, c, random, other);
        break;
    case 1:
        set_stage(sim, c, random, other);
        break;
    case 2:
        c->body_case = JOURNEY__V1__COMMAND__BODY_TOUCHPOINT;
        c->touchpoint = arena_alloc(sim->arena, sizeof(*c->touchpoint));
        journey__v1__add_touchpoint__init(c->touchpoint);
        c->touchpoint->touchpoint_type = gateway_text(sim, other ? "call" : "chat");
        break;
    case 3:
        set_conversion(sim, c, random, other);
        break;
    case 4:
        c->body_case = JOURNEY__V1__COMMAND__BODY_END;
        c->end = arena_alloc(sim->arena, sizeof(*c->end));
        journey__v1__end_session__init(c->end);
        c->end->exit_point = gateway_text(sim, other ? "door" : "window");
        break;
    case 5:
        c->body_case = JOURNEY__V1__COMMAND__BODY_GET;
        c->get = arena_alloc(sim->arena, sizeof(*c->get));
        journey__v1__get_session__init(c->get);
        c->read_only = true;
        break;
    case 7:
        set_consent(sim, action, c, random, other);
        break;
    default:
        c->body_case = JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS;
        c->list_touchpoints = arena_alloc(sim->arena, sizeof(*c->list_touchpoints));
        journey__v1__list_touchpoints__init(c->list_touchpoints);
        c->read_only = true;
        break;
    }
}

void command_send(struct sim *sim, struct action *action, bool other)
{
    static const uint8_t kinds[] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5, 6, 7, 7, 7};
    struct random random = {action->seed};
    unsigned number = (unsigned)(action - sim->plan->actions);
    Journey__V1__Command c;
    uint8_t id[16] = {9}, hash[16] = {other};
    char correlation[40];
    journey__v1__command__init(&c);
    action->tenant = (uint8_t)below(&random, TENANTS);
    action->what = kinds[below(&random, ARRAY_SIZE(kinds))];
    action->command.unusable = action->what == 0 && below(&random, 12) == 0;
    c.tenant_id = gateway_tenant(sim, action->tenant);
    memcpy(id + 4, &number, sizeof(number));
    c.id = (ProtobufCBinaryData){16, id};
    c.body_hash = (ProtobufCBinaryData){16, hash};
    action->session = (uint8_t)below(&random, SESSIONS);
    c.subject = gateway_text(sim, "s%u", action->session);
    c.message_id = gateway_text(sim, "c%u", number);
    c.received_us = sim->now_us;
    /* some gateways have stopped waiting, and said that it will happen */
    c.deadline_us = below(&random, 4) ? sim->now_us + 2 * SECOND_US : sim->now_us;
    set_body(sim, action, &c, &random, other);
    action->command.other_body = action->command.other_body || other;
    (void)snprintf(correlation, sizeof(correlation), "c%u.%u%s", number, action->command.copies++,
                   other ? "x" : "");
    bool start = action->what == 0, consent = action->what == 7;
    char person[33] = "none";
    if (start && c.start->device.len == 16)
        hex_format(person, c.start->device.data, 16);
    if (consent) {
        hex_format(person, c.set_consent->about.data, 16);
        c.subject = person;
    }
    struct slice key =
        topic_key(c.tenant_id.data, slice_str(start ? person : c.subject), sim->arena);
    gateway_send(sim, start || consent ? TOPIC_COMMANDS_INGEST : TOPIC_COMMANDS_JOURNEY_STATE, key,
                 &c.base, correlation);
}
