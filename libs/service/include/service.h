#pragma once
/*
 * service: the scaffolding of a process: configuration, one libevent loop, signals, the admin HTTP server (/livez,
 * /readyz, /metrics), logs. A service over the log is its table and one call:
 *
 *     int main(int argc, char **argv) { return service_main(argc, argv, &template_service, NULL); }
 */
#include "base.h"
#include "config.h"

struct event_base;
struct stream_service;

/* What a service has beside its table: options of its own, and what it reads by them before its first message. */
struct service_own {
    void *config;
    const struct config_option *options;
    size_t n_options;
    int (*setup)(void *config, struct err *err); /* once, after the configuration */
    void (*teardown)(void);                      /* also after a setup that failed */
};

/* Options: -c prints the configuration, -t checks it, -s lists metrics, -h helps. own may be NULL. Returns the exit status. */
int service_main(int argc, char **argv, const struct stream_service *service,
                 const struct service_own *own);

/* ---- for a process that is not a stream service (gateway) ---- */

struct service_process; /* loop, signals, admin server, metrics */

struct service_hooks {
    void *user;
    bool (*ready)(void *user, const char **why);
    void (*drain)(void *user);   /* SIGTERM or SIGINT came */
    bool (*drained)(void *user); /* asked again and again until true or the limit (10 s) */
    void (*turn)(void *user);    /* after each turn of the loop; may be NULL, as the others */
};

#define SERVICE_OPTIONS(OPTION)                                                                    \
    OPTION(STRING, brokers, "KAFKA_BROKERS", "127.0.0.1:9092", 1, 1000,                            \
           "Kafka's bootstrap servers")                                                            \
    OPTION(SECRET, database_url, "DATABASE_URL", NULL, 1, 2000, "Postgres")                        \
    OPTION(SECRET, redis_url, "REDIS_URL", "redis://127.0.0.1:6379", 1, 2000,                      \
           "Redis; losing it loses nothing")                                                       \
    OPTION(STRING, admin_address, "JOURNEY_ADMIN_ADDRESS", "127.0.0.1", 1, 64,                     \
           "where /livez, /readyz, /metrics listen")                                               \
    OPTION(INT, admin_port, "JOURNEY_ADMIN_PORT", "0", 0, 65535,                                   \
           "their port; 0: a free one, in the log")                                                \
    OPTION(INT, partitions, "JOURNEY_PARTITIONS", "16", 1, 1024,                                   \
           "of every topic; fixed at installation")                                                \
    OPTION(STRING, prefix, "JOURNEY_TOPIC_PREFIX", "", 0, 40,                                      \
           "before topic and group names; for tests")                                              \
    OPTION(STRING, instance, "JOURNEY_INSTANCE", "1", 1, 40, "this process' name in logs")         \
    OPTION(STRING, log_level, "JOURNEY_LOG_LEVEL", "info", 1, 10, "debug, info, warn or error")    \
    OPTION(INT, cache_mb, "JOURNEY_CACHE_MB", "12", 1, 4096, "memory for hot states")              \
    OPTION(STRING, generation, "JOURNEY_GENERATION", "1", 1, 20,                                   \
           "of producer names; another after a restore of Postgres")

struct service_config {
    CONFIG_STRUCT(SERVICE_OPTIONS)
    bool list_metrics; /* -s: service_process_run() lists what is registered by then, and returns */
};

int service_process_create(struct service_process **process, const char *name,
                           const struct service_config *config, const struct service_hooks *hooks,
                           struct err *err) MUST_CHECK;
struct event_base *service_process_base(struct service_process *process);
struct metrics *service_process_metrics(struct service_process *process);
int service_process_run(
    struct service_process *process); /* until drained; returns the exit status */
void service_process_stop(struct service_process *process,
                          int status); /* run() returns status after this turn */
void service_process_destroy(struct service_process **process);
/* Handles -c -t -s -h for a table of options beyond the common ones; returns -1: go on, else the exit status. The strings
 * of both configurations are the environment's. */
int service_configure(int argc, char **argv, const char *name, struct service_config *config,
                      void *more, const struct config_option *more_options, size_t n_more);
