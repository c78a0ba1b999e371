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
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

void die(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)fputs("supervisor: ", stderr);
    (void)vfprintf(stderr, format, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    exit(2);
}

void path_in(char path[PATH_MAX], const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(path, PATH_MAX, format, ap);
    va_end(ap);
    if (n < 0 || n >= PATH_MAX)
        die("path too long: %s", path);
}

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

static volatile sig_atomic_t starting; /* the supervisor whose start is waited for */

/* Ctrl-C while it starts: it stops all again, and we go on waiting until it has. */
static void start_interrupted(int signal_number)
{
    (void)signal_number;
    (void)kill((pid_t)starting, SIGTERM);
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
    starting = pid;
    const struct sigaction stop = {.sa_handler = start_interrupted};
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGHUP, &stop, NULL);
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
