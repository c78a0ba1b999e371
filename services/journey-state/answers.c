#include "answers.h"

#include "borrow.h"
#include "record.h"
#include "render.h"
#include "tables.h"

#include "journey/v1/command.pb-c.h"

#define PARTS_MAX  4
#define PAGE_LIMIT 50 /* when the command says none */
#define PAGE_MAX   500

/* ---- replies ---- */

static Journey__V1__Reply *reply_make(struct stream_decision *d, int status)
{
    Journey__V1__Reply *reply = arena_alloc(d->arena, sizeof(*reply));
    if (!reply)
        return NULL;
    journey__v1__reply__init(reply);
    reply->service = borrow_text("journey-state");
    reply->status = status;
    reply->parts = arena_alloc(d->arena, PARTS_MAX * sizeof(*reply->parts));
    return reply->parts ? reply : NULL;
}

static void add_part(Journey__V1__Reply *reply, const char *name, const char *json,
                     struct arena *arena)
{
    Journey__V1__ReplyPart *part = arena_alloc(arena, sizeof(*part));
    if (!reply || !part)
        return;
    assert(reply->n_parts < PARTS_MAX);
    journey__v1__reply_part__init(part);
    part->name = borrow_text(name);
    part->json = borrow_text(json);
    reply->parts[reply->n_parts++] = part;
}

/* Every answer about a session tells its state. */
static Journey__V1__Reply *reply_with_state(const struct turn *turn, int status)
{
    struct arena *arena = turn->decision->arena;
    Journey__V1__Reply *reply = reply_make(turn->decision, status);
    add_part(reply, "journey_state", render_journey_state(turn->session, arena), arena);
    return reply;
}

static void send(const struct turn *turn, const Journey__V1__Reply *reply)
{
    if (reply)
        stream_reply(turn->decision, reply);
}

void answer_start(const struct turn *turn)
{
    send(turn, reply_with_state(turn, 200));
}

void answer_stage(const struct turn *turn)
{
    send(turn, reply_with_state(turn, 200));
}

void answer_touchpoint(const struct turn *turn)
{
    struct arena *arena = turn->decision->arena;
    const struct session *s = turn->session;
    Journey__V1__Reply *reply = reply_with_state(turn, 201);
    int32_t sequence = 0;
    for (unsigned i = 0; i < turn->outcome.n_facts && !sequence; i++)
        if (turn->outcome.facts[i].kind == SESSION_TOUCHPOINT)
            sequence = turn->outcome.facts[i].sequence;
    struct uuid id;
    touchpoint_id(&id, s->tenant, s->session_id, sequence);
    add_part(reply, "touchpoint", render_touchpoint(id.bytes, sequence, arena), arena);
    send(turn, reply);
}

void answer_conversion(const struct turn *turn)
{
    struct arena *arena = turn->decision->arena;
    Journey__V1__Reply *reply = reply_with_state(turn, 201);
    add_part(reply, "conversion",
             render_conversion(turn->outcome.conversion_id, turn->happening->goal.cents, arena),
             arena);
    send(turn, reply);
}

void answer_end(const struct turn *turn)
{
    struct arena *arena = turn->decision->arena;
    const struct session *s = turn->session;
    Journey__V1__Reply *reply = reply_with_state(turn, 200);
    add_part(reply, "end_timestamp", render_time(s->end_us, arena), arena);
    add_part(reply, "total_session_time", render_int(session_seconds(s), arena), arena);
    send(turn, reply);
}

void answer_session(const struct turn *turn)
{
    struct stream_decision *d = turn->decision;
    const struct session *s = turn->session;
    struct store_value *values = arena_alloc(d->arena, SESSIONS_N * sizeof(*values));
    Journey__V1__Reply *reply = reply_with_state(turn, 200);
    if (!values || !reply)
        return;
    values[SESSIONS_TENANT_ID] = value_bytes(s->tenant, 16);
    values[SESSIONS_SESSION_ID] = value_text(s->session_id);
    record_project(d->state, d->now_us, d->arena, values);
    /* the row as it was last written: a read changes nothing */
    add_part(reply, "session", render_session(s, values, d->arena), d->arena);
    send(turn, reply);
}

/* ---- a page of touchpoints ---- */

struct page {
    int64_t until, total;
};

static void fill_page(struct slice user, const struct store_found *found, unsigned n_found,
                      struct arena *arena, void *message)
{
    Journey__V1__Reply *reply = message;
    struct page page;
    memcpy(&page, user.data, sizeof(page));
    reply->service = borrow_text("journey-state");
    reply->status = 200;
    reply->parts = arena_alloc(arena, PARTS_MAX * sizeof(*reply->parts));
    if (!reply->parts)
        return;
    add_part(reply, "page", render_page(found, n_found, page.until, page.total, arena), arena);
}

void answer_page(const struct turn *turn, int64_t after, int32_t limit)
{
    struct stream_decision *d = turn->decision;
    const struct session *s = turn->session;
    /* sequences have no gaps: a page ends at a number, and whether more follow is known */
    int64_t rows = limit > 0 ? min_i64(limit, PAGE_MAX) : PAGE_LIMIT;
    after = max_i64(min_i64(after, INT32_MAX - PAGE_MAX), 0);
    const struct page page = {after + rows, s->total_touchpoints};
    const struct store_value key[] = {
        {.s = slice_make(s->tenant, 16)},
        {.s = slice_str(s->session_id)},
        {.i = after},
        {.i = page.until},
    };
    const void *user = arena_copy(d->arena, &page, sizeof(page));
    if (user)
        stream_ask(d, turn_pseudonymous(turn) ? &pseudonymous_page_lookup : &page_lookup, key,
                   fill_page, slice_make(user, sizeof(page)));
}

/* ---- problems ---- */

void answer_not_found(struct stream_decision *d)
{
    stream_reply_problem(d, 404, "not_found", "Journey session not found");
}

void answer_over(struct stream_decision *d)
{
    stream_reply_problem(d, 409, "session_ended", "The session has ended");
}

void answer_illegal(struct stream_decision *d, enum stage from, enum stage to)
{
    const char *detail = arena_printf(d->arena, "A session in stage %s cannot move to %s",
                                      stage_name(from), stage_name(to));
    if (detail)
        stream_reply_problem(d, 409, "illegal_transition", detail);
}

void answer_unknown_stage(struct stream_decision *d)
{
    Journey__V1__Reply *reply = reply_make(d, 400);
    Journey__V1__Problem *problem = arena_alloc(d->arena, sizeof(*problem));
    Journey__V1__FieldError *error = arena_alloc(d->arena, sizeof(*error));
    Journey__V1__FieldError **errors = arena_alloc(d->arena, sizeof(*errors));
    if (!reply || !problem || !error || !errors)
        return;
    journey__v1__problem__init(problem);
    journey__v1__field_error__init(error);
    error->field = borrow_text("new_stage");
    error->code = borrow_text("not_allowed");
    error->message = borrow_text("must be a stage");
    errors[0] = error;
    problem->status = 400;
    problem->code = borrow_text("invalid_request");
    problem->detail = borrow_text("new_stage is no stage");
    problem->errors = errors;
    problem->n_errors = 1;
    reply->problem = problem;
    stream_reply(d, reply);
}
