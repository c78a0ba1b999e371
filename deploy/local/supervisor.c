/*
 * supervisor: starts the processes of one table, keeps them running, stops them.
 *
 *   supervisor start DIR TABLE   returns when all are ready, or says what failed (log's tail) and has stopped the rest
 *   supervisor stop DIR          returns when everything is gone
 *   supervisor status DIR        a line per process; exit 0: all up, 1: some not, 3: not running
 *
 * TABLE, in words separated by a blank, one argument a line, so that nothing needs quoting:
 *
 *   process NAME          begins a process
 *   stage N               stages start in ascending order, each when the one before is ready; they stop in descending order
 *   dir PATH              working directory
 *   env NAME=VALUE        added to the environment
 *   arg WORD              the command line, one word after the other
 *   port N                only shown in the status
 *   ready log TEXT | tcp PORT | http PORT PATH | exit
 *                         when it counts as ready: its output contains TEXT, it accepts a connection, it answers 200, it has ended with 0
 *   ready-seconds N       how long that may take (60)
 *   stop-seconds N        how long it may drain after SIGTERM before SIGKILL (15)
 *   stop-signal N         sent instead of SIGTERM
 *
 * Data flow: output of every process -> pipe -> DIR/log/NAME.log (rotated once); signals -> signalfd; all of it in one poll loop.
 * DIR/lock is locked while the supervisor lives and tells its pid; DIR/status is replaced whole at each change.
 *
 * What it started dies with it: each child has a parent death signal, and as a subreaper it also gets their orphans.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define WORDS_MAX     96
#define LOG_LIMIT                                                                                  \
    (16L << 20) /* of one log file; the one before it is kept: 32 MiB a process at most */
#define BACKOFF_MIN_MS    100
#define BACKOFF_MAX_MS    5000
#define STEADY_MS         10000 /* up for so long: the next death starts again with the shortest back-off */
#define START_TRIES       3 /* deaths before first being ready that make the start fail */
#define PROBE_STARTING_MS 50
#define PROBE_UP_MS       2000
#define PROBE_TIMEOUT_MS  1500
#define TAIL_LINES        25

/* up: it may be used; alive: there is a pid */
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

static const struct {
    const char *text;
    bool up;
} states[] = {
#define X(id, text, up) {text, up},
    STATES(X)
#undef X
};

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

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)fputs("supervisor: ", stderr);
    (void)vfprintf(stderr, format, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    exit(2);
}

__attribute__((format(printf, 2, 3))) static void path_in(char path[PATH_MAX], const char *format,
                                                          ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(path, PATH_MAX, format, ap);
    va_end(ap);
    if (n < 0 || n >= PATH_MAX)
        die("path too long: %s", path);
}

static char *copy(const char *text)
{
    char *s = strdup(text);
    if (!s)
        die("out of memory");
    return s;
}

/* ---- table ---- */

static void table_ready(struct process *p, const char *value, const char *at)
{
    static const struct {
        const char *word;
        enum ready ready;
    } kinds[] = {
        {"log ", READY_LOG}, {"tcp ", READY_TCP}, {"http ", READY_HTTP}, {"exit", READY_EXIT}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].word);
        if (strncmp(value, kinds[i].word, n) != 0)
            continue;
        p->ready = kinds[i].ready;
        const char *rest = value + n;
        char *end;
        if (p->ready == READY_TCP || p->ready == READY_HTTP) {
            p->ready_port = (int)strtol(rest, &end, 10);
            rest = *end == ' ' ? end + 1 : end;
        }
        p->ready_text = copy(rest);
        return;
    }
    die("%s: ready is log TEXT, tcp PORT, http PORT PATH or exit, not \"%s\"", at, value);
}

static void table_word(char **list, int *n, const char *value, const char *at)
{
    if (*n == WORDS_MAX)
        die("%s: more than %d words", at, WORDS_MAX);
    list[(*n)++] = copy(value);
}

