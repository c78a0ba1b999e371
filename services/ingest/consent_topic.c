/*
 * journey.consents.v1: the newest value of each subject. Compaction keeps a key's last record, so what an outbox says again
 * late, behind something newer, would stay for good: a withdrawn consent would come back. Therefore ingest reads its own
 * topic; the runtime hands on only what comes behind a newer record, and here the subject's value is said once more.
 */
#include "ingest.h"
#include "topics.h"

int ingest_consents_key(const void *body, unsigned index, struct arena *arena,
                        struct stream_key *key, struct err *err)
{
    const Journey__V1__Consent *consent = body;
    return ingest_key(key, consent->tenant_id, consent->subject, arena, err);
}

void ingest_consents_decide(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Consent *consent = m->body;
    struct ingest_device *device = d->state && consent->subject.len == 16
                                       ? ingest_device_load(d, m, consent->subject.data)
                                       : NULL;
    if (!device || device->consents_version <= consent->version)
        return;
    ingest_consents_publish(d, device, d->now_us);
    stream_count(d, INGEST_COUNT_CONSENTS_HEALED, 1);
}

static bool add_purpose(Journey__V1__Consent *consent, enum ingest_purpose purpose,
                        const struct ingest_statement *statement, struct arena *arena)
{
    Journey__V1__PurposeConsent *to = arena_alloc(arena, sizeof(*to));
    if (!to)
        return false;
    journey__v1__purpose_consent__init(to);
    to->purpose = arena_str(arena, slice_str(ingest_purpose_name(purpose)));
    to->state = arena_str(arena, slice_str(ingest_consent_state_name(statement->state)));
    to->at_us = statement->at_us;
    consent->purposes[consent->n_purposes++] = to;
    return to->purpose && to->state;
}

void ingest_consents_publish(struct stream_decision *d, const struct ingest_device *device,
                             int64_t time_us)
{
    char subject[2 * sizeof(device->device) + 1];
    Journey__V1__Consent *consent = arena_alloc(d->arena, sizeof(*consent));
    Journey__V1__PurposeConsent **purposes =
        arena_alloc(d->arena, INGEST_PURPOSES * sizeof(*purposes));
    if (!consent || !purposes)
        return; /* the runtime refuses the decision: its arena has overflowed */
    journey__v1__consent__init(consent);
    consent->tenant_id = (ProtobufCBinaryData){16, arena_copy(d->arena, device->tenant, 16)};
    consent->subject = (ProtobufCBinaryData){16, arena_copy(d->arena, device->device, 16)};
    consent->version = device->consents_version;
    consent->purposes = purposes;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++)
        if (device->consents.of[p].state != INGEST_CONSENT_UNKNOWN &&
            !add_purpose(consent, p, &device->consents.of[p], d->arena))
            return;
    hex_format(subject, device->device, sizeof(device->device));
    stream_publish(d, TOPIC_CONSENTS, topic_key(device->tenant, slice_str(subject), d->arena),
                   consent, time_us);
}
