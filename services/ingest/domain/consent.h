#pragma once
/*
 * What may be done with what is known of a person, purpose by purpose.
 *
 *     the device's statement ──┐ the later one, of two at the same moment the denial
 *     the user's statement ────┴──► granted ─────────────────────► in force: consent
 *                                   denied ──────────────────────► not in force
 *     the browser opts out now ───► denied, whatever was stated
 *     nobody stated anything ─────► the tenant's legitimate interest, if it has one, else not in force
 *
 * "necessary" is always in force, so nothing is kept of it.
 */
#include "base.h"

/* PURPOSE(id, name); the numbers are kept in states. */
#define INGEST_PURPOSE_TABLE(PURPOSE)                                                              \
    PURPOSE(ANALYTICS, "analytics")                                                                \
    PURPOSE(PERSONALIZATION, "personalization")                                                    \
    PURPOSE(CROSS_DEVICE, "cross_device")                                                          \
    PURPOSE(MARKETING, "marketing")                                                                \
    PURPOSE(SALE_OR_SHARING, "sale_or_sharing")

enum ingest_purpose {
#define INGEST_PURPOSE_ENUM(id, name) INGEST_PURPOSE_##id,
    INGEST_PURPOSE_TABLE(INGEST_PURPOSE_ENUM)
#undef INGEST_PURPOSE_ENUM
    INGEST_PURPOSES,
    INGEST_PURPOSE_NECESSARY = INGEST_PURPOSES, /* always in force */
    INGEST_PURPOSE_UNKNOWN,
};

enum ingest_consent_state {
    INGEST_CONSENT_UNKNOWN,
    INGEST_CONSENT_GRANTED,
    INGEST_CONSENT_DENIED,
};

struct ingest_statement {
    enum ingest_consent_state state;
    int64_t at_us; /* when it was stated */
};

/* What a subject (a device, a user) has stated. */
struct ingest_consents {
    struct ingest_statement of[INGEST_PURPOSES];
    uint32_t reported; /* by its events: two bits a purpose, an enum ingest_consent_state */
};

enum ingest_basis {
    INGEST_BASIS_NONE, /* not in force */
    INGEST_BASIS_CONSENT,
    INGEST_BASIS_INTEREST,
};

struct ingest_force {
    enum ingest_basis of[INGEST_PURPOSES];
};

const char *ingest_purpose_name(enum ingest_purpose purpose); /* "necessary" too */
enum ingest_purpose ingest_purpose_find(struct slice name);
/* The purpose that a consent manager's category stands for, by a table of their usual names. */
enum ingest_purpose ingest_purpose_of_category(struct slice category);
const char *ingest_consent_state_name(enum ingest_consent_state state);

/* user: NULL when there is none, or it is the device. opt_out: by the event. interests: a bit a purpose, the tenant's. */
struct ingest_force ingest_consent_in_force(const struct ingest_consents *device,
                                            const struct ingest_consents *user, bool opt_out,
                                            unsigned interests);

/*
 * A person's own statement, just now: it counts whatever stands there. Of several gateways' clocks one may be behind what
 * stands there; then it is given that time.
 */
void ingest_consent_put(struct ingest_consents *consents, enum ingest_purpose purpose, bool granted,
                        int64_t at_us);

/*
 * What an event of time_us reports of the page's consent manager (two bits a purpose, as `reported`). Each event repeats it, so
 * it is a statement only where it differs from what was reported before, and none when it is older than what was stated: a
 * repetition does not undo what the person said elsewhere meanwhile. Returns the purposes whose state changed, a bit each.
 */
unsigned ingest_consent_report(struct ingest_consents *consents, uint32_t reported,
                               int64_t time_us);
/* The browser's signal: denies sale_or_sharing and marketing where that is not so yet. Returns as above. */
unsigned ingest_consent_opt_out(struct ingest_consents *consents, int64_t time_us);

/* Of a row of history: grows with the subject's version, and is another one for each purpose. */
static inline int64_t ingest_statement_number(int64_t version, enum ingest_purpose purpose)
{
    return version * 8 + (int64_t)purpose;
}

static inline uint32_t ingest_reported(enum ingest_purpose purpose, enum ingest_consent_state state)
{
    return (uint32_t)state << (2 * (unsigned)purpose);
}
static inline enum ingest_consent_state ingest_reported_of(uint32_t reported,
                                                           enum ingest_purpose purpose)
{
    return (enum ingest_consent_state)(reported >> (2 * (unsigned)purpose) & 3);
}
