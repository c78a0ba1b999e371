/*
 * Consent on its way through an event: what the event says of it is taken as its device's statements, what is in force is
 * worked out and stamped.
 *
 * The device's own statements are in its state. Those of the event's user are in the user's state, which belongs to another
 * partition: they are looked up, fresh for each batch. So what a user says elsewhere counts for events that are read after it
 * was committed, thus for all that are sent after its answer; of what is under way at that moment, a batch may still go by
 * what was said before.
 */
#include "ingest.h"
#include "json.h"
#include "topics.h"

static const uint8_t user_by[] = {0, 1}; /* tenant_id, device */
static const uint8_t user_columns[] = {7};
static const struct store_lookup user_lookup = {
    .table = &ingest_devices_table,
    .by = user_by,
    .n_by = ARRAY_SIZE(user_by),
    .columns = user_columns,
    .n_columns = ARRAY_SIZE(user_columns),
    .order = -1,
    .limit = 1,
};

unsigned ingest_user_need(ProtobufCBinaryData tenant, ProtobufCBinaryData user,
                          ProtobufCBinaryData device, struct arena *arena, struct stream_need *need)
{
    if (user.len != 16 || (device.len == 16 && memcmp(user.data, device.data, 16) == 0))
        return 0;
    char *hex = arena_alloc(arena, 2 * user.len + 1);
    if (!hex)
        return 0; /* the batch is undone */
    hex_format(hex, user.data, user.len);
    *need = (struct stream_need){
        .lookup = &user_lookup,
        .key = {{.s = slice_make(tenant.data, tenant.len)}, {.s = slice_make(hex, 2 * user.len)}}};
    return 1;
}

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena UNUSED, void *pointer UNUSED) {}

struct ingest_force ingest_force_of(struct stream_decision *d, const struct ingest_device *device,
                                    const struct ingest_settings *settings, bool opt_out)
{
    struct ingest_consents user;
    bool found = d->needs[0].n_found > 0;
    if (found) {
        ProtobufCAllocator allocator = {take, keep, d->arena};
        struct slice state = d->needs[0].found[0].values[0].s;
        ingest_consents_load(
            &user, journey__v1__device_record__unpack(&allocator, state.size, state.data));
    }
    return ingest_consent_in_force(&device->consents, found ? &user : NULL, opt_out,
                                   settings->interests);
}

/* ---- stating ---- */

static struct store_value text_or_null(const char *text)
{
    return text && text[0] ? (struct store_value){.s = slice_str(text)}
                           : (struct store_value){.null = true};
}

static struct store_value words(const char *text)
{
    return (struct store_value){.s = slice_str(text)};
}

static void put_row(struct stream_decision *d, const struct ingest_device *device,
                    enum ingest_purpose purpose, const struct ingest_stating *stating)
{
    int64_t number = ingest_statement_number(device->consents_version, purpose);
    const struct slice parts[] = {slice_make(device->tenant, 16), slice_make(device->device, 16),
                                  slice_make(&number, sizeof(number))};
    uint8_t hash[16];
    struct uuid id;
    char *subject = arena_alloc(d->arena, 33);
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    uuid_from_hash(&id, hash);
    const uint8_t *id_bytes = arena_copy(d->arena, id.bytes, sizeof(id.bytes));
    const uint8_t *tenant = arena_copy(d->arena, device->tenant, sizeof(device->tenant));
    if (!subject || !id_bytes || !tenant)
        return; /* the runtime refuses the decision: its arena has overflowed */
    hex_format(subject, device->device, sizeof(device->device));
    const struct store_value values[INGEST_CONSENTS_N] = {
        [INGEST_CONSENTS_TENANT_ID] = {.s = slice_make(tenant, 16)},
        [INGEST_CONSENTS_ID] = {.s = slice_make(id_bytes, 16)},
        [INGEST_CONSENTS_SUBJECT] = words(subject),
        [INGEST_CONSENTS_NUMBER] = {.i = number},
        [INGEST_CONSENTS_PURPOSE] = words(ingest_purpose_name(purpose)),
        [INGEST_CONSENTS_STATE] =
            words(ingest_consent_state_name(device->consents.of[purpose].state)),
        [INGEST_CONSENTS_BASIS] = words(stating->basis),
        [INGEST_CONSENTS_SOURCE] = words(stating->source),
        [INGEST_CONSENTS_POLICY_VERSION] = text_or_null(stating->policy_version),
        [INGEST_CONSENTS_REGION] = text_or_null(stating->region),
        [INGEST_CONSENTS_AT] = {.i = stating->at_us},
        [INGEST_CONSENTS_CREATED_AT] = {.i = d->now_us},
        [INGEST_CONSENTS_UPDATED_AT] = {.i = d->now_us},
    };
    stream_put_row(d, &ingest_consents_table, values);
    stream_count(d, INGEST_COUNT_CONSENTS, 1);
}

