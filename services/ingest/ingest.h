#pragma once
/*
 * ingest: raw events and session starts in, accepted events and bound starts out.
 *
 *   EventBatch ──► validate ──► seen before? ──► when? ──► may we? ──► which session? ──► enrich ──► Accepted
 *   StartSession ────────────────────────────────────────► may we? ──► bind the device ──► forwarded to journey-state
 *   SetConsent ──► stated ──► Consent
 *
 * One state per device: its recent sessions (DeviceRecord), and beside it what it has sent in 24 h.
 */
#include "domain/session.h"
#include "domain/validate.h"
#include "stream.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/consent.pb-c.h"
#include "journey/v1/event.pb-c.h"
#include "journey/v1/journey.pb-c.h"
#include "journey/v1/settings.pb-c.h"

/* INGEST_COUNTER(id, name, labels, help); those of refused events come from INGEST_INVALID_TABLE */
#define INGEST_COUNTER_TABLE(COUNTER)                                                              \
    COUNTER(ACCEPTED, "journey_ingest_accepted_total", NULL, "events accepted")                    \
    COUNTER(DUPLICATES, "journey_ingest_duplicates_total", NULL, "events seen before")             \
    COUNTER(UNTRACKED, "journey_ingest_untracked_total", NULL,                                     \
            "accepted, but their device's hour was too full to know them again")                   \
    COUNTER(SESSIONS, "journey_ingest_sessions_opened_total", NULL, "sessions opened by events")   \
    COUNTER(STARTS, "journey_ingest_starts_total", NULL, "session starts bound to their device")   \
    COUNTER(CLAMPED, "journey_ingest_clamped_total", NULL, "events from the future")               \
    COUNTER(LATE, "journey_ingest_late_total", NULL, "events over three days old")                 \
    COUNTER(BOTS, "journey_ingest_bots_total", NULL, "events of programs, not of people")          \
    COUNTER(PREFETCHED, "journey_ingest_prefetched_total", NULL,                                   \
            "events of pages fetched before anybody asked for them")                               \
    COUNTER(AUTOMATIC, "journey_ingest_sessions_automatic_total", NULL,                            \
            "sessions opened by such events; not among those opened")                              \
    COUNTER(OVER_LENGTH, "journey_ingest_over_length_total", NULL,                                 \
            "events that name a session that has lasted too long")                                 \
    COUNTER(AGENTS_JUDGED, "journey_ingest_agents_judged_total", NULL,                             \
            "user agents that were none of the latest ones, and were matched")                     \
    COUNTER(AGENTS_LIMITED, "journey_ingest_agents_limited_total", NULL,                           \
            "of these, the ones with which a pattern reached its limit of steps")                  \
    COUNTER(PSEUDONYMOUS, "journey_ingest_pseudonymous_total", NULL,                               \
            "events kept under their session's pseudonym only")                                    \
    COUNTER(CONSENTS, "journey_ingest_consents_total", NULL,                                       \
            "statements of consent or denial, by purpose")                                         \
    COUNTER(CATEGORIES_UNKNOWN, "journey_ingest_consent_categories_unknown_total", NULL,           \
            "consent categories of events that stand for no purpose that is known")                \
    COUNTER(CONSENTS_HEALED, "journey_ingest_consents_healed_total", NULL,                         \
            "older consents behind newer ones in their topic, said again as they stand")

enum ingest_counter {
#define INGEST_COUNTER_ENUM(id, ...) INGEST_COUNT_##id,
    INGEST_COUNTER_TABLE(INGEST_COUNTER_ENUM)
#undef INGEST_COUNTER_ENUM
    INGEST_COUNT_REJECTED, /* + enum ingest_invalid - 1 */
    INGEST_COUNTERS = INGEST_COUNT_REJECTED + INGEST_INVALID_COUNT - 1,
};

enum {
    INGEST_MIRROR_SETTINGS
};

/* Columns of consents: COLUMN(id, name, type) */
#define INGEST_CONSENTS_COLUMNS(COLUMN)                                                            \
    COLUMN(TENANT_ID, "tenant_id", UUID)                                                           \
    COLUMN(ID, "id", UUID)                                                                         \
    COLUMN(SUBJECT, "subject", TEXT)                                                               \
    COLUMN(NUMBER, "number", BIGINT)                                                               \
    COLUMN(PURPOSE, "purpose", TEXT)                                                               \
    COLUMN(STATE, "state", TEXT)                                                                   \
    COLUMN(BASIS, "basis", TEXT)                                                                   \
    COLUMN(SOURCE, "source", TEXT)                                                                 \
    COLUMN(POLICY_VERSION, "policy_version", TEXT)                                                 \
    COLUMN(REGION, "region", TEXT)                                                                 \
    COLUMN(AT, "at", TIME)                                                                         \
    COLUMN(CREATED_AT, "created_at", TIME)                                                         \
    COLUMN(UPDATED_AT, "updated_at", TIME)
enum {
#define INGEST_CONSENTS_ENUM(id, ...) INGEST_CONSENTS_##id,
    INGEST_CONSENTS_COLUMNS(INGEST_CONSENTS_ENUM)
#undef INGEST_CONSENTS_ENUM
    INGEST_CONSENTS_N
};

extern const struct stream_service ingest_service;
extern const struct store_table ingest_devices_table, ingest_seen_table, ingest_consents_table;

/* decide.c: batches of events */
unsigned ingest_batch_count(const void *body);
int ingest_batch_key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
                     struct err *err);
struct slice ingest_batch_alone(const void *body, unsigned index, struct arena *arena);
void ingest_batch_decide(struct stream_decision *d, const struct stream_message *m);