static void table_line(struct supervisor *s, const char *key, const char *value, const char *at)
{
    if (strcmp(key, "process") == 0) {
        if (s->n == PROCESSES_MAX)
            die("%s: more than %d processes", at, PROCESSES_MAX);
        s->processes[s->n++] = (struct process){.name = copy(value),
                                                .ready_ms = 60000,
                                                .stop_ms = 15000,
                                                .stop_signal = SIGTERM,
                                                .out = -1,
                                                .log = -1,
                                                .probe = -1};
        return;
    }
    if (s->n == 0)
        die("%s: \"process NAME\" comes first", at);
    struct process *p = &s->processes[s->n - 1];
    if (strcmp(key, "dir") == 0)
        p->dir = copy(value);
    else if (strcmp(key, "arg") == 0)
        table_word(p->args, &p->n_args, value, at);
    else if (strcmp(key, "env") == 0)
        table_word(p->env, &p->n_env, value, at);
    else if (strcmp(key, "stage") == 0)
        p->stage = atoi(value);
    else if (strcmp(key, "port") == 0)
        p->port = atoi(value);
    else if (strcmp(key, "ready-seconds") == 0)
        p->ready_ms = atol(value) * 1000;
    else if (strcmp(key, "stop-seconds") == 0)
        p->stop_ms = atol(value) * 1000;
    else if (strcmp(key, "stop-signal") == 0)
        p->stop_signal = atoi(value);
    else if (strcmp(key, "ready") == 0)
        table_ready(p, value, at);
    else
        die("%s: unknown word \"%s\"", at, key);
}

static void table_read(struct supervisor *s, const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f)
        die("%s: %s", path, strerror(errno));
    char *line = NULL, at[PATH_MAX + 32];
    size_t size = 0;
    for (int number = 1; getline(&line, &size, f) >= 0; number++) {
        line[strcspn(line, "\n")] = '\0';
        char *key = line + strspn(line, " \t");
        if (*key == '\0' || *key == '#')
            continue;
        char *value = key + strcspn(key, " ");
        if (*value != '\0')
            *value++ = '\0';
        (void)snprintf(at, sizeof at, "%s:%d", path, number);
        table_line(s, key, value, at);
    }
    free(line);
    (void)fclose(f);
    for (int i = 0; i < s->n; i++)
        if (s->processes[i].n_args == 0)
            die("%s: process %s has no arg", path, s->processes[i].name);
}

/* ---- status: one line per process, fields separated by tabs: name pid port state restarts ---- */

static void status_write(struct supervisor *s)
{
    char path[PATH_MAX], part[PATH_MAX];
    path_in(path, "%s/status", s->dir);
    path_in(part, "%s/status.part", s->dir);
    FILE *f = fopen(part, "we");
    if (!f)
        return; /* a full disk must not stop what runs; the next change tries again */
    for (int i = 0; i < s->n; i++) {
        const struct process *p = &s->processes[i];
        (void)fprintf(f, "%s\t%d\t%d\t%s\t%d\n", p->name, (int)p->pid, p->port,
                      states[p->state].text, p->restarts);
    }
    if (fclose(f) == 0 && rename(part, path) == 0)
        s->dirty = false;
}

/* The only place where a state changes. */
static void process_becomes(struct supervisor *s, struct process *p, enum state state)
{
    if (p->state == state)
        return;
    p->state = state;
    p->since = s->now;
    s->dirty = true;
    if (states[state].up)
        p->ever_ready = true;
}

/* ---- logs ---- */

static void log_open(struct supervisor *s, struct process *p)
{
    char path[PATH_MAX];
    path_in(path, "%s/log/%s.log", s->dir, p->name);
    p->log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    struct stat st;
    p->log_size = p->log >= 0 && fstat(p->log, &st) == 0 ? (long)st.st_size : 0;
}

