/*
 * Output of each process -> pipe -> DIR/log/NAME.log, rotated once; DIR/status, replaced whole at each change, a line per
 * process, fields separated by tabs: name pid port state restarts.
 */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_LIMIT  (16L << 20) /* the file before it is kept: 32 MiB a process at most */
#define TAIL_LINES 25

void log_open(struct supervisor *s, struct process *p)
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

void log_say(struct supervisor *s, struct process *p, const char *format, ...)
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
void output_read(struct supervisor *s, struct process *p)
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

void log_tail(const char *dir, const char *name)
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

void status_write(struct supervisor *s)
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
