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

void ingest_consents_load(struct ingest_consents *to, const Journey__V1__DeviceRecord *record)
{
    *to = (struct ingest_consents){.reported = record ? record->consents_reported : 0};
    for (size_t i = 0; record && i < record->n_consents; i++) {
        const Journey__V1__DeviceConsent *consent = record->consents[i];
        if (consent->purpose < 0 || consent->purpose >= INGEST_PURPOSES)
            continue;
        to->of[consent->purpose] = (struct ingest_statement){
            consent->granted ? INGEST_CONSENT_GRANTED : INGEST_CONSENT_DENIED, consent->at_us};
    }
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
    ingest_consents_load(&to->consents, record);
    if (record) {
        to->user_known = record->user.len == sizeof(to->user);
        if (to->user_known)
            memcpy(to->user, record->user.data, sizeof(to->user));
        to->user_since_us = record->user_since_us;
        to->consents_version = record->consents_version;
        to->seen = (struct ingest_seen_chunk){
            .at_us = record->seen_us, .hashes = slice_make(record->seen.data, record->seen.len)};
    }
    return to;
}

static void store_consents(Journey__V1__DeviceRecord *record,
                           const struct ingest_consents *consents, struct arena *arena)
{
    unsigned n = 0;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++)
        n += consents->of[p].state != INGEST_CONSENT_UNKNOWN;
    record->consents_reported = consents->reported;
    record->n_consents = 0;
    Journey__V1__DeviceConsent *list = n ? arena_alloc(arena, n * sizeof(*list)) : NULL;
    record->consents = n ? arena_alloc(arena, n * sizeof(void *)) : NULL;
    if (!list || !record->consents)
        return;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) {
        const struct ingest_statement *statement = &consents->of[p];
        if (statement->state == INGEST_CONSENT_UNKNOWN)
            continue;
        Journey__V1__DeviceConsent *to = &list[record->n_consents];
        journey__v1__device_consent__init(to);
        to->purpose = (int32_t)p;
        to->granted = statement->state == INGEST_CONSENT_GRANTED;
        to->at_us = statement->at_us;
        record->consents[record->n_consents++] = to;
    }
}

static Journey__V1__DeviceRecord *record_of(struct stream_decision *d,
                                            const struct ingest_device *device)
{
    Journey__V1__DeviceRecord *record = d->state;
    if (record)
        return record;
    record = arena_alloc(d->arena, sizeof(*record));
    if (!record)
        return NULL;
    journey__v1__device_record__init(record);
    record->tenant_id =
        (ProtobufCBinaryData){16, arena_copy(d->arena, device->tenant, sizeof(device->tenant))};
    record->device =
        (ProtobufCBinaryData){16, arena_copy(d->arena, device->device, sizeof(device->device))};
    return record;
}

/* Changes the record in place, so that members of a later release survive. */
void ingest_device_store(struct stream_decision *d, const struct ingest_device *device)
{
    Journey__V1__DeviceRecord *record = record_of(d, device);
    if (!record)
        return;
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
    record->consents_version = device->consents_version;
    store_consents(record, &device->consents, d->arena);
    if (device->user_known)
        record->user = (ProtobufCBinaryData){16, arena_copy(d->arena, device->user, 16)};
    else
        record->user = (ProtobufCBinaryData){0, NULL};
    record->user_since_us = device->user_since_us;
    stream_put_state(d, record);
}

struct ingest_visit ingest_device_bind(struct stream_decision *d, struct ingest_device *device,
                                       const struct ingest_settings *settings,
                                       struct ingest_sighting sighting, bool pseudonymous)
{
    if (pseudonymous) {
        ingest_device_forget_users(device);
        sighting.user = slice_make(NULL, 0);
    }
    ingest_device_know_user(device, &sighting);
    struct ingest_visit visit = ingest_device_visit(device, &sighting, &settings->limits, d->arena);
    ingest_device_store(d, device);
    return visit;
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