static void log_write(struct supervisor *s, struct process *p, const char *data, size_t n)
{
    if (p->log_size + (long)n > LOG_LIMIT && p->log >= 0) {
        char path[PATH_MAX], old[PATH_MAX];
        path_in(path, "%s/log/%s.log", s->dir, p->name);
        path_in(old, "%s/log/%s.log.1", s->dir, p->name);
        (void)rename(path, old);
        (void)close(p->log);
        log_open(s, p);
    }
    while (n > 0 && p->log >= 0) {
        ssize_t done = write(p->log, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* disk full: the line is lost, the process is not */
        data += done;
        n -= (size_t)done;
        p->log_size += done;
    }
}

__attribute__((format(printf, 3, 4))) static void log_say(struct supervisor *s, struct process *p,
                                                          const char *format, ...)
{
    char text[512], line[640], when[32];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    time_t t = time(NULL);
    struct tm tm;
    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    int n = snprintf(line, sizeof line, "--- %s supervisor: %s %s\n", when, p->name, text);
    log_write(s, p, line, (size_t)n);
}

/* Takes what the process has printed; also looks for the text by which it says that it is ready. */
static void output_read(struct supervisor *s, struct process *p)
{
    char data[sizeof p->carry + 16384 + 1];
    for (int budget = 16; budget > 0; budget--) {
        memcpy(data, p->carry, p->n_carry);
        ssize_t n = read(p->out, data + p->n_carry, 16384);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            (void)close(p->out);
            p->out = -1;
            return;
        }
        log_write(s, p, data + p->n_carry, (size_t)n);
        if (p->ready != READY_LOG || p->state != STATE_STARTING)
            continue;
        size_t all = p->n_carry + (size_t)n;
        if (memmem(data, all, p->ready_text, strlen(p->ready_text)))
            process_becomes(s, p, STATE_UP);
        p->n_carry = all < sizeof p->carry ? all : sizeof p->carry;
        memcpy(p->carry, data + all - p->n_carry, p->n_carry);
    }
}

/* ---- starting ---- */

__attribute__((noreturn)) static void child_run(struct process *p, int out, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)setsid(); /* a Ctrl-C at the terminal is for the supervisor's caller alone */
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    for (int i = 0; i < p->n_env; i++)
        (void)putenv(p->env[i]);
    if (p->dir && chdir(p->dir) != 0) {
        (void)fprintf(stderr, "cannot enter %s: %s\n", p->dir, strerror(errno));
        _exit(127);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* it died before the line above */
    (void)execvp(p->args[0], p->args);
    (void)fprintf(stderr, "cannot run %s: %s\n", p->args[0], strerror(errno));
    _exit(127);
}

static void process_start(struct supervisor *s, struct process *p)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0)
        die("pipe: %s", strerror(errno));
    if (p->log < 0)
        log_open(s, p);
    if (p->out >= 0)
        (void)close(p->out);
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid == 0)
        child_run(p, out[1], parent);
    (void)close(out[1]);
    p->out = out[0];
    (void)fcntl(p->out, F_SETFL, O_NONBLOCK);
    p->n_carry = 0;
    p->killed = false;
    p->probe_due = s->now;
    if (p->pid < 0) { /* no memory or no pids: as if it had died */
        p->pid = 0;
        p->due = s->now + BACKOFF_MAX_MS;
        process_becomes(s, p, STATE_BACKOFF);
        return;
    }
    log_say(s, p, "started, pid %d", (int)p->pid);
    process_becomes(s, p, p->ready == READY_NONE ? STATE_UP : STATE_STARTING);
    s->dirty = true;
}

/* ---- probes: one connection at a time per process, never blocking ---- */

static void probe_end(struct supervisor *s, struct process *p, bool ok)
{
    (void)close(p->probe);
    p->probe = -1;
    p->probe_due = s->now + (p->state == STATE_STARTING ? PROBE_STARTING_MS : PROBE_UP_MS);
    if (ok)
        process_becomes(s, p, STATE_UP);
    else if (p->state == STATE_UP)
        process_becomes(s, p, STATE_UNREADY);
}

static void probe_begin(struct supervisor *s, struct process *p)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)p->ready_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    p->probe = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    p->probe_asked = false;
    p->probe_until = s->now + PROBE_TIMEOUT_MS;
    if (p->probe < 0 ||
        (connect(p->probe, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS))
        probe_end(s, p, false);
}

