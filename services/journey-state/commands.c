/* Commands: each is decided on the session as it stands, and answered. */
#include "answers.h"
#include "decide.h"
#include "domain/money.h"
#include "journey_state.h"
#include "tables.h"

#include "journey/v1/command.pb-c.h"

#define PARK_US          (500 * INT64_C(1000)) /* an event that opens the session may be on its way */
#define ANSWER_MARGIN_US SECOND_US /* from a decision to its answer at the gateway, at the worst */
#define PROMISE_US       (2 * MINUTE_US) /* how long a command that was promised waits for its session */

static void decide_start(struct turn *turn, const Journey__V1__Command *command)
{
    const Journey__V1__StartSession *start = command->start;
    struct arena *arena = turn->decision->arena;
    struct session_profile profile;
    struct happening *h = turn->happening;
    reading_command(h, command, start->timestamp_us, turn->decision->now_us);
    h->moment.user = start->user.len == 16 ? start->user.data : NULL;
    h->moment.device = start->device.len == 16 ? start->device.data : NULL;
    reading_profile(&profile, start->start, arena);
    if (h->moment.user)
        decide_person(turn, 0);
    if (turn->existed)
        session_start(turn->session, turn->rules, &profile, &h->moment, &turn->outcome);
    else
        session_open(turn->session, turn->rules, &profile, &h->moment, true, &turn->outcome);
    if (command->consent)
        turn->consent = command->consent;
    turn_end(turn);
    answer_start(turn);
}

static void decide_stage(struct turn *turn, const Journey__V1__Command *command)
{
    struct stream_decision *d = turn->decision;
    const Journey__V1__ChangeStage *change = command->stage;
    struct session *s = turn->session;
    struct happening *h = turn->happening;
    enum stage to = stage_parse(change->new_stage), from = s->stage;
    if (to == STAGE_NONE) {
        answer_unknown_stage(d);
        return;
    }
    reading_command(h, command, 0, d->now_us);
    reading_stage(h, change, d->arena);
    switch (session_move(s, to, &h->moment, &turn->outcome)) {
    case SESSION_OVER:
        answer_over(d);
        return;
    case SESSION_ILLEGAL:
        answer_illegal(d, from, to);
        return;
    default:
        break;
    }
    if (h->item[0])
        s->last_item = h->item;
    turn_end(turn);
    answer_stage(turn);
}

static void decide_touchpoint(struct turn *turn, const Journey__V1__Command *command)
{
    struct stream_decision *d = turn->decision;
    struct session *s = turn->session;
    struct happening *h = turn->happening;
    reading_command(h, command, command->touchpoint->timestamp_us, d->now_us);
    reading_touchpoint(h, command->touchpoint, d->arena);
    if (session_touch(s, turn->rules, h->name, &h->moment, &turn->outcome) == SESSION_OVER) {
        answer_over(d);
        return;
    }
    if (h->item[0])
        s->last_item = h->item;
    turn_end(turn);
    answer_touchpoint(turn);
}

/* What was attributed to the order when it was counted: here lately, or wherever its row says. */
static int64_t first_revenue(const struct turn *turn)
{
    const struct session *s = turn->session;
    const struct session_goal *goal = &turn->happening->goal;
    const struct stream_decision *d = turn->decision;
    int64_t cents;
    for (unsigned i = 0; i < s->n_recent; i++)
        if (memcmp(s->recent[i].id, turn->outcome.conversion_id, sizeof(s->recent[i].id)) == 0)
            return s->recent[i].cents;
    for (unsigned i = 0; i < d->needs[0].n_found; i++) {
        const struct store_value *found = d->needs[0].found[i].values;
        if (slice_equal_str(found[ORDER_TYPE].s, goal->type) &&
            money_parse(&cents, found[ORDER_REVENUE].s) >= 0)
            return cents;
    }
    return goal->cents;
}

/*
 * A conversion is told to others as the touchpoint that made it, so a conversion by command is a
 * conversion_event touchpoint as well. A repeated order made none and changes nothing.
 */
