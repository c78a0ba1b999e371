/* The map of the program: one loop in which everything happens. */
#include "supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void children_reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < s->n; i++)
            if (s->processes[i].pid == pid)
                process_died(s, &s->processes[i], status);
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
        long due = process_due(s, &s->processes[i]);
        next = due < next ? due : next;
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

void supervise(struct supervisor *s)
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