static void probe_continue(struct supervisor *s, struct process *p)
{
    char text[512];
    int error = 0;
    socklen_t size = sizeof error;
    if (!p->probe_asked) {
        if (getsockopt(p->probe, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
            probe_end(s, p, false);
        } else if (p->ready == READY_TCP) {
            probe_end(s, p, true);
        } else {
            int n = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
                             p->ready_text);
            if (send(p->probe, text, (size_t)n, MSG_NOSIGNAL) != n)
                probe_end(s, p, false);
            p->probe_asked = true;
        }
        return;
    }
    ssize_t n = recv(p->probe, text, sizeof text - 1, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    text[n > 0 ? n : 0] = '\0';
    probe_end(s, p, strncmp(text, "HTTP/1.", 7) == 0 && strncmp(text + 8, " 200", 4) == 0);
}

/* ---- what happens to a process, and what follows for all ---- */

/* Tells who waits for the start how it went; then nobody waits any more. */
__attribute__((format(printf, 2, 3))) static void starter_tell(struct supervisor *s,
                                                               const char *format, ...)
{
    if (s->starter < 0)
        return;
    va_list ap;
    va_start(ap, format);
    (void)vdprintf(s->starter, format, ap);
    va_end(ap);
}

static void start_failed(struct supervisor *s, struct process *p, const char *why)
{
    process_becomes(s, p, STATE_FAILED);
    if (s->starter >= 0 && !s->stopping) {
        starter_tell(s, "%s %s", p->name, why);
        s->stopping =
            true; /* the pipe stays open until we are gone: then ports and files are free again */
    }
}

static void process_died(struct supervisor *s, struct process *p, int status)
{
    char how[64];
    if (WIFSIGNALED(status))
        (void)snprintf(how, sizeof how, "was killed by signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    if (p->out >= 0)
        output_read(s, p);
    log_say(s, p, "%s", how);
    (void)kill(-p->pid, SIGKILL); /* what it left behind in its session's group */
    p->pid = 0;
    if (p->probe >= 0)
        probe_end(s, p, false);
    if (s->stopping) {
        process_becomes(s, p, p->state == STATE_FAILED ? STATE_FAILED : STATE_STOPPED);
        return;
    }
    if (p->ready == READY_EXIT) {
        if (status == 0)
            process_becomes(s, p, STATE_DONE);
        else
            start_failed(s, p, how);
        return;
    }
    p->backoff = p->state == STATE_UP && s->now - p->since > STEADY_MS ? 0 : p->backoff;
    p->backoff = p->backoff ? p->backoff * 2 : BACKOFF_MIN_MS;
    p->backoff = p->backoff < BACKOFF_MAX_MS ? p->backoff : BACKOFF_MAX_MS;
    if (!p->ever_ready && ++p->deaths >= START_TRIES && s->starter >= 0) {
        start_failed(s, p, how);
        return;
    }
    p->due = s->now + p->backoff;
    p->restarts++;
    process_becomes(s, p, STATE_BACKOFF);
}

static void children_reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < s->n; i++)
            if (s->processes[i].pid == pid)
                process_died(s, &s->processes[i], status);
}

static void process_tick(struct supervisor *s, struct process *p)
{
    if (p->state == STATE_BACKOFF && s->now >= p->due)
        process_start(s, p);
    if (p->state == STATE_STARTING && !p->ever_ready && s->now - p->since > p->ready_ms) {
        log_say(s, p, "was not ready in time");
        start_failed(s, p, "was not ready in time");
        return;
    }
    bool probed = p->ready == READY_TCP || p->ready == READY_HTTP;
    if (!probed || p->pid == 0 || p->state == STATE_STOPPING)
        return;
    if (p->probe >= 0 && s->now >= p->probe_until)
        probe_end(s, p, false);
    if (p->probe < 0 && s->now >= p->probe_due)
        probe_begin(s, p);
}

/* Starts the lowest stage that is not ready yet. */
static void stages_up(struct supervisor *s)
{
    int stage = INT_MAX;
    for (int i = 0; i < s->n; i++)
        if (!s->processes[i].ever_ready && s->processes[i].stage < stage)
            stage = s->processes[i].stage;
    for (int i = 0; i < s->n; i++)
        if (s->processes[i].stage == stage && s->processes[i].state == STATE_WAITING)
            process_start(s, &s->processes[i]);
    if (stage == INT_MAX && s->starter >= 0) {
        status_write(s);
        starter_tell(s, "ready");
        (void)close(s->starter);
        s->starter = -1;
    }
}