static void decide_conversion(struct turn *turn, const Journey__V1__Command *command)
{
    struct stream_decision *d = turn->decision;
    struct happening *h = turn->happening;
    reading_command(h, command, command->conversion->timestamp_us, d->now_us);
    reading_conversion(h, command->conversion, turn->rules, d->arena);
    h->goal.counted = h->goal.order_id[0] && decide_counted(d, 0, h->goal.type);
    switch (session_convert(turn->session, turn->rules, &h->goal, &h->moment, &turn->outcome)) {
    case SESSION_OVER:
        answer_over(d);
        return;
    case SESSION_SAME:
        h->goal.cents = first_revenue(turn);
        break;
    default:
        turn_end(turn);
    }
    answer_conversion(turn);
}

static void decide_end(struct turn *turn, const Journey__V1__Command *command)
{
    struct stream_decision *d = turn->decision;
    struct happening *h = turn->happening;
    reading_command(h, command, command->end->timestamp_us, d->now_us);
    const char *exit_point = reading_exit_point(command->end->exit_point, d->arena);
    if (session_end(turn->session, exit_point, &h->moment, &turn->outcome) == SESSION_OVER) {
        answer_over(d);
        return;
    }
    turn_end(turn);
    answer_end(turn);
}

/*
 * A session that is not there may be on its way from another topic. Somebody who still waits is told "not found" soon,
 * and with time to spare; somebody whose time is over was told that the command will happen (202), so it waits for its
 * session for as long as a take-over or a restart may hold that up.
 */
static void decide_absent(struct stream_decision *d, const struct stream_message *message)
{
    const Journey__V1__Command *command = message->body;
    bool waits = command->deadline_us == 0 || d->now_us + ANSWER_MARGIN_US < command->deadline_us;
    int64_t until = command->received_us + PROMISE_US;
    if (message->expired && (waits || command->read_only || until <= d->now_us))
        answer_not_found(d);
    else if (waits || command->read_only)
        stream_park(d, d->now_us + PARK_US);
    else
        stream_park(d, max_i64(until, d->now_us + PARK_US));
}

static bool known(const Journey__V1__Command *command)
{
    switch (command->body_case) {
    case JOURNEY__V1__COMMAND__BODY_START:
        return command->start->start != NULL;
    case JOURNEY__V1__COMMAND__BODY_STAGE:
    case JOURNEY__V1__COMMAND__BODY_TOUCHPOINT:
    case JOURNEY__V1__COMMAND__BODY_CONVERSION:
    case JOURNEY__V1__COMMAND__BODY_END:
    case JOURNEY__V1__COMMAND__BODY_GET:
    case JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS:
        return true;
    default:
        return false;
    }
}

static void decide_known(struct turn *turn, const Journey__V1__Command *command)
{
    switch (command->body_case) {
    case JOURNEY__V1__COMMAND__BODY_START:
        decide_start(turn, command);
        return;
    case JOURNEY__V1__COMMAND__BODY_STAGE:
        decide_stage(turn, command);
        return;
    case JOURNEY__V1__COMMAND__BODY_TOUCHPOINT:
        decide_touchpoint(turn, command);
        return;
    case JOURNEY__V1__COMMAND__BODY_CONVERSION:
        decide_conversion(turn, command);
        return;
    case JOURNEY__V1__COMMAND__BODY_END:
        decide_end(turn, command);
        return;
    case JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS:
        answer_page(turn, command->list_touchpoints->after, command->list_touchpoints->limit);
        return;
    default:
        answer_session(turn);
    }
}

void journey_command_decide(struct stream_decision *d, const struct stream_message *message)
{
    const Journey__V1__Command *command = message->body;
    if (!known(command)) {
        stream_stop(d, "a command of a kind that this release does not know");
        return;
    }
    if (!d->state && command->body_case != JOURNEY__V1__COMMAND__BODY_START) {
        decide_absent(d, message);
        return;
    }
    struct turn *turn = turn_begin(d, message->key.tenant, message->key.id);
    if (turn)
        decide_known(turn, command);
}
