#include "ingest.h"
#include <stdlib.h>

#define IDLE_MIN_S 1
#define IDLE_MAX_S (DAY_US / SECOND_US)

static const char *setting(const Journey__V1__TenantSettings *settings, const char *key)
{
    for (size_t i = 0; settings && i < settings->n_settings; i++) {
        if (strcmp(settings->settings[i]->key, key) == 0)
            return settings->settings[i]->value;
    }
    return NULL;
}

/* A tenant without settings (not read yet, or none) has the defaults, and no basis for anything. */
struct ingest_settings ingest_settings_of(const struct stream_decision *d, const uint8_t tenant[16])
{
    char key[UUID_TEXT_SIZE];
    uuid_format(key, tenant);
    const Journey__V1__TenantSettings *settings =
        stream_mirror_get(d, INGEST_MIRROR_SETTINGS, slice_str(key));
    struct ingest_settings found = {.idle_us = INGEST_IDLE_US};
    const char *text = setting(settings, "session_idle_seconds");
    int64_t seconds = text ? strtoll(text, NULL, 10) : 0;
    if (seconds >= IDLE_MIN_S && seconds <= IDLE_MAX_S)
        found.idle_us = seconds * SECOND_US;
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
