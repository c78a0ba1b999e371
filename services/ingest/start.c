/* Session starts: the device is bound to the session, consent stamped, the command passed on. */
#include "domain/timing.h"
#include "ingest.h"
#include "topics.h"

int ingest_command_key(const void *body, unsigned index, struct arena *arena,
                       struct stream_key *key, struct err *err)
{
    const Journey__V1__Command *command = body;
    ProtobufCBinaryData subject = {0};
    if (command->body_case == JOURNEY__V1__COMMAND__BODY_START)
        subject = command->start->device;
    else if (command->body_case == JOURNEY__V1__COMMAND__BODY_SET_CONSENT)
        subject = command->set_consent->about;
    else if (command->body_case == JOURNEY__V1__COMMAND__BODY_GET_CONSENTS)
        subject = command->get_consents->about;
    return ingest_key(key, command->tenant_id, subject, arena, err);
}

unsigned ingest_command_needs(const void *body, unsigned index, struct arena *arena,
                              struct stream_need *needs)
{
    const Journey__V1__Command *command = body;
    if (command->body_case != JOURNEY__V1__COMMAND__BODY_START)
        return 0;
    return ingest_user_need(command->tenant_id, command->start->user, command->start->device, arena,
                            needs);
}

/* The command as it goes on: the same but for consent, time and whether the device is known. What a
 * later release put into it is kept, if consent lets it. */
static Journey__V1__Command *forwarded(const Journey__V1__Command *command,
                                       const struct ingest_visit *visit, int64_t time_us,
                                       struct arena *arena)
{
    Journey__V1__Command *copy = arena_copy(arena, command, sizeof(*command));
    Journey__V1__StartSession *body = arena_copy(arena, command->start, sizeof(*command->start));
    Journey__V1__SessionStart *start =
        arena_copy(arena, command->start->start, sizeof(*command->start->start));
    if (!copy || !body || !start)
        return NULL;
    copy->start = body;
    body->start = start;
    body->timestamp_us = time_us;
    start->returning = start->returning || visit->returning;
    return copy;
}

static void make_pseudonymous(Journey__V1__Command *command, const uint8_t tenant[16],
                              struct arena *arena)
{
    Journey__V1__StartSession *start = command->start;
    start->base.n_unknown_fields = 0;
    start->user = (ProtobufCBinaryData){0, NULL};
    start->device = ingest_pseudonym(tenant, slice_str(command->subject), arena);
    ingest_pseudonymous_start(start->start, arena);
}

static void bind_start(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    const Journey__V1__StartSession *start = command->start;
    struct slice session_id = slice_str(command->subject);
    int64_t received_us = command->received_us > 0 ? command->received_us : d->now_us;
    struct ingest_timing timing = ingest_timing_of(start->timestamp_us, 0, received_us);
    struct ingest_settings settings = ingest_settings_of(d, m->key.tenant);
    struct ingest_device *device = ingest_device_load(d, m, start->device.data);
    if (!device)
        return; /* the runtime refuses the decision: its arena has overflowed */
    struct ingest_force force = ingest_force_of(d, device, &settings, false);
    bool pseudonymous = force.of[INGEST_PURPOSE_ANALYTICS] == INGEST_BASIS_NONE;
    const struct ingest_sighting sighting = {
        .named = session_id,
        .message_id = session_id,
        .user = slice_make(start->user.data, start->user.len),
        .time_us = timing.time_us,
    };
    struct ingest_visit visit = ingest_device_bind(d, device, &settings, sighting, pseudonymous);
    Journey__V1__Command *copy = forwarded(command, &visit, timing.time_us, d->arena);
    if (!copy)
        return;
    copy->consent = ingest_stamp(&force, d->arena);
    if (pseudonymous)
        make_pseudonymous(copy, m->key.tenant, d->arena);
    stream_forward(d, TOPIC_COMMANDS_JOURNEY_STATE, topic_key(m->key.tenant, session_id, d->arena),
                   copy, received_us);
    stream_count(d, INGEST_COUNT_STARTS, 1);
}

static void start(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    if (command->start->device.len != 16 || !command->start->start)
        stream_reject(d, "device_missing", "the start names no device");
    else if (command->subject[0] == 0)
        stream_reject(d, "session_id_missing", "the start names no session");
    else
        bind_start(d, m);
}

void ingest_command_decide(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    switch (command->body_case) {
    case JOURNEY__V1__COMMAND__BODY_START:
        start(d, m);
        break;
    case JOURNEY__V1__COMMAND__BODY_SET_CONSENT:
        ingest_set_consent(d, m);
        break;
    case JOURNEY__V1__COMMAND__BODY_GET_CONSENTS:
        ingest_get_consents(d, m);
        break;
    default:
        stream_stop(d, "a command of a kind that this release does not know");
    }
}
