#include "say.h"

static ProtobufCBinaryData bytes(struct rig *rig, const void *data)
{
    return (ProtobufCBinaryData){16, arena_copy(rig->arena, data, 16)};
}

static ProtobufCBinaryData device_of(struct rig *rig, uint8_t number)
{
    uint8_t hash[16] = {number, 0xd};
    return bytes(rig, hash);
}

static struct slice device_key(struct rig *rig, ProtobufCBinaryData device)
{
    char text[33] = "none";
    if (device.len == 16)
        hex_format(text, device.data, device.len);
    return topic_key(rig_tenant, slice_str(text), rig->arena);
}

static char *text(struct rig *rig, const char *value)
{
    return arena_str(rig->arena, slice_str(value));
}

void rig_settings(struct rig *rig, const char *basis, const char *name, const char *value)
{
    static int64_t version;
    char key[UUID_TEXT_SIZE];
    Journey__V1__TenantSettings settings;
    Journey__V1__Setting setting, *list = &setting;
    journey__v1__tenant_settings__init(&settings);
    journey__v1__setting__init(&setting);
    settings.tenant_id = bytes(rig, rig_tenant);
    settings.version = ++version;
    settings.analytics_basis = text(rig, basis);
    setting.key = text(rig, name ? name : "");
    setting.value = text(rig, value ? value : "");
    settings.settings = &list;
    settings.n_settings = name ? 1 : 0;
    uuid_format(key, rig_tenant);
    rig_send(rig, TOPIC_SETTINGS, slice_str(key), &settings.base, NULL);
    rig_settle(rig);
}

Journey__V1__Event *rig_event(struct rig *rig, uint8_t device, const char *message_id,
                              int64_t timestamp_us)
{
    Journey__V1__Event *event = arena_alloc(rig->arena, sizeof(*event));
    journey__v1__event__init(event);
    event->type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    event->name = text(rig, "Product Viewed");
    event->message_id = text(rig, message_id);
    event->device = device_of(rig, device);
    event->timestamp_us = timestamp_us;
    return event;
}

void rig_send_events(struct rig *rig, int topic, Journey__V1__Event **events, size_t n)
{
    Journey__V1__EventBatch batch;
    journey__v1__event_batch__init(&batch);
    batch.tenant_id = bytes(rig, rig_tenant);
    batch.received_us = rig->now_us;
    batch.client = text(rig, "api");
    batch.events = events;
    batch.n_events = n;
    rig_send(rig, topic, device_key(rig, events[0]->device), &batch.base, NULL);
}

void rig_send_event(struct rig *rig, Journey__V1__Event *event)
{
    rig_send_events(rig, TOPIC_EVENTS, &event, 1);
}

Journey__V1__Command *rig_start(struct rig *rig, uint8_t device, const char *session_id)
{
    Journey__V1__Command *command = arena_alloc(rig->arena, sizeof(*command));
    Journey__V1__StartSession *body = arena_alloc(rig->arena, sizeof(*body));
    Journey__V1__SessionStart *session = arena_alloc(rig->arena, sizeof(*session));
    uint8_t id[16] = {7}, hash[16] = {8};
    journey__v1__command__init(command);
    journey__v1__start_session__init(body);
    journey__v1__session_start__init(session);
    session->persona_type = text(rig, "TechEarlyAdopter");
    session->device_type = text(rig, "mobile");
    body->start = session;
    body->device = device_of(rig, device);
    command->tenant_id = bytes(rig, rig_tenant);
    command->id = bytes(rig, id);
    command->body_hash = bytes(rig, hash);
    command->received_us = rig->now_us;
    command->deadline_us = rig->now_us + SECOND_US;
    command->subject = text(rig, session_id);
    command->body_case = JOURNEY__V1__COMMAND__BODY_START;
    command->start = body;
    return command;
}

void rig_send_command(struct rig *rig, Journey__V1__Command *command)
{
    ProtobufCBinaryData none = {0};
    bool start = command->body_case == JOURNEY__V1__COMMAND__BODY_START;
    rig_send(rig, TOPIC_COMMANDS_INGEST, device_key(rig, start ? command->start->device : none),
             &command->base, NULL);
}

/* ---- looking ---- */

const Journey__V1__Accepted *rig_accepted(struct rig *rig, const char *message_id)
{
    const Journey__V1__Accepted *accepted;
    for (unsigned n = 0;
         (accepted = rig_message(rig, TOPIC_ACCEPTED, n, &journey__v1__accepted__descriptor)); n++)
        if (strcmp(accepted->event->message_id, message_id) == 0)
            return accepted;
    fail_msg("%s was not accepted", message_id);
    return NULL;
}
