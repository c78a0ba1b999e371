#include "consent.h"

#define OPT_OUT (1U << INGEST_PURPOSE_SALE_OR_SHARING | 1U << INGEST_PURPOSE_MARKETING)

static const char *const names[] = {
#define INGEST_PURPOSE_NAME(id, name) [INGEST_PURPOSE_##id] = (name),
    INGEST_PURPOSE_TABLE(INGEST_PURPOSE_NAME)
#undef INGEST_PURPOSE_NAME
        [INGEST_PURPOSE_NECESSARY] = "necessary",
};

const char *ingest_purpose_name(enum ingest_purpose purpose)
{
    return names[purpose];
}

enum ingest_purpose ingest_purpose_find(struct slice name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (slice_equal_str(name, names[i]))
            return i;
    return INGEST_PURPOSE_UNKNOWN;
}

const char *ingest_consent_state_name(enum ingest_consent_state state)
{
    static const char *const states[] = {"unknown", "granted", "denied"};
    return states[state];
}

/* ---- categories ---- */

/* Lower case, letters and digits only. OneTrust numbers its own; Google's consent mode names storages. */
static const struct {
    const char *category;
    enum ingest_purpose purpose;
} categories[] = {
    {"necessary", INGEST_PURPOSE_NECESSARY},
    {"strictlynecessary", INGEST_PURPOSE_NECESSARY},
    {"essential", INGEST_PURPOSE_NECESSARY},
    {"required", INGEST_PURPOSE_NECESSARY},
    {"securitystorage", INGEST_PURPOSE_NECESSARY},
    {"c0001", INGEST_PURPOSE_NECESSARY},
    {"analytics", INGEST_PURPOSE_ANALYTICS},
    {"analytic", INGEST_PURPOSE_ANALYTICS},
    {"analytical", INGEST_PURPOSE_ANALYTICS},
    {"analyticsstorage", INGEST_PURPOSE_ANALYTICS},
    {"statistics", INGEST_PURPOSE_ANALYTICS},
    {"statistic", INGEST_PURPOSE_ANALYTICS},
    {"performance", INGEST_PURPOSE_ANALYTICS},
    {"measurement", INGEST_PURPOSE_ANALYTICS},
    {"c0002", INGEST_PURPOSE_ANALYTICS},
    {"functional", INGEST_PURPOSE_PERSONALIZATION},
    {"functionality", INGEST_PURPOSE_PERSONALIZATION},
    {"functionalitystorage", INGEST_PURPOSE_PERSONALIZATION},
    {"preferences", INGEST_PURPOSE_PERSONALIZATION},
    {"preference", INGEST_PURPOSE_PERSONALIZATION},
    {"personalization", INGEST_PURPOSE_PERSONALIZATION},
    {"personalisation", INGEST_PURPOSE_PERSONALIZATION},
    {"personalizationstorage", INGEST_PURPOSE_PERSONALIZATION},
    {"c0003", INGEST_PURPOSE_PERSONALIZATION},
    {"crossdevice", INGEST_PURPOSE_CROSS_DEVICE},
    {"advertising", INGEST_PURPOSE_MARKETING},
    {"advertisement", INGEST_PURPOSE_MARKETING},
    {"advertisements", INGEST_PURPOSE_MARKETING},
    {"marketing", INGEST_PURPOSE_MARKETING},
    {"targeting", INGEST_PURPOSE_MARKETING},
    {"ads", INGEST_PURPOSE_MARKETING},
    {"adstorage", INGEST_PURPOSE_MARKETING},
    {"c0004", INGEST_PURPOSE_MARKETING},
    {"saleorsharing", INGEST_PURPOSE_SALE_OR_SHARING},
    {"saleofdata", INGEST_PURPOSE_SALE_OR_SHARING},
    {"datasharing", INGEST_PURPOSE_SALE_OR_SHARING},
    {"socialmedia", INGEST_PURPOSE_SALE_OR_SHARING}, /* hands the visit to the networks */
    {"c0005", INGEST_PURPOSE_SALE_OR_SHARING},
};

#define CATEGORY_BYTES 32

enum ingest_purpose ingest_purpose_of_category(struct slice category)
{
    char plain[CATEGORY_BYTES];
    size_t size = 0;
    for (size_t i = 0; i < category.size; i++) {
        uint8_t c = category.data[i];
        if (c == ' ' || c == '_' || c == '-')
            continue;
        if (size == sizeof(plain))
            return INGEST_PURPOSE_UNKNOWN;
        plain[size++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    for (size_t i = 0; i < ARRAY_SIZE(categories); i++)
        if (slice_equal_str(slice_make(plain, size), categories[i].category))
            return categories[i].purpose;
    return INGEST_PURPOSE_UNKNOWN;
}

/* ---- what is in force ---- */

static enum ingest_consent_state decides(struct ingest_statement a, struct ingest_statement b)
{
    if (a.state == INGEST_CONSENT_UNKNOWN || b.state == INGEST_CONSENT_UNKNOWN)
        return a.state == INGEST_CONSENT_UNKNOWN ? b.state : a.state;
    if (a.at_us != b.at_us)
        return a.at_us > b.at_us ? a.state : b.state;
    return a.state == INGEST_CONSENT_DENIED ? a.state : b.state;
}

struct ingest_force ingest_consent_in_force(const struct ingest_consents *device,
                                            const struct ingest_consents *user, bool opt_out,
                                            unsigned interests)
{
    static const struct ingest_consents nothing;
    struct ingest_force force;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) {
        enum ingest_consent_state state = decides(device->of[p], (user ? user : &nothing)->of[p]);
        if (opt_out && (OPT_OUT & 1U << p))
            state = INGEST_CONSENT_DENIED;
        force.of[p] = state == INGEST_CONSENT_GRANTED  ? INGEST_BASIS_CONSENT
                      : state == INGEST_CONSENT_DENIED ? INGEST_BASIS_NONE
                      : interests & 1U << p            ? INGEST_BASIS_INTEREST
                                                       : INGEST_BASIS_NONE;
    }
    return force;
}

/* ---- what is stated ---- */

void ingest_consent_put(struct ingest_consents *consents, enum ingest_purpose purpose, bool granted,
                        int64_t at_us)
{
    struct ingest_statement *statement = &consents->of[purpose];
    statement->state = granted ? INGEST_CONSENT_GRANTED : INGEST_CONSENT_DENIED;
    statement->at_us = max_i64(statement->at_us, at_us);
}

static bool change(struct ingest_statement *statement, enum ingest_consent_state state,
                   int64_t time_us)
{
    bool changed = statement->state != state;
    if (changed)
        *statement = (struct ingest_statement){state, time_us};
    return changed;
}

unsigned ingest_consent_report(struct ingest_consents *consents, uint32_t reported, int64_t time_us)
{
    unsigned changed = 0;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++) {
        enum ingest_consent_state state = ingest_reported_of(reported, p);
        bool same = state == ingest_reported_of(consents->reported, p);
        if (state == INGEST_CONSENT_UNKNOWN || same || time_us < consents->of[p].at_us)
            continue;
        consents->reported &= ~ingest_reported(p, 3);
        consents->reported |= ingest_reported(p, state);
        if (change(&consents->of[p], state, time_us))
            changed |= 1U << p;
    }
    return changed;
}

unsigned ingest_consent_opt_out(struct ingest_consents *consents, int64_t time_us)
{
    unsigned changed = 0;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++)
        if ((OPT_OUT & 1U << p) && time_us >= consents->of[p].at_us &&
            change(&consents->of[p], INGEST_CONSENT_DENIED, time_us))
            changed |= 1U << p;
    return changed;
}
