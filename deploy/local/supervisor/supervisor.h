#pragma once
/*
 * What the parts of the supervisor share: the processes of the table and how far each has come.
 *
 *   main.c      the three commands; becoming a daemon
 *   table.c     the table -> struct process
 *   loop.c      one poll loop: signals, stages up, stages down
 *   process.c   one process: start, death, back-off; the only place where a state changes
 *   probe.c     is it ready? over TCP or HTTP, never blocking
 *   output.c    what it prints -> its log; the status file
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define PROCESSES_MAX 64
#define WORDS_MAX     96

/* X(id, as the status shows it, whether it is as it should be) */
#define STATES(X)                                                                                  \
    X(WAITING, "waiting", false)                                                                   \
    X(STARTING, "starting", false)                                                                 \
    X(UP, "up", true)                                                                              \
    X(UNREADY, "unready", false)                                                                   \
    X(BACKOFF, "restarting", false)                                                                \
    X(DONE, "done", true)                                                                          \
    X(STOPPING, "stopping", false)                                                                 \
    X(STOPPED, "stopped", false)                                                                   \
    X(FAILED, "failed", false)

enum state {
#define X(id, text, up) STATE_##id,
    STATES(X)
#undef X
};

struct state_name {
    const char *text;
    bool up;
};
extern const struct state_name states[];

enum ready {
    READY_NONE,
    READY_LOG,
    READY_TCP,
    READY_HTTP,
    READY_EXIT
};

struct process {
    /* from the table */
    char *name, *dir, *ready_text;
    char *args[WORDS_MAX + 1], *env[WORDS_MAX + 1];
    int n_args, n_env;
    int stage, port, ready_port, stop_signal;
    long ready_ms, stop_ms;
    enum ready ready;
    /* as it goes */
    enum state state;
    pid_t pid;
    int out, log, probe; /* descriptors or -1 */
    bool ever_ready, probe_asked, killed;
    long log_size;
    int deaths, restarts;
    long backoff, due, since, probe_due, probe_until; /* monotonic ms */
    char carry[256]; /* end of the output so far: READY_LOG text may be split */
    size_t n_carry;
};

struct supervisor {
    const char *dir;
    struct process processes[PROCESSES_MAX];
    int n;
    int signals; /* signalfd */
    int lock;    /* DIR/lock */
    int starter; /* pipe to who started us, until the start is decided; else -1 */
    bool stopping, dirty;
    long now;
};

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void path_in(char path[PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));
long now_ms(void);

void table_read(struct supervisor *s, const char *path);

void supervise(struct supervisor *s); /* until all have stopped */

void process_becomes(struct supervisor *s, struct process *p, enum state state);
void process_start(struct supervisor *s, struct process *p);
void process_died(struct supervisor *s, struct process *p, int status);
void process_tick(struct supervisor *s, struct process *p);            /* what is due by time */
long process_due(const struct supervisor *s, const struct process *p); /* when that is */
/* Tells who waits for the start how it goes. */
void starter_tell(struct supervisor *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool probe_wanted(const struct process *p);
void probe_tick(struct supervisor *s, struct process *p);
void probe_continue(struct supervisor *s, struct process *p); /* its socket is ready */
void probe_end(struct supervisor *s, struct process *p, bool ok);

void output_read(struct supervisor *s, struct process *p);
void log_say(struct supervisor *s, struct process *p, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_open(struct supervisor *s, struct process *p);
void log_tail(const char *dir, const char *name); /* to stderr */
void status_write(struct supervisor *s);
