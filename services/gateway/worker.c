#include "worker.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
    struct work *first, **last;
};

struct worker {
    struct worker_options options;
    char *database_url;
    struct event *event;
    int fd; /* something is finished */
    pthread_t thread;
    bool started;
    struct work_tools tools; /* the thread's */
    pthread_mutex_t lock;    /* of all below */
    pthread_cond_t wake;
    struct queue waiting, finished;
    unsigned n_waiting;
    bool stopping, busy, abandoned;
};

static void push(struct queue *queue, struct work *work)
{
    work->next = NULL;
    *(queue->first ? queue->last : &queue->first) = work;
    queue->last = &work->next;
}

static struct work *pop(struct queue *queue)
{
    struct work *work = queue->first;
    if (work)
        queue->first = work->next;
    return work;
}

/* Opened when first needed; what cannot be had is tried again by the next piece of work. */
static void open_tools(struct worker *worker)
{
    struct err err;
    struct work_tools *tools = &worker->tools;
    if (!tools->bus && worker->options.open_bus(worker->options.user, &tools->bus, &err) < 0)
        tools->bus = NULL;
    if (tools->bus && !tools->letters)
        tools->letters = letters_create(worker->database_url, "gateway-letters", tools->bus);
}

static void free_worker(struct worker *worker)
{
    letters_destroy(&worker->tools.letters);
    bus_destroy(&worker->tools.bus);
    if (worker->fd >= 0)
        close(worker->fd);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker->database_url);
    free(worker);
}

static void run_one(struct worker *worker, struct work *work)
{
    uint64_t one = 1;
    pthread_mutex_unlock(&worker->lock);
    open_tools(worker);
    work->run(work, &worker->tools);
    pthread_mutex_lock(&worker->lock);
    push(&worker->finished, work);
    while (!worker->abandoned && write(worker->fd, &one, sizeof(one)) < 0)
        ; /* only EINTR: the loop takes the count */
}

static void *run(void *user)
{
    struct worker *worker = user;
    pthread_mutex_lock(&worker->lock);
    while (!worker->stopping) {
        struct work *work = pop(&worker->waiting);
        if (work) {
            worker->n_waiting--;
            worker->busy = true;
            run_one(worker, work);
            worker->busy = false;
        } else {
            pthread_cond_wait(&worker->wake, &worker->lock);
        }
    }
    bool abandoned = worker->abandoned;
    pthread_mutex_unlock(&worker->lock);
    if (abandoned)
        free_worker(worker); /* but not the work, whose owner is gone: the process ends */
    return NULL;
}

static void finish(struct worker *worker)
{
    for (;;) {
        pthread_mutex_lock(&worker->lock);
        struct work *work = pop(&worker->finished);
        pthread_mutex_unlock(&worker->lock);
        if (!work)
            return;
        work->done(work);
    }
}

static void on_finished(evutil_socket_t fd, short what, void *user)
{
    uint64_t count;
    if (read(fd, &count, sizeof(count)) > 0)
        finish(user);
}

int worker_create(struct worker **out, struct event_base *base,
                  const struct worker_options *options, struct err *err)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for a worker");
    worker->options = *options;
    worker->database_url = options->database_url ? strdup(options->database_url) : NULL;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wake, NULL);
    worker->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    *out = worker;
    if (options->inside)
        return 0;
    worker->event = event_new(base, worker->fd, EV_READ | EV_PERSIST, on_finished, worker);
    worker->started = worker->fd >= 0 && worker->event && event_add(worker->event, NULL) == 0 &&
                      pthread_create(&worker->thread, NULL, run, worker) == 0;
    if (worker->started)
        return 0;
    worker_destroy(out);
    return err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL, "no thread for questions to the log");
}

bool worker_submit(struct worker *worker, struct work *work)
{
    if (worker->options.inside) {
        open_tools(worker);
        work->run(work, &worker->tools);
        work->done(work);
        return true;
    }
    pthread_mutex_lock(&worker->lock);
    bool room = worker->n_waiting < worker->options.max_waiting;
    if (room) {
        push(&worker->waiting, work);
        worker->n_waiting++;
        pthread_cond_signal(&worker->wake);
    }
    pthread_mutex_unlock(&worker->lock);
    return room;
}

void worker_destroy(struct worker **out)
{
    struct worker *worker = *out;
    struct work *work;
    if (!worker)
        return;
    *out = NULL;
    if (worker->event)
        event_free(worker->event);
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    bool busy = worker->abandoned = worker->busy;
    while ((work = pop(&worker->waiting)))
        push(&worker->finished, work);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    finish(worker);
    if (worker->started && busy) {
        pthread_detach(worker->thread);
        return;
    }
    if (worker->started)
        pthread_join(worker->thread, NULL);
    free_worker(worker);
}
