#pragma once
/* What the parts of a process share. */
#include "http.h"
#include "service.h"
#include "store.h"

#define SERVICE_MAX_TABLES 64

/* Series of the process itself, read from /proc when somebody asks. */
struct service_usage;
struct service_usage *service_usage_create(struct metrics *metrics);
void service_usage_destroy(struct service_usage **usage);

/* The admin server: /livez, /readyz, /metrics. ready(): false with why. */
struct service_admin {
    struct http_server *server;
    struct service_usage *usage;
    struct metrics *metrics;
    struct service_process *process;
};
bool service_process_ready(struct service_process *process, const char **why);
int service_admin_setup(struct service_admin *admin, struct event_base *base,
                        const struct service_config *config, struct err *err) MUST_CHECK;
void service_admin_teardown(struct service_admin *admin);

/*
 * What blocks and must not hold up the loop runs in a short thread: is there a broker, then
 * store_pg_maintain() on a connection of its own. done() comes from the loop, with what is missing
 * when err is not NULL. One run at a time.
 */
struct service_maintain;
typedef void (*service_maintained_fn)(void *user, const char *what, const struct err *err,
                                      const char *report);
int service_maintain_create(struct service_maintain **maintain, struct event_base *base,
                            const struct store_pg_options *options, const char *brokers,
                            service_maintained_fn done, void *user, struct err *err) MUST_CHECK;
void service_maintain_start(struct service_maintain *maintain); /* nothing while one runs */
void service_maintain_destroy(struct service_maintain **maintain);
/* Blocks up to 2 s for each of "host:port,host:port": does one accept? */
int service_probe(const char *brokers, struct err *err) MUST_CHECK;

extern const struct config_option service_options[];
extern const size_t service_options_count;
int service_log_level(const char *text); /* -1: no level */
