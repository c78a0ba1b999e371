/* Session starts: the device is bound to the session, consent stamped, the command passed on. */
#include "domain/timing.h"
#include "ingest.h"
#include "topics.h"

int ingest_command_key(const void *body, unsigned index, struct arena *arena,
                       struct stream_key *key, struct err *err)
{
    const Journey__V1__Command *command = body;
    ProtobufCBinaryData device = {0};
    if (command->body_case == JOURNEY__V1__COMMAND__BODY_START)
        device = command->start->device;
    return ingest_key(key, command->tenant_id, device, arena, err);
}

/* The command as it goes on: the same but for consent, time and whether the device is known. What a
 * later release put into it is kept. */
static Journey__V1__Command *forwarded(const Journey__V1__Command *command, int64_t time_us,
                                       bool returning, const struct ingest_settings *settings,
                                       struct arena *arena)
{
    Journey__V1__Command *copy = arena_copy(arena, command, sizeof(*command));
    Journey__V1__StartSession *body = arena_copy(arena, command->start, sizeof(*command->start));
    Journey__V1__SessionStart *start =
        arena_copy(arena, command->start->start, sizeof(*command->start->start));
    if (!copy || !body || !start)
        return NULL;
    copy->start = body;
    copy->consent = ingest_consent(settings, arena);
    body->start = start;
    body->timestamp_us = time_us;
    start->returning = start->returning || returning;
    return copy;
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
    const struct ingest_sighting sighting = {
        .named = session_id,
        .message_id = session_id,
        .user = slice_make(start->user.data, start->user.len),
        .time_us = timing.time_us,
    };
    struct ingest_visit visit = ingest_device_visit(device, &sighting, &settings.limits, d->arena);
    ingest_device_store(d, device, start->user, timing.time_us);
    Journey__V1__Command *copy =
        forwarded(command, timing.time_us, visit.returning, &settings, d->arena);
    stream_forward(d, TOPIC_COMMANDS_JOURNEY_STATE, topic_key(m->key.tenant, session_id, d->arena),
                   copy, received_us);
    stream_count(d, INGEST_COUNT_STARTS, 1);
}

void ingest_command_decide(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    if (command->body_case != JOURNEY__V1__COMMAND__BODY_START)
        stream_stop(d, "a command of a kind that this release does not know");
    else if (command->start->device.len != 16 || !command->start->start)
        stream_reject(d, "device_missing", "the start names no device");
    else if (command->subject[0] == 0)
        stream_reject(d, "session_id_missing", "the start names no session");
    else
        bind_start(d, m);
}
