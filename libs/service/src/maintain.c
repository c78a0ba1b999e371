#include "internal.h"
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct service_maintain {
    struct store_pg_options options;
    const struct store_table *tables[SERVICE_MAX_TABLES]; /* the options' own */
    const char *brokers;
    service_maintained_fn done;
    void *user;
    struct event *event;
    int fd; /* the thread's last word */
    bool running;
    pthread_t thread;
    /* the thread's while it runs */
    struct buf report;
    struct err err;
    const char *what;
    bool reached;
};

static void *run(void *arg)
{
    struct service_maintain *m = arg;
    struct clock *clock = clock_system();
    uint64_t one = 1;
    m->err = (struct err){0};
    m->what = "kafka";
    int status = m->reached ? 0 : service_probe(m->brokers, &m->err);
    m->reached = status == 0; /* later runs are about the tables only */
    if (status == 0) {
        m->what = "postgres";
        status = store_pg_maintain(&m->options, clock->now_us(clock), &m->report, &m->err);
    }
    if (status == 0)
        m->err.code = STATUS_OK;
    while (write(m->fd, &one, sizeof(one)) < 0)
        ; /* only EINTR: nobody else counts it up */
    return NULL;
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
    struct service_maintain *m = arg;
    uint64_t count;
    if (read(fd, &count, sizeof(count)) < 0)
        return;
    pthread_join(m->thread, NULL);
    m->running = false;
    const char *report = m->report.size ? (const char *)m->report.data : "";
    m->done(m->user, m->what, m->err.code ? &m->err : NULL, report);
    buf_reset(&m->report);
}

void service_maintain_start(struct service_maintain *m)
{
    if (m->running)
        return;
    m->running = pthread_create(&m->thread, NULL, run, m) == 0;
    if (!m->running) {
        struct err err;
        err_set(&err, ERR_NO_MEMORY, ERR_CLASS_TRANSIENT, "no thread for the tables' maintenance");
        m->done(m->user, "a thread", &err, "");
    }
}

int service_maintain_create(struct service_maintain **out, struct event_base *base,
                            const struct store_pg_options *options, const char *brokers,
                            service_maintained_fn done, void *user, struct err *err)
{
    struct service_maintain *m = calloc(1, sizeof(*m));
    if (!m)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for maintenance");
    assert(options->n_tables <= SERVICE_MAX_TABLES);
    m->options = *options;
    for (unsigned i = 0; i < options->n_tables; i++)
        m->tables[i] = options->tables[i];
    m->options.tables = m->tables;
    m->brokers = brokers;
    m->done = done;
    m->user = user;
    m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    m->event = event_new(base, m->fd, EV_READ | EV_PERSIST, on_done, m);
    if (m->fd < 0 || !m->event || event_add(m->event, NULL) != 0) {
        service_maintain_destroy(&m);
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no descriptor for maintenance");
    }
    *out = m;
    return STATUS_OK;
}

/* A thread that still waits for the database must not hold up the end of the process: what it uses
 * is left to it. */
void service_maintain_destroy(struct service_maintain **out)
{
    struct service_maintain *m = *out;
    if (!m)
        return;
    *out = NULL;
    if (m->event)
        event_free(m->event);
    if (m->running) {
        pthread_detach(m->thread);
        return;
    }
    if (m->fd >= 0)
        close(m->fd);
    buf_deinit(&m->report);
    free(m);
}