/* Stops the highest stage that still lives. Returns whether anything does. */
static bool stages_down(struct supervisor *s)
{
    int stage = INT_MIN;
    for (int i = 0; i < s->n; i++)
        if (s->processes[i].pid && s->processes[i].stage > stage)
            stage = s->processes[i].stage;
    for (int i = 0; i < s->n; i++) {
        struct process *p = &s->processes[i];
        if (p->pid == 0) {
            if (p->state != STATE_FAILED && p->state != STATE_DONE)
                process_becomes(s, p, STATE_STOPPED);
        } else if (p->stage == stage && p->state != STATE_STOPPING) {
            (void)kill(p->pid, p->stop_signal);
            p->due = s->now + p->stop_ms;
            process_becomes(s, p, STATE_STOPPING);
        } else if (p->state == STATE_STOPPING && !p->killed && s->now >= p->due) {
            log_say(s, p, "did not stop in time: killed");
            (void)kill(-p->pid, SIGKILL);
            p->killed = true;
        }
    }
    return stage != INT_MIN;
}

/* Orphans of our children come to us; at the end none may stay. */
static void orphans_kill(void)
{
    FILE *f = fopen("/proc/thread-self/children", "re");
    int pid;
    while (f && fscanf(f, "%d", &pid) == 1)
        (void)kill(pid, SIGKILL);
    if (f)
        (void)fclose(f);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* ---- the loop ---- */

static void signals_read(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            continue; /* one may stand for several: children_reap asks for all */
        if (!s->stopping)
            starter_tell(s, "start was interrupted");
        s->stopping = true;
    }
}

/* Until the next thing that happens by time alone. */
static int timeout_ms(const struct supervisor *s)
{
    long next = s->now + 60000;
    for (int i = 0; i < s->n; i++) {
        const struct process *p = &s->processes[i];
        bool probed = p->pid && (p->ready == READY_TCP || p->ready == READY_HTTP);
        long times[] = {
            p->state == STATE_BACKOFF || (p->state == STATE_STOPPING && !p->killed) ? p->due : next,
            p->state == STATE_STARTING && !p->ever_ready ? p->since + p->ready_ms + 1 : next,
            probed && p->state != STATE_STOPPING ? (p->probe >= 0 ? p->probe_until : p->probe_due)
                                                 : next,
        };
        for (size_t k = 0; k < sizeof times / sizeof *times; k++)
            next = times[k] < next ? times[k] : next;
    }
    return next > s->now ? (int)(next - s->now) : 0;
}

