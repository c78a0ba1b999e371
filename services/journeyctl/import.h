#pragma once
/*
 * import: a file of past events to the gateway, which answers when the log has them.
 *
 *   file ──records──► events ──batches──► POST /api/v1/imports ──answer──► FILE.rejected, then FILE.import
 *
 * One request is under way at a time, and FILE.import says how far all is answered, so that whoever is stopped goes on
 * from there; what was under way is sent again under the same message ids, by which the engine knows it.
 */
#include "ctl.h"
#include "domain/columns.h"
#include "domain/records.h"

#include <stdio.h>

#define IMPORT_BATCH_EVENTS 1000
#define IMPORT_BATCH_BYTES  ((size_t)400 * 1024) /* the gateway takes 500 KB */

/* How far a file is: what FILE.import holds. */
struct import_state {
    char target[33]; /* hash of where the events go */
    char prefix[65]; /* hash of the file's first prefix_size bytes: whether it is still that file */
    uint64_t prefix_size;
    uint64_t offset, line; /* of the next record */
    uint64_t accepted, rejected, rejected_bytes;
};

struct import_event {
    size_t at, size; /* in events */
    size_t raw_at, raw_size;
    uint64_t line;
};

struct import {
    const char *path;
    const char *id_path; /* the form's member for the message id */
    struct arena *arena; /* of the file */
    const char *state_path, *rejected_path;
    struct import_state state;
    FILE *rejected;
    /* the batch that is being filled, or under way */
    struct import_event list[IMPORT_BATCH_EVENTS];
    unsigned n;
    struct buf events, raws;
    struct import_sender *sender;
    struct import_progress *progress;
};

/* ---- import_file.c ---- */

struct import_options {
    bool csv, print, restart;
    const char *map; /* NULL: headers are paths */
};
/* All of a file that is left; says what became of it. */
int import_file(struct import *import, const struct import_options *options) MUST_CHECK;

/* ---- import_state.c: the files beside FILE ---- */

/* Reads FILE.import when it is of this target and this file; else starts from the beginning. */
int import_state_open(struct import *import, bool restart) MUST_CHECK;
int import_state_save(struct import *import) MUST_CHECK;
void import_state_close(struct import *import);
/* A record that is no event: to FILE.rejected, and the first few to stderr. */
int import_reject(struct import *import, uint64_t line, const char *field, const char *code,
                  const char *message, struct slice raw) MUST_CHECK;

/* ---- import_send.c ---- */

struct import_progress {
    int64_t started_us;
    double part; /* of the file */
    uint64_t sent;
};
void import_progress_show(const struct import_progress *progress, bool last);
struct import_target {
    const char *url, *key, *form;
};
int import_sender_create(struct import_sender **sender, const struct import_target *target,
                         struct import_progress *progress) MUST_CHECK;
bool import_sender_stopped(const struct import_sender *sender); /* by Ctrl-C; NULL: no */
void import_sender_destroy(struct import_sender **sender);
/* Sends the batch until it is answered, in smaller parts where it must be, and empties it. */
int import_send(struct import *import) MUST_CHECK;
