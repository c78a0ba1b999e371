#pragma once
/* A stream service as a process: main.c runs it, connect.c brings it up. */
#include "internal.h"
#include "stream.h"
#include <event2/event.h>

#define BACKOFF_MIN_US INT64_C(200000)
#define BACKOFF_MAX_US (5 * SECOND_US)

enum app_state {
    APP_MAINTAIN,
    APP_CONNECT,
    APP_RUN
};

struct app {
    const struct stream_service *service;
    struct service_config config;
    struct service_process *process;
    struct service_maintain *maintain;
    struct store *store;
    struct bus *bus;
    struct stream *stream;
    struct redis *redis;
    struct event *step_at, *retry, *maintain_again, *readable;
    enum app_state state;
    bool step;          /* something happened that the stream should see */
    int64_t backoff_us; /* of the next retry */
    char missing[300];  /* why it is not ready yet */
    char role[80];      /* Postgres' */
    const struct store_table *tables[SERVICE_MAX_TABLES];
    unsigned n_tables;
};

void app_wait(struct event *event, int64_t us);
/* The next step of setting up; steps that fail by transient faults are tried again by app->retry. */
void app_go_on(struct app *app);
void app_maintained(void *user, const char *what, const struct err *err, const char *report);
struct store_pg_options app_store_options(const struct app *app);
int app_create_stream(struct app *app, struct bus *bus, struct store *store, struct err *err);