unsigned ingest_batch_needs(const void *body, unsigned index, struct arena *arena,
                            struct stream_need *needs);

/* start.c: commands */
int ingest_command_key(const void *body, unsigned index, struct arena *arena,
                       struct stream_key *key, struct err *err);
unsigned ingest_command_needs(const void *body, unsigned index, struct arena *arena,
                              struct stream_need *needs);
void ingest_command_decide(struct stream_decision *d, const struct stream_message *m);

/* settings.c: what the tenant has decided */
struct ingest_settings {
    struct ingest_limits limits;
    unsigned interests; /* a bit a purpose: done by the tenant's legitimate interest */
};
struct ingest_settings ingest_settings_of(const struct stream_decision *d,
                                          const uint8_t tenant[16]);

/* record.c: the state, as the domain sees it and as it is kept */
int ingest_key(struct stream_key *key, ProtobufCBinaryData tenant, ProtobufCBinaryData device,
               struct arena *arena, struct err *err);
struct ingest_device *ingest_device_load(const struct stream_decision *d,
                                         const struct stream_message *m, const uint8_t device[16]);
void ingest_consents_load(struct ingest_consents *to, const Journey__V1__DeviceRecord *record);
void ingest_device_store(struct stream_decision *d, const struct ingest_device *device);
/* The session of what was seen; then the device is stored. pseudonymous: without consent to analytics nobody is known by it, and
 * a user known before is forgotten. */
struct ingest_visit ingest_device_bind(struct stream_decision *d, struct ingest_device *device,
                                       const struct ingest_settings *settings,
                                       struct ingest_sighting sighting, bool pseudonymous);
void ingest_device_project(const void *state, int64_t now_us, struct arena *arena,
                           struct store_value *values);

/* consent.c: what is in force, and what is stated */
struct ingest_context;
/* The look-up of the user's own statements; returns how many there are: none for a user who is the device. */
unsigned ingest_user_need(ProtobufCBinaryData tenant, ProtobufCBinaryData user,
                          ProtobufCBinaryData device, struct arena *arena,
                          struct stream_need *need);
/* opt_out: the event's. The user's statements are those of the decision's look-up, if it has one. */
struct ingest_force ingest_force_of(struct stream_decision *d, const struct ingest_device *device,
                                    const struct ingest_settings *settings, bool opt_out);
/* Takes what the event says of consent as the device's statements. */
void ingest_consent_gather(struct stream_decision *d, struct ingest_device *device,
                           const struct ingest_context *context, bool opt_out, int64_t time_us);
struct ingest_stating {
    const char *basis; /* consent, opt_out */
    const char *source, *policy_version, *region;
    int64_t at_us;
};
/* Rows of history for these purposes (a bit each), and the subject's statements as they now stand. */
void ingest_consent_say(struct stream_decision *d, struct ingest_device *device, unsigned purposes,
                        const struct ingest_stating *stating);
Journey__V1__ConsentStamp *ingest_stamp(const struct ingest_force *force, struct arena *arena);

/* consent_topic.c: what was said of consents, read again */
int ingest_consents_key(const void *body, unsigned index, struct arena *arena,
                        struct stream_key *key, struct err *err);
void ingest_consents_decide(struct stream_decision *d, const struct stream_message *m);
void ingest_consents_publish(struct stream_decision *d, const struct ingest_device *device,
                             int64_t time_us);

/* consent_command.c: people's own statements, and questions about them */
void ingest_set_consent(struct stream_decision *d, const struct stream_message *m);
void ingest_get_consents(struct stream_decision *d, const struct stream_message *m);

/* pseudonym.c: what is kept without consent to analytics; NULL: the arena is full */
Journey__V1__Event *ingest_pseudonymous_event(const Journey__V1__Event *event,
                                              const struct ingest_context *context,
                                              const uint8_t tenant[16], struct slice session_id,
                                              struct arena *arena);
void ingest_pseudonymous_start(Journey__V1__SessionStart *start, struct arena *arena);
/* Stands for the device of a session, and of no other one. */
ProtobufCBinaryData ingest_pseudonym(const uint8_t tenant[16], struct slice session_id,
                                     struct arena *arena);

/* What the service reads once, before its first message; a member NULL: there is no such file. */
struct ingest_files {
    struct agents *agents;
    struct places *places;
};
extern struct ingest_files ingest_files;

/* context.c: what the event's context says, read once */
struct ingest_context {
    const struct json_node *root; /* NULL: none, or no JSON */
    struct slice user_agent, os, os_version, ip;
    struct slice page_url, page_path, referrer;
    struct slice source, medium, campaign, term,
        content;                         /* of the campaign, else of the page's address */
    const struct ingest_click *click;    /* in the page's address */
    const struct json_node *preferences; /* consent.categoryPreferences */
    bool bot;                            /* as it says of itself */
};
void ingest_context_read(struct ingest_context *context, const char *text, struct arena *arena);

/* enrich.c: the same in everybody's words; NULL: the arena is full */
Journey__V1__Enrichment *ingest_enrich(struct stream_decision *d, const Journey__V1__Event *event,
                                       const struct ingest_context *context);
/* What only the event that opens a session tells: of start the members from channel on. */
void ingest_enrich_start(Journey__V1__SessionStart *start, const struct ingest_context *context,
                         const Journey__V1__Enrichment *enrichment, struct arena *arena);

/* opening.c: how a session that an event opens begins; NULL: the arena is full */
Journey__V1__SessionStart *ingest_opening(const struct ingest_context *context,
                                          const Journey__V1__Enrichment *enrichment, bool returning,
                                          struct arena *arena);
