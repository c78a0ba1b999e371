/* People's own statements of consent, and questions about them. The subject is a device or a user, by its hash. */
#include "ingest.h"
#include "json.h"

#define PART       "consents"
#define PAGE_LIMIT 50 /* when the command says none */
#define PAGE_MAX   500
#define WORD_MAX   50 /* characters of source, policy version, region: as their columns */

static const char *word(const char *text, const char *otherwise)
{
    return text && text[0] ? text : otherwise;
}

/* ---- answers ---- */

static void write_purpose(struct json_writer *w, const char *name, const char *state,
                          const char *basis, int64_t at_us)
{
    json_key(w, name);
    json_begin_object(w);
    json_key(w, "state");
    json_write_str(w, state);
    json_key(w, "in_force");
    json_write_bool(w, basis != NULL);
    json_key(w, "basis");
    json_write_str(w, basis);
    json_key(w, "at");
    json_write_time(w, at_us);
    json_end_object(w);
}

/* "subject":...,"purposes":{...}: members of an object that goes on */
static void write_standing(struct json_writer *w, const struct ingest_device *device,
                           unsigned interests)
{
    static const char *const bases[] = {NULL, "consent", "legitimate_interest"};
    struct ingest_force force = ingest_consent_in_force(&device->consents, NULL, false, interests);
    char subject[2 * sizeof(device->device) + 1];
    hex_format(subject, device->device, sizeof(device->device));
    json_key(w, "subject");
    json_write_str(w, subject);
    json_key(w, "purposes");
    json_begin_object(w);
    write_purpose(w, ingest_purpose_name(INGEST_PURPOSE_NECESSARY), "granted", "necessary",
                  TIME_NONE);
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) {
        const struct ingest_statement *s = &device->consents.of[p];
        bool stated = s->state != INGEST_CONSENT_UNKNOWN;
        write_purpose(w, ingest_purpose_name(p), ingest_consent_state_name(s->state),
                      bases[force.of[p]], stated ? s->at_us : TIME_NONE);
    }
    json_end_object(w);
}

static void answer(struct stream_decision *d, const struct ingest_device *device,
                   unsigned interests)
{
    _cleanup_(buf_deinit) struct buf text = {0};
    struct json_writer w = json_writer_make(&text);
    json_begin_object(&w);
    write_standing(&w, device, interests);
    json_end_object(&w);
    stream_reply_part(d, 200, PART, arena_str(d->arena, buf_slice(&text)));
}

/* ---- stating ---- */

static bool is_word(const char *text)
{
    return utf8_valid(slice_str(text)) && strlen(text) <= (size_t)4 * WORD_MAX;
}

/* Whatever the gateway lets through is checked again where it is kept. */
static const char *fault_of(const Journey__V1__SetConsent *set)
{
    if (set->about.len != 16)
        return "the statement is about nobody: no subject's hash";
    if (!is_word(set->source) || !is_word(set->policy_version) || !is_word(set->region))
        return "source, policy version or region is too long, or no UTF-8";
    for (size_t i = 0; i < set->n_choices; i++)
        if (ingest_purpose_find(slice_str(set->choices[i]->purpose)) == INGEST_PURPOSE_UNKNOWN)
            return "a purpose that is not known";
    return NULL;
}

void ingest_set_consent(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    const Journey__V1__SetConsent *set = command->set_consent;
    const char *fault = fault_of(set);
    if (fault) {
        stream_reject(d, "consent_invalid", fault);
        return;
    }
    struct ingest_settings settings = ingest_settings_of(d, m->key.tenant);
    struct ingest_device *device = ingest_device_load(d, m, set->about.data);
    if (!device)
        return; /* the runtime refuses the decision: its arena has overflowed */
    unsigned purposes = 0;
    const struct ingest_stating stating = {
        .basis = "consent",
        .source = word(set->source, "api"),
        .policy_version = set->policy_version,
        .region = set->region,
        .at_us = command->received_us > 0 ? command->received_us : d->now_us,
    };
    for (size_t i = 0; i < set->n_choices; i++) {
        enum ingest_purpose purpose = ingest_purpose_find(slice_str(set->choices[i]->purpose));
        if (purpose == INGEST_PURPOSE_NECESSARY)
            continue;
        ingest_consent_put(&device->consents, purpose, set->choices[i]->granted, stating.at_us);
        purposes |= 1U << purpose;
    }
    ingest_consent_say(d, device, purposes, &stating);
    if (purposes)
        ingest_device_store(d, device);
    answer(d, device, settings.interests);
}

/* ---- asking ---- */

