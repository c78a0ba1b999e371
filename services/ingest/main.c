#include "agents.h"
#include "ingest.h"
#include "places.h"
#include "service.h"

#define INGEST_OPTIONS(OPTION)                                                                     \
    OPTION(STRING, agents_file, "JOURNEY_USER_AGENT_FILE", "/usr/share/uap-core/regexes.yaml", 0,  \
           1000, "uap-core's patterns of user agents; without: by words alone")                    \
    OPTION(STRING, places_file, "JOURNEY_GEOIP_FILE", "", 0, 1000,                                 \
           "places of addresses in MaxMind's format; without: none")

struct config {
    CONFIG_STRUCT(INGEST_OPTIONS)
};
#define ROW(...) CONFIG_ROW(struct config, __VA_ARGS__)
static const struct config_option options[] = {INGEST_OPTIONS(ROW)};
#undef ROW

/* The service does without, so that a moved file stops nothing. */
static void warn(const char *file, const struct err *err)
{
    char path[300], text[300];
    log_event(LOG_WARN, "file_unusable", NULL, "\"file\":\"%s\",\"error\":\"%s\"",
              log_escape(path, sizeof(path), file), log_escape(text, sizeof(text), err->message));
}

static int setup(void *user, struct err *err)
{
    const struct config *config = user;
    struct err why = {0};
    if (!config->agents_file[0] ||
        agents_create(&ingest_files.agents, config->agents_file, &why) < 0) {
        if (config->agents_file[0])
            warn(config->agents_file, &why);
        int status = agents_create(&ingest_files.agents, NULL, err);
        if (status)
            return status;
    }
    if (config->places_file[0] && places_open(&ingest_files.places, config->places_file, &why) < 0)
        warn(config->places_file, &why);
    return STATUS_OK;
}

static void teardown(void)
{
    agents_destroy(&ingest_files.agents);
    places_close(&ingest_files.places);
}

int main(int argc, char **argv)
{
    static struct config config;
    const struct service_own own = {.config = &config,
                                    .options = options,
                                    .n_options = ARRAY_SIZE(options),
                                    .setup = setup,
                                    .teardown = teardown};
    return service_main(argc, argv, &ingest_service, &own);
}
