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
 * store_pg_maintain() blocks on a connection of its own, so it runs in a short thread; done() comes
 * from the loop. One run at a time.
 */
struct service_maintain;
int service_maintain_create(struct service_maintain **maintain, struct event_base *base,
                            const struct store_pg_options *options,
                            void (*done)(void *user, const struct err *err, const char *report),
                            void *user, struct err *err) MUST_CHECK;
void service_maintain_start(struct service_maintain *maintain); /* nothing while one runs */
void service_maintain_destroy(struct service_maintain **maintain);

extern const struct config_option service_options[];
extern const size_t service_options_count;
int service_log_level(const char *text); /* -1: no level */
