/* A device's record: from protobuf to the domain's form and back, and its row. */
#include "ingest.h"

/* What names no device has a key of its own, so that its decision can refuse it with a reason. */
static const char nobody[] = "none";

int ingest_key(struct stream_key *key, ProtobufCBinaryData tenant, ProtobufCBinaryData device,
               struct arena *arena, struct err *err)
{
    if (tenant.len != sizeof(key->tenant))
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "the tenant's id is missing");
    memcpy(key->tenant, tenant.data, sizeof(key->tenant));
    key->id = slice_str(nobody);
    if (device.len != 16)
        return STATUS_OK;
    char *text = arena_alloc(arena, 2 * device.len + 1);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_PERMANENT, "no memory for a key");
    hex_format(text, device.data, device.len);
    key->id = slice_make(text, 2 * device.len);
    return STATUS_OK;
}

struct ingest_device *ingest_device_load(const struct stream_decision *d,
                                         const struct stream_message *m, const uint8_t device[16])
{
    const Journey__V1__DeviceRecord *record = d->state;
    struct ingest_device *to = arena_alloc(d->arena, sizeof(*to));
    if (!to)
        return NULL;
    memcpy(to->tenant, m->key.tenant, sizeof(to->tenant));
    memcpy(to->device, device, sizeof(to->device));
    size_t n = record ? record->n_sessions : 0;
    for (size_t i = n > INGEST_MAX_SESSIONS ? n - INGEST_MAX_SESSIONS : 0; i < n; i++) {
        const Journey__V1__DeviceSession *session = record->sessions[i];
        to->sessions[to->n++] = (struct ingest_session){.id = slice_str(session->session_id),
                                                        .start_us = session->start_us,
                                                        .last_us = session->last_us,
                                                        .user = session->user,
                                                        .named = session->named};
    }
    if (record)
        to->seen = (struct ingest_seen_chunk){
            .at_us = record->seen_us, .hashes = slice_make(record->seen.data, record->seen.len)};
    return to;
}

/* Who was seen last, by the time of the events: an old one of somebody else changes nothing. */
static void know_user(Journey__V1__DeviceRecord *record, ProtobufCBinaryData user, int64_t time_us)
{
    if (user.len != 16 || time_us < record->user_since_us)
        return;
    if (record->user.len == 16 && memcmp(record->user.data, user.data, 16) == 0)
        return;
    record->user = user;
    record->user_since_us = time_us;
}

/* Changes the record in place, so that members of a later release survive. */
void ingest_device_store(struct stream_decision *d, const struct ingest_device *device,
                         ProtobufCBinaryData user, int64_t time_us)
{
    Journey__V1__DeviceRecord *record = d->state;
    if (!record) {
        record = arena_alloc(d->arena, sizeof(*record));
        if (!record)
            return;
        journey__v1__device_record__init(record);
        record->tenant_id =
            (ProtobufCBinaryData){16, arena_copy(d->arena, device->tenant, sizeof(device->tenant))};
        record->device =
            (ProtobufCBinaryData){16, arena_copy(d->arena, device->device, sizeof(device->device))};
    }
    Journey__V1__DeviceSession *sessions = arena_alloc(d->arena, device->n * sizeof(*sessions));
    record->sessions = arena_alloc(d->arena, device->n * sizeof(void *));
    if (!sessions || !record->sessions)
        return; /* the runtime refuses the decision: its arena has overflowed */
    record->n_sessions = device->n;
    for (unsigned i = 0; i < device->n; i++) {
        const struct ingest_session *session = &device->sessions[i];
        journey__v1__device_session__init(&sessions[i]);
        sessions[i].session_id = arena_str(d->arena, session->id);
        sessions[i].start_us = session->start_us;
        sessions[i].last_us = session->last_us;
        sessions[i].named = session->named;
        sessions[i].user = session->user;
        record->sessions[i] = &sessions[i];
    }
    record->seen_us = device->seen.at_us;
    record->seen = (ProtobufCBinaryData){
        device->seen.hashes.size,
        arena_copy(d->arena, device->seen.hashes.data, device->seen.hashes.size)};
    know_user(record, user, time_us);
    stream_put_state(d, record);
}

void ingest_device_project(const void *state, int64_t now_us, struct arena *arena,
                           struct store_value *values)
{
    const Journey__V1__DeviceRecord *record = state;
    const struct store_value none = {.null = true};
    const Journey__V1__DeviceSession *last =
        record && record->n_sessions ? record->sessions[record->n_sessions - 1] : NULL;
    values[2] = record && record->user.len == 16
                    ? (struct store_value){.s = slice_make(record->user.data, 16)}
                    : none;
    values[3] = last ? (struct store_value){.s = slice_str(last->session_id)} : none;
    values[4] = last ? (struct store_value){.i = last->start_us} : none;
    values[5] = last ? (struct store_value){.i = last->last_us} : none;
    values[6] = (struct store_value){.i = record ? (int64_t)record->n_sessions : 0};
}