void ingest_consent_say(struct stream_decision *d, struct ingest_device *device, unsigned purposes,
                        const struct ingest_stating *stating)
{
    if (!purposes)
        return;
    /* near the clock, so that it also grows over a restore of what was lost */
    device->consents_version = max_i64(device->consents_version + 1, d->now_us);
    for (unsigned p = 0; p < INGEST_PURPOSES; p++)
        if (purposes & 1U << p)
            put_row(d, device, p, stating);
    ingest_consents_publish(d, device, stating->at_us);
}

/* ---- from events ---- */

/* Two categories of one purpose: the denial counts. */
static uint32_t reported_by(struct stream_decision *d, const struct json_node *preferences)
{
    uint32_t reported = 0;
    if (!json_is(preferences, JSON_OBJECT))
        return 0;
    for (const struct json_node *member = preferences->child; member; member = member->next) {
        enum ingest_purpose purpose = ingest_purpose_of_category(member->key);
        bool denied = json_is(member, JSON_FALSE);
        if (purpose == INGEST_PURPOSE_UNKNOWN || !(denied || json_is(member, JSON_TRUE)))
            stream_count(d, INGEST_COUNT_CATEGORIES_UNKNOWN, 1);
        else if (purpose != INGEST_PURPOSE_NECESSARY)
            reported |=
                ingest_reported(purpose, denied ? INGEST_CONSENT_DENIED : INGEST_CONSENT_GRANTED);
    }
    for (unsigned p = 0; p < INGEST_PURPOSES; p++)
        if (ingest_reported_of(reported, p) == (INGEST_CONSENT_GRANTED | INGEST_CONSENT_DENIED))
            reported &= ~ingest_reported(p, INGEST_CONSENT_GRANTED);
    return reported;
}

void ingest_consent_gather(struct stream_decision *d, struct ingest_device *device,
                           const struct ingest_context *context, bool opt_out, int64_t time_us)
{
    if (context->preferences) {
        uint32_t reported = reported_by(d, context->preferences);
        unsigned changed = ingest_consent_report(&device->consents, reported, time_us);
        const struct ingest_stating stating = {
            .basis = "consent", .source = "event", .at_us = time_us};
        ingest_consent_say(d, device, changed, &stating);
    }
    if (opt_out) {
        unsigned changed = ingest_consent_opt_out(&device->consents, time_us);
        const struct ingest_stating stating = {
            .basis = "opt_out", .source = "global_privacy_control", .at_us = time_us};
        ingest_consent_say(d, device, changed, &stating);
    }
}

/* ---- the stamp ---- */

Journey__V1__ConsentStamp *ingest_stamp(const struct ingest_force *force, struct arena *arena)
{
    Journey__V1__ConsentStamp *stamp = arena_alloc(arena, sizeof(*stamp));
    char **lists = arena_alloc(arena, (size_t)2 * INGEST_PURPOSES * sizeof(*lists));
    if (!stamp || !lists)
        return NULL;
    journey__v1__consent_stamp__init(stamp);
    stamp->granted = lists;
    stamp->interests = lists + INGEST_PURPOSES;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) {
        if (force->of[p] == INGEST_BASIS_NONE)
            continue;
        char *name = arena_str(arena, slice_str(ingest_purpose_name(p)));
        bool interest = force->of[p] == INGEST_BASIS_INTEREST;
        stamp->granted[stamp->n_granted++] = name;
        if (p == INGEST_PURPOSE_ANALYTICS)
            stamp->legitimate_interest = interest;
        else if (interest)
            stamp->interests[stamp->n_interests++] = name;
    }
    return stamp;
}
