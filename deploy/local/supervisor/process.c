/* One process from its start over its death to its next start. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define STEADY_MS      3000 /* up for so long: the next death starts again with the shortest back-off */
#define START_TRIES    3 /* deaths before first being ready that make the start fail */

const struct state_name states[] = {
#define X(id, text, up) {text, up},
    STATES(X)
#undef X
};

/* The only place where a state changes. */
void process_becomes(struct supervisor *s, struct process *p, enum state state)
{
    if (p->state == state)
        return;
    p->state = state;
    p->since = s->now;
    s->dirty = true;
    if (states[state].up)
        p->ever_ready = true;
}

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

void process_start(struct supervisor *s, struct process *p)
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

/* Tells who waits for the start how it went; then nobody waits any more. */
void starter_tell(struct supervisor *s, const char *format, ...)
{
    if (s->starter < 0)
        return;
    va_list ap;
    va_start(ap, format);
    (void)vdprintf(s->starter, format, ap);
    va_end(ap);
}

/* The pipe to the starter stays open until we are gone: when it hears of it, ports and files are free again. */
static void start_failed(struct supervisor *s, struct process *p, const char *why)
{
    process_becomes(s, p, STATE_FAILED);
    if (s->starter >= 0 && !s->stopping) {
        starter_tell(s, "%s %s", p->name, why);
        s->stopping = true;
    }
}

void process_died(struct supervisor *s, struct process *p, int status)
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

void process_tick(struct supervisor *s, struct process *p)
{
    if (p->state == STATE_BACKOFF && s->now >= p->due)
        process_start(s, p);
    if (p->state == STATE_STARTING && !p->ever_ready && s->now - p->since > p->ready_ms) {
        log_say(s, p, "was not ready in time");
        start_failed(s, p, "was not ready in time");
        return;
    }
    if (probe_wanted(p))
        probe_tick(s, p);
}

static long sooner(long a, long b)
{
    return a < b ? a : b;
}

long process_due(const struct supervisor *s, const struct process *p)
{
    long next = s->now + 60000;
    if (p->state == STATE_BACKOFF || (p->state == STATE_STOPPING && !p->killed))
        next = sooner(next, p->due);
    if (p->state == STATE_STARTING && !p->ever_ready)
        next = sooner(next, p->since + p->ready_ms + 1);
    if (probe_wanted(p))
        next = sooner(next, p->probe >= 0 ? p->probe_until : p->probe_due);
    return next;
}
