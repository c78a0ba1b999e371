#pragma once
/*
 * sender: a data set's events to a gateway, over several connections.
 *
 *   devices ──hash──► lanes; a lane sends its events in order of time, one request after the other, and sends a request
 *   again, unchanged, until it is answered: so a device's events are never in two requests at once, and none is lost
 */
#include "domain/dataset.h"

struct sender_options {
    const char *url, *key; /* "http://host:port" */
    unsigned connections;
    int64_t shift_us;
    const struct dataset *dataset;
};

struct sender_figures {
    size_t total, sent, accepted, refused; /* sent = accepted + refused */
    uint64_t retries;
    int64_t started_us;
    char refusal[200]; /* why the first one was refused */
};

/* Blocks until all is sent, Ctrl-C, or nothing was answered for two minutes. Returns an exit status, errors said. */
int sender_run(const struct sender_options *options, struct sender_figures *figures) MUST_CHECK;

/* One line that tells how far it is: rewritten on a terminal, else a new one every 5 s. part: 0 to 1. */
void progress_line(int64_t started_us, double part, const char *text, bool last);
void progress_show(const struct sender_figures *figures, bool last);
