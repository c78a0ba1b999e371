/*
 * A process: one loop until a signal, then draining, then the exit status.
 *
 *   signal ──► hooks.drain ──► hooks.drained? asked after each turn and every 10 ms ──► 0
 *                                     └── after 10 s, or at a second signal ──► 1
 */
#include "internal.h"
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define DRAIN_LIMIT_S 10

struct service_process {
    const char *name;
    struct service_config config;
    struct service_hooks hooks;
    struct event_base *base;
    struct metrics *metrics;
    struct service_admin admin;
    struct event *signals[2], *tick, *drain_limit;
    bool draining, stopped;
    int status;
};

void service_process_stop(struct service_process *process, int status)
{
    process->stopped = true;
    process->status = status;
    event_base_loopbreak(process->base);
}

bool service_process_ready(struct service_process *process, const char **why)
{
    if (process->draining) {
        *why = "draining";
        return false;
    }
    return !process->hooks.ready || process->hooks.ready(process->hooks.user, why);
}

static void on_drain_limit(evutil_socket_t fd, short what, void *arg)
{
    log_event(LOG_ERROR, "drain_timed_out", NULL, "\"seconds\":%d", DRAIN_LIMIT_S);
    service_process_stop(arg, 1);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    /* it is enough that the loop turns */
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct service_process *process = arg;
    struct timeval limit = {DRAIN_LIMIT_S, 0}, tick = {0, 10000};
    if (process->draining) {
        log_event(LOG_WARN, "stopped_at_once", NULL, "\"signal\":%d", (int)number);
        service_process_stop(process, 1);
        return;
    }
    log_event(LOG_INFO, "draining", NULL, "\"signal\":%d", (int)number);
    process->draining = true;
    event_add(process->drain_limit, &limit);
    event_add(process->tick, &tick);
    if (process->hooks.drain)
        process->hooks.drain(process->hooks.user);
}

static int process_setup(struct service_process *process, struct err *err)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    process->base = event_base_new();
    process->metrics = metrics_create();
    if (!process->base || !process->metrics)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for a process");
    process->tick = event_new(process->base, -1, EV_PERSIST, on_tick, process);
    process->drain_limit = event_new(process->base, -1, 0, on_drain_limit, process);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        process->signals[i] = evsignal_new(process->base, numbers[i], on_signal, process);
        if (!process->signals[i] || event_add(process->signals[i], NULL) != 0)
            return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "cannot wait for signals");
    }
    if (!process->tick || !process->drain_limit)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for a process");
    process->admin.metrics = process->metrics;
    process->admin.process = process;
    return service_admin_setup(&process->admin, process->base, &process->config, err);
}

/*
 * jemalloc's, which release builds are linked with: Kafka's client frees in its threads what the loop's allocated, eight
 * headers a message, and glibc's malloc took a fifth of a busy service's time for it (journey-state: 28 µs an event, with
 * jemalloc 22). One busy thread, so more arenas would only cost memory. Blocks of up to 64 KiB stay with their thread: the client
 * asks for zeroed ones for each request to a broker, and where a block was not at hand the kernel was asked for its zeros, one
 * madvise and page faults for every third event of a gateway.
 */
const char *malloc_conf = "narenas:2,dirty_decay_ms:2000,muzzy_decay_ms:0,lg_tcache_max:16";

int service_process_create(struct service_process **out, const char *name,
                           const struct service_config *config, const struct service_hooks *hooks,
                           struct err *err)
{
    struct service_process *process = calloc(1, sizeof(*process));
    if (!process)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for a process");
    process->name = name;
    process->config = *config;
    process->hooks = *hooks;
    log_setup(name, config->instance, (enum log_level)service_log_level(config->log_level));
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        log_event(LOG_WARN, "sigpipe_not_ignored", NULL, NULL);
    int status = process_setup(process, err);
    if (status) {
        service_process_destroy(&process);
        return status;
    }
    *out = process;
    return STATUS_OK;
}

struct event_base *service_process_base(struct service_process *process)
{
    return process->base;
}

struct metrics *service_process_metrics(struct service_process *process)
{
    return process->metrics;
}

/* Names, types and what they are: the HELP and TYPE lines. */
static int list_metrics(struct service_process *process)
{
    struct buf text _cleanup_(buf_deinit) = {0};
    metrics_render(process->metrics, &text);
    for (const char *line = (const char *)text.data; line && *line;) {
        size_t size = strcspn(line, "\n");
        if (line[0] == '#')
            (void)printf("%.*s\n", (int)size, line);
        line += size + (line[size] == '\n');
    }
    return 0;
}

int service_process_run(struct service_process *process)
{
    if (process->config.list_metrics)
        return list_metrics(process);
    log_event(LOG_INFO, "started", NULL, "\"admin_port\":%u",
              (unsigned)http_server_port(process->admin.server));
    while (!process->stopped) {
        if (event_base_loop(process->base, EVLOOP_ONCE) < 0)
            service_process_stop(process, 1);
        if (process->hooks.turn)
            process->hooks.turn(process->hooks.user);
        if (process->draining && !process->stopped &&
            (!process->hooks.drained || process->hooks.drained(process->hooks.user)))
            service_process_stop(process, 0);
    }
    log_event(LOG_INFO, "stopped", NULL, "\"status\":%d", process->status);
    return process->status;
}

void service_process_destroy(struct service_process **out)
{
    struct service_process *process = *out;
    if (!process)
        return;
    *out = NULL;
    struct event *events[] = {process->signals[0], process->signals[1], process->tick,
                              process->drain_limit};
    service_admin_teardown(&process->admin);
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        if (events[i])
            event_free(events[i]);
    }
    metrics_destroy(&process->metrics);
    if (process->base)
        event_base_free(process->base);
    free(process);
}
