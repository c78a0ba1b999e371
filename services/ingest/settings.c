#include "ingest.h"
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
    found.legitimate_interest =
        settings && strcmp(settings->analytics_basis, "legitimate_interest") == 0;
    return found;
}

Journey__V1__ConsentStamp *ingest_consent(const struct ingest_settings *settings,
                                          struct arena *arena)
{
    Journey__V1__ConsentStamp *stamp = arena_alloc(arena, sizeof(*stamp));
    char **granted = arena_alloc(arena, sizeof(*granted));
    if (!stamp || !granted)
        return NULL;
    journey__v1__consent_stamp__init(stamp);
    stamp->granted = granted;
    stamp->legitimate_interest = settings->legitimate_interest;
    if (settings->legitimate_interest)
        granted[stamp->n_granted++] = arena_str(arena, SLICE_LITERAL("analytics"));
    return stamp;
}