static void wait_for_something(struct supervisor *s)
{
    struct pollfd fds[1 + 2 * PROCESSES_MAX];
    struct process *owner[1 + 2 * PROCESSES_MAX] = {NULL};
    nfds_t n = 0;
    fds[n++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    for (int i = 0; i < s->n; i++) {
        struct process *p = &s->processes[i];
        if (p->out >= 0) {
            owner[n] = p;
            fds[n++] = (struct pollfd){.fd = p->out, .events = POLLIN};
        }
        if (p->probe >= 0) {
            owner[n] = p;
            fds[n++] = (struct pollfd){.fd = p->probe, .events = p->probe_asked ? POLLIN : POLLOUT};
        }
    }
    (void)poll(fds, n, timeout_ms(s));
    s->now = now_ms();
    if (fds[0].revents)
        signals_read(s);
    for (nfds_t i = 1; i < n; i++) {
        if (fds[i].revents && fds[i].fd == owner[i]->out)
            output_read(s, owner[i]);
        else if (fds[i].revents && fds[i].fd == owner[i]->probe)
            probe_continue(s, owner[i]);
    }
    children_reap(s);
}

static void supervise(struct supervisor *s)
{
    for (;;) {
        s->now = now_ms();
        if (s->stopping) {
            if (!stages_down(s))
                break;
        } else {
            stages_up(s);
            for (int i = 0; i < s->n; i++)
                process_tick(s, &s->processes[i]);
        }
        if (s->dirty)
            status_write(s);
        wait_for_something(s);
    }
    orphans_kill();
}

/* ---- commands ---- */

/* Opens DIR/lock; returns the pid of the supervisor that holds it, or 0. */
static pid_t lock_holder(const char *dir, int *fd)
{
    char path[PATH_MAX];
    path_in(path, "%s/lock", dir);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        die("%s: %s", path, strerror(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(*fd, F_GETLK, &lock) != 0)
        die("%s: %s", path, strerror(errno));
    return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

static void log_tail(const char *dir, const char *name)
{
    char path[PATH_MAX], data[16384];
    path_in(path, "%s/log/%s.log", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof data ? size - (off_t)sizeof data : 0;
    ssize_t n = pread(fd, data, sizeof data, from);
    (void)close(fd);
    ssize_t begin = n;
    for (int lines = 0; begin > 0; begin--)
        if (data[begin - 1] == '\n' && lines++ == TAIL_LINES)
            break;
    (void)fprintf(stderr, "the end of %s:\n%.*s", path, (int)(n - begin), data + begin);
}

static void daemon_run(struct supervisor *s, const char *table)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* who started us may be gone */
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)setsid();
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* a log has three files per partition */
        files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    table_read(s, table);
    char path[PATH_MAX];
    path_in(path, "%s/log", s->dir);
    (void)mkdir(path, 0755);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        (void)dup2(null, fd);
    (void)close(null);
    supervise(s);
    path_in(path, "%s/status", s->dir);
    (void)unlink(path);
    exit(0);
}

static int command_start(const char *dir, const char *table)
{
    static struct supervisor s;
    int result[2];
    if (pipe2(result, O_CLOEXEC) != 0)
        die("pipe: %s", strerror(errno));
    s.dir = dir;
    s.starter = result[1];
    pid_t pid = fork();
    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (pid == 0) {
        s.starter =
            3; /* of what our caller has open nothing may stay open for as long as we live */
        if (result[1] != 3)
            (void)dup2(result[1], 3);
        (void)fcntl(3, F_SETFD, FD_CLOEXEC);
        (void)close_range(4, ~0U, 0);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        (void)lock_holder(dir, &s.lock);
        if (fcntl(s.lock, F_SETLK, &lock) != 0)
            die("already running in %s", dir);
        daemon_run(&s, table);
    }
    (void)close(result[1]);
    char text[512];
    size_t n = 0;
    ssize_t got;
    while ((got = read(result[0], text + n, sizeof text - 1 - n)) > 0 ||
           (got < 0 && errno == EINTR))
        n += got > 0 ? (size_t)got : 0;
    text[n] = '\0';
    if (strcmp(text, "ready") == 0)
        return 0;
    if (n > 0) {
        (void)fprintf(stderr, "supervisor: %s\n", text);
        text[strcspn(text, " ")] = '\0';
        log_tail(dir, text);
    }
    return 1;
}

static int command_stop(const char *dir)
{
    int fd;
    pid_t pid = lock_holder(dir, &fd);
    if (pid == 0)
        return 3;
    int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    (void)kill(pid, SIGTERM);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct pollfd gone = {.fd = handle, .events = POLLIN};
    if (handle >= 0)
        (void)poll(&gone, 1, -1);
    else
        (void)fcntl(fd, F_SETLKW, &lock); /* released when it ends */
    return 0;
}

static int command_status(const char *dir)
{
    int fd;
    pid_t pid = lock_holder(dir, &fd);
    if (pid == 0)
        return 3;
    char path[PATH_MAX], name[64], state[32];
    path_in(path, "%s/status", dir);
    FILE *f = fopen(path, "re");
    int process, port, restarts, n = 0, not_up = 0;
    printf("%-20s %8s %6s  %-11s %s\n", "NAME", "PID", "PORT", "STATE", "RESTARTS");
    while (f && fscanf(f, "%63s %d %d %31s %d", name, &process, &port, state, &restarts) == 5) {
        n++;
        if (strcmp(state, "done") == 0)
            continue; /* it was no more than a step of the start */
        char pid_text[16] = "-", port_text[16] = "-";
        if (process)
            (void)snprintf(pid_text, sizeof pid_text, "%d", process);
        if (port)
            (void)snprintf(port_text, sizeof port_text, "%d", port);
        printf("%-20s %8s %6s  %-11s %d\n", name, pid_text, port_text, state, restarts);
        not_up += strcmp(state, "up") != 0;
    }
    if (f)
        (void)fclose(f);
    return n == 0 || not_up != 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "start") == 0)
        return command_start(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "stop") == 0)
        return command_stop(argv[2]);
    if (argc == 3 && strcmp(argv[1], "status") == 0)
        return command_status(argv[2]);
    (void)fprintf(stderr, "usage: supervisor start DIR TABLE | stop DIR | status DIR\n");
    return 2;
}
