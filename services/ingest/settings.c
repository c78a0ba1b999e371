#include "ingest.h"
#include "json.h"

#include <stdlib.h>

#define IDLE_MIN_S 1
#define IDLE_MAX_S (DAY_US / SECOND_US)
#define MAX_MIN_S  60
#define MAX_MAX_S  (30 * DAY_US / SECOND_US)

static const char *setting(const Journey__V1__TenantSettings *settings, const char *key)
{
    for (size_t i = 0; settings && i < settings->n_settings; i++) {
        if (strcmp(settings->settings[i]->key, key) == 0)
            return settings->settings[i]->value;
    }
    return NULL;
}

/* In microseconds; a value that is none within the range leaves the default. */
static int64_t seconds_of(const Journey__V1__TenantSettings *settings, const char *key, int64_t min,
                          int64_t max, int64_t fallback_us)
{
    const char *text = setting(settings, key);
    int64_t seconds = text ? strtoll(text, NULL, 10) : 0;
    return seconds >= min && seconds <= max ? seconds * SECOND_US : fallback_us;
}

/* Those named with a reason. */
static unsigned interests_of(const Journey__V1__TenantSettings *settings, struct arena *arena)
{
    const char *text = setting(settings, "legitimate_interests");
    const struct json_node *root = NULL;
    unsigned interests = 0;
    if (settings && strcmp(settings->analytics_basis, "legitimate_interest") == 0)
        interests |= 1U << INGEST_PURPOSE_ANALYTICS;
    if (!text || !text[0] || json_parse(&root, slice_str(text), arena, NULL) < 0 ||
        !json_is(root, JSON_OBJECT))
        return interests;
    for (const struct json_node *member = root->child; member; member = member->next) {
        enum ingest_purpose purpose = ingest_purpose_find(member->key);
        if (purpose < INGEST_PURPOSES && purpose != INGEST_PURPOSE_ANALYTICS &&
            json_string(member, arena).size)
            interests |= 1U << purpose;
    }
    return interests;
}

/* A tenant without settings (not read yet, or none) has the defaults, and no basis for anything. */
struct ingest_settings ingest_settings_of(const struct stream_decision *d, const uint8_t tenant[16])
{
    char key[UUID_TEXT_SIZE];
    uuid_format(key, tenant);
    const Journey__V1__TenantSettings *settings =
        stream_mirror_get(d, INGEST_MIRROR_SETTINGS, slice_str(key));
    struct ingest_settings found = {
        .limits.idle_us =
            seconds_of(settings, "session_idle_seconds", IDLE_MIN_S, IDLE_MAX_S, INGEST_IDLE_US),
        .limits.max_us =
            seconds_of(settings, "session_max_seconds", MAX_MIN_S, MAX_MAX_S, INGEST_MAX_US),
    };
    found.interests = interests_of(settings, d->arena);
    return found;
}
