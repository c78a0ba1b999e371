#pragma once
/*
 * A thread for what would hold up everybody: reading the log, and questions to the database whose answers are long. One piece
 * of work at a time, a few waiting; a piece belongs to the worker from submit to done.
 *
 *   loop: submit ──► queue ──► thread: run(tools) ──► finished ──► loop: done
 */
#include "bus.h"
#include "letters.h"

struct event_base;

struct work_tools {
    struct bus *bus; /* of the thread alone; it only reads */
    struct letters *letters;
};

struct work {
    void (*run)(struct work *work, const struct work_tools *tools); /* in the thread */
    void (*done)(struct work *work);                                /* in the loop */
    struct work *next;
};

struct worker_options {
    int (*open_bus)(void *user, struct bus **bus, struct err *err); /* in the thread, once */
    void *user;
    const char *database_url; /* NULL: there is none */
    unsigned max_waiting;
    bool inside; /* no thread: submit() runs the work, for tests on the twins */
};

struct worker;
int worker_create(struct worker **worker, struct event_base *base,
                  const struct worker_options *options, struct err *err) MUST_CHECK;
/* false: too many wait. */
bool worker_submit(struct worker *worker, struct work *work);
/* Work that has not begun is done without having been run. A thread that still waits for a server is left to itself. */
void worker_destroy(struct worker **worker);