static const uint8_t page_by[] = {INGEST_CONSENTS_TENANT_ID, INGEST_CONSENTS_SUBJECT};
static const uint8_t page_columns[] = {
    INGEST_CONSENTS_NUMBER, INGEST_CONSENTS_PURPOSE, INGEST_CONSENTS_STATE,
    INGEST_CONSENTS_BASIS,  INGEST_CONSENTS_SOURCE,  INGEST_CONSENTS_POLICY_VERSION,
    INGEST_CONSENTS_REGION, INGEST_CONSENTS_AT,
};
enum {
    PAGE_NUMBER,
    PAGE_PURPOSE,
    PAGE_STATE,
    PAGE_BASIS,
    PAGE_SOURCE,
    PAGE_POLICY_VERSION,
    PAGE_REGION,
    PAGE_AT,
};
/* One more than a page can have: that says whether it goes on. */
static const struct store_lookup page_lookup = {
    .table = &ingest_consents_table,
    .by = page_by,
    .n_by = ARRAY_SIZE(page_by),
    .columns = page_columns,
    .n_columns = ARRAY_SIZE(page_columns),
    .order = INGEST_CONSENTS_NUMBER,
    .descending = true,
    .after = true,
    .limit = PAGE_MAX + 1,
};

static void write_value(struct json_writer *w, const char *key, const struct store_value *value)
{
    json_key(w, key);
    if (value->null)
        json_write_null(w);
    else
        json_write_slice(w, value->s);
}

static void write_row(struct json_writer *w, const struct store_value *row)
{
    json_begin_object(w);
    write_value(w, "purpose", &row[PAGE_PURPOSE]);
    write_value(w, "state", &row[PAGE_STATE]);
    write_value(w, "basis", &row[PAGE_BASIS]);
    write_value(w, "source", &row[PAGE_SOURCE]);
    write_value(w, "policy_version", &row[PAGE_POLICY_VERSION]);
    write_value(w, "region", &row[PAGE_REGION]);
    json_key(w, "at");
    json_write_time(w, row[PAGE_AT].i);
    json_end_object(w);
}

/* The number of rows that are wanted, in front of the members that say how the subject stands. */
static void fill_page(struct slice user, const struct store_found *found, unsigned n_found,
                      struct arena *arena, void *message)
{
    Journey__V1__Reply *reply = message;
    Journey__V1__ReplyPart *part = arena_alloc(arena, sizeof(*part));
    Journey__V1__ReplyPart **parts = arena_alloc(arena, sizeof(*parts));
    _cleanup_(buf_deinit) struct buf text = {0};
    struct json_writer w = json_writer_make(&text);
    uint32_t limit;
    memcpy(&limit, user.data, sizeof(limit));
    unsigned n = (unsigned)min_i64(n_found, limit);
    buf_append(&text, user.data + sizeof(limit), user.size - sizeof(limit));
    w.comma = true;
    json_key(&w, "data");
    json_begin_array(&w);
    for (unsigned i = 0; i < n; i++)
        write_row(&w, found[i].values);
    json_end_array(&w);
    json_key(&w, "next_cursor");
    const char *cursor =
        n < n_found && n
            ? arena_printf(arena, "%lld", (long long)found[n - 1].values[PAGE_NUMBER].i)
            : NULL;
    json_write_str(&w, cursor);
    json_end_object(&w);
    reply->service = arena_str(arena, SLICE_LITERAL("ingest"));
    reply->status = 200;
    if (!part || !parts)
        return;
    journey__v1__reply_part__init(part);
    part->name = arena_str(arena, SLICE_LITERAL(PART));
    part->json = arena_str(arena, buf_slice(&text));
    parts[0] = part;
    reply->parts = parts;
    reply->n_parts = 1;
}

void ingest_get_consents(struct stream_decision *d, const struct stream_message *m)
{
    const Journey__V1__Command *command = m->body;
    const Journey__V1__GetConsents *get = command->get_consents;
    if (get->about.len != 16) {
        stream_reject(d, "consent_invalid", "the question is about nobody: no subject's hash");
        return;
    }
    struct ingest_settings settings = ingest_settings_of(d, m->key.tenant);
    struct ingest_device *device = ingest_device_load(d, m, get->about.data);
    if (!device)
        return; /* the runtime refuses the decision: its arena has overflowed */
    _cleanup_(buf_deinit) struct buf user = {0};
    struct json_writer w = json_writer_make(&user);
    uint32_t limit = get->limit > 0 ? (uint32_t)min_i64(get->limit, PAGE_MAX) : PAGE_LIMIT;
    buf_append(&user, &limit, sizeof(limit));
    json_begin_object(&w);
    write_standing(&w, device, settings.interests);
    const struct store_value key[] = {
        {.s = slice_make(device->tenant, sizeof(device->tenant))},
        {.s = m->key.id},
        {.i = get->before > 0 ? get->before : INT64_MAX},
    };
    struct slice copy = arena_slice(d->arena, buf_slice(&user));
    if (copy.data)
        stream_ask(d, &page_lookup, key, fill_page, copy);
}
