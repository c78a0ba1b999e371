/*
 * The benchmark's load generator: keep-alive connections over one epoll, requests at a rate or as fast as answers come.
 *
 *   at a rate: request k is due at start + k / rate, whether or not earlier ones were answered; its latency counts from
 *   then, so a server that stalls cannot hide it. As fast as possible: each connection sends again at once.
 *
 * Prints one JSON object. What it can do: load -h.
 */
#include "histogram.h"
#include "requests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    SLOW_US = 300000, /* after a kill: slower than this means that nobody answered */
    PATIENCE_US = 10000000,
};

static const char *const kind_names[REQUEST_KINDS] = {"events", "start", "stage"};

struct connection {
    int fd;
    bool busy;
    struct request request;
    size_t sent;
    int64_t due_us;
    char head[4096];
    size_t head_size, rest; /* rest: bytes of the answer's body still to come */
    bool in_body;
    int status;
};

struct load {
    struct requests requests;
    struct sockaddr_in address;
    double rate, seconds, limit, kill_after;
    double admin, backlog, decided, decided_before;
    int64_t asked_us;
    pid_t kill_pid;
    int kill_signal, epoll, timer;
    unsigned n_connections, idle;
    struct connection *connections;
    int64_t start_us, end_us, killed_us, recovered_us;
    uint64_t due, sent, answered, good, failed, events, bad_after_kill;
    struct histogram latency[REQUEST_KINDS];
    char failure[200];
};

static int64_t clock_us(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

static int64_t now_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

static void die(const char *what)
{
    (void)fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void connect_one(struct load *load, struct connection *c)
{
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&load->address, sizeof(load->address)) < 0)
        die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        die("epoll_ctl");
}

static void watch(const struct load *load, struct connection *c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->fd, &event) < 0)
        die("epoll_ctl");
}

static void write_rest(const struct load *load, struct connection *c)
{
    const struct buf *text = &c->request.text;
    bool waited = c->sent > 0;
    while (c->sent < text->size) {
        ssize_t n = write(c->fd, text->data + c->sent, text->size - c->sent);
        if (n < 0 && errno == EAGAIN) {
            watch(load, c, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n < 0)
            die("write");
        c->sent += (size_t)n;
    }
    if (waited)
        watch(load, c, EPOLLIN);
}

static void send_one(struct load *load, struct connection *c, int64_t due_us)
{
    if (requests_next(&load->requests, &c->request, clock_us(CLOCK_REALTIME)) < 0)
        die("memory");
    c->busy = true;
    c->sent = 0;
    c->due_us = due_us;
    c->head_size = c->rest = 0;
    c->in_body = false;
    load->idle--;
    load->sent++;
    write_rest(load, c);
}

/* ---- answers ---- */

static void answer(struct load *load, struct connection *c, int64_t now)
{
    int64_t took = now - c->due_us;
    bool good = c->status == 200;
    c->busy = false;
    load->idle++;
    load->answered++;
    histogram_add(&load->latency[c->request.kind], took);
    if (good) {
        load->good++;
        load->events += c->request.events;
    } else if (load->failed++ == 0) {
        (void)snprintf(load->failure, sizeof(load->failure), "%s answered %d",
                       kind_names[c->request.kind], c->status);
    }
    if (load->killed_us && c->due_us + took > load->killed_us && (!good || took > SLOW_US)) {
        load->recovered_us = max_i64(load->recovered_us, now);
        load->bad_after_kill++;
    }
}

/* The head's status and length; false: not all of it is there. */
static bool parse_head(struct connection *c, size_t *used)
{
    c->head[c->head_size] = '\0';
    const char *end = strstr(c->head, "\r\n\r\n");
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    if (!end)
        return false;
    c->status = (int)strtol(c->head + sizeof("HTTP/1.1"), NULL, 10);
    c->rest =
        length && length < end ? strtoul(length + sizeof("\r\ncontent-length:") - 1, NULL, 10) : 0;
    *used = (size_t)(end + 4 - c->head);
    return true;
}

static void read_answer(struct load *load, struct connection *c)
{
    char bytes[16384];
    ssize_t n = read(c->fd, bytes, sizeof(bytes));
    if (n < 0 && errno == EAGAIN)
        return;
    if (n == 0 && !c->busy) { /* it was idle for too long */
        (void)close(c->fd);
        connect_one(load, c);
        return;
    }
    if (n <= 0)
        die("the gateway closed a connection");
    size_t size = (size_t)n, at = 0;
    if (!c->in_body) {
        size_t before = c->head_size, used;
        size_t room = sizeof(c->head) - 1 - before;
        at = size < room ? size : room;
        memcpy(c->head + before, bytes, at);
        c->head_size += at;
        if (!parse_head(c, &used)) {
            if (c->head_size == sizeof(c->head) - 1)
                die("an answer's head is too long");
            return;
        }
        c->in_body = true;
        at = used - before;
    }
    c->rest -= size - at < c->rest ? size - at : c->rest;
    if (c->rest == 0 && c->busy)
        answer(load, c, now_us());
}

/* ---- how far behind journey-state is ---- */

/* What it has decided since it started, from its metrics; the last figure known when it does not answer. */
static double decided(const struct load *load)
{
    static const char question[] = "GET /metrics HTTP/1.0\r\n\r\n",
                      name[] = "\njourney_stream_messages_total ";
    char text[65536];
    size_t size = 0;
    struct sockaddr_in address = load->address;
    address.sin_port = htons((uint16_t)load->admin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
              write(fd, question, sizeof(question) - 1) > 0;
    for (ssize_t n = 1; ok && n > 0 && size<sizeof(text) - 1; size += n> 0 ? (size_t)n : 0)
        n = read(fd, text + size, sizeof(text) - 1 - size);
    close(fd);
    text[size] = '\0';
    const char *at = strstr(text, name);
    return at ? strtod(at + sizeof(name) - 1, NULL) : load->decided;
}

/* As fast as possible means: as fast as is decided. Else the log would take in far more, and what is measured would be how
 * a backlog is worked off, which is another thing: partition by partition, with the same sessions over and over. */
static bool too_far_ahead(struct load *load, int64_t now)
{
    if (load->admin && now - load->asked_us > 20000) {
        load->asked_us = now;
        load->decided = decided(load);
    }
    return load->admin &&
           (double)(load->sent * load->requests.batch) - (load->decided - load->decided_before) >
               load->backlog;
}

/* ---- when ---- */

static int64_t due_at(const struct load *load, uint64_t k)
{
    return load->start_us + (int64_t)((double)k * 1e6 / load->rate);
}

static void send_due(struct load *load, int64_t now)
{
    if (load->rate <= 0 && too_far_ahead(load, now))
        return;
    for (unsigned i = 0; i < load->n_connections && load->idle; i++) {
        struct connection *c = &load->connections[i];
        int64_t due = load->rate > 0 ? due_at(load, load->due) : now;
        if (due > now || due >= load->end_us || load->due >= (uint64_t)load->limit)
            break;
        if (c->busy)
            continue;
        load->due++;
        send_one(load, c, due);
    }
    int64_t due = load->rate > 0 ? due_at(load, load->due) : now;
    if (load->idle && load->rate > 0 && due < load->end_us) {
        struct itimerspec at = {
            .it_value = {.tv_sec = due / SECOND_US, .tv_nsec = due % SECOND_US * 1000 + 1}};
        (void)timerfd_settime(load->timer, TFD_TIMER_ABSTIME, &at, NULL);
    }
}

static void kill_when_due(struct load *load, int64_t now)
{
    if (load->kill_pid && !load->killed_us &&
        now - load->start_us > (int64_t)(load->kill_after * 1e6)) {
        load->killed_us = now;
        if (kill(load->kill_pid, load->kill_signal) < 0)
            die("kill");
    }
}

static void run(struct load *load)
{
    struct epoll_event events[256];
    int64_t now = load->start_us = now_us();
    load->end_us = now + (int64_t)(load->seconds * 1e6);
    while ((now < load->end_us && load->due < (uint64_t)load->limit) ||
           (load->idle < load->n_connections && now < load->end_us + PATIENCE_US)) {
        kill_when_due(load, now);
        if (now < load->end_us)
            send_due(load, now);
        int n = epoll_wait(load->epoll, events, ARRAY_SIZE(events), load->admin ? 2 : 20);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            uint64_t expired;
            if (!c) {
                ssize_t got = read(load->timer, &expired, sizeof(expired));
                (void)got; /* it only wakes */
                continue;
            }
            if (events[i].events & EPOLLOUT)
                write_rest(load, c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                read_answer(load, c);
        }
        now = now_us();
    }
    load->end_us = now;
}

static void print_result(const struct load *load)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double seconds = (double)(load->end_us - load->start_us) / 1e6;
    printf("{\"rate\":%.0f,\"seconds\":%.3f,\"requests\":%llu,\"unanswered\":%llu,\"failed\":%llu,"
           "\"events\":%llu,\"per_second\":%.1f,\"cpu_us\":%lld",
           load->rate, seconds, (unsigned long long)load->answered,
           (unsigned long long)(load->sent - load->answered), (unsigned long long)load->failed,
           (unsigned long long)load->events, (double)load->events / seconds,
           (long long)((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND_US +
                       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    if (load->failed)
        printf(",\"failure\":\"%s\"", load->failure);
    if (load->killed_us)
        printf(",\"outage_ms\":%.1f,\"slow_or_failed\":%llu",
               load->recovered_us ? (double)(load->recovered_us - load->killed_us) / 1e3 : 0.0,
               (unsigned long long)load->bad_after_kill);
    printf(",\"latency_ms\":{");
    const char *comma = "";
    for (int kind = 0; kind < REQUEST_KINDS; kind++) {
        const struct histogram *h = &load->latency[kind];
        if (!h->n)
            continue;
        printf("%s\"%s\":{\"n\":%llu,\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"p999\":%.2f,"
               "\"max\":%.2f}",
               comma, kind_names[kind], (unsigned long long)h->n,
               (double)histogram_percentile(h, 0.5) / 1e3,
               (double)histogram_percentile(h, 0.9) / 1e3,
               (double)histogram_percentile(h, 0.99) / 1e3,
               (double)histogram_percentile(h, 0.999) / 1e3, (double)h->max_us / 1e3);
        comma = ",";
    }
    printf("}}\n");
}

/* ---- options ---- */

static const char usage[] =
    "load --port N --write-key KEY [--secret-key KEY] [options]\n"
    "  --mode batch|single|commands   what is sent (batch)\n"
    "  --rate N          requests a second; 0: as fast as they are answered (0)\n"
    "  --seconds N       for how long (10)       --connections N   (16)\n"
    "  --limit N         at most so many requests   --batch N         events a request (100)\n"
    "  --visitors N      at the same time (5000)\n"
    "  --visit N         events of a visitor (20)\n"
    "  --lag N           starts between a session's start and its stage (250)\n"
    "  --population N    sessions that are there already, of which come\n"
    "  --returning N     of a hundred visitors and stages (10)\n"
    "  --extras N        in events: 1 personal data, 2 consent, 3 both\n"
    "  --seed N          of what is sent (1)     --run N           part of all ids (the time)\n"
    "  --admin PORT      journey-state's: with rate 0, never so far ahead of what it has decided:\n"
    "  --backlog N       events (24000)\n"
    "  --kill PID --signal N --after SECONDS     and say for how long answers failed or were "
    "slow\n";

/* Every option takes a value: a number or a text. */
static void parse(struct load *load, int argc, char **argv)
{
    struct requests *r = &load->requests;
    const char *mode = "batch";
    double port = 0, connections = load->n_connections, batch = r->batch, visit = r->visit_events,
           visitors = r->n_visitors, lag = r->lag, seed = 1, run_id = (double)time(NULL), pid = 0,
           kill_signal = SIGKILL, population = 0, returning = 10, extras = 0;
    const struct {
        const char *name;
        double *number;
        const char **text;
    } table[] = {
        {"port", &port, NULL},
        {"connections", &connections, NULL},
        {"batch", &batch, NULL},
        {"visit", &visit, NULL},
        {"visitors", &visitors, NULL},
        {"lag", &lag, NULL},
        {"population", &population, NULL},
        {"returning", &returning, NULL},
        {"extras", &extras, NULL},
        {"seed", &seed, NULL},
        {"run", &run_id, NULL},
        {"kill", &pid, NULL},
        {"signal", &kill_signal, NULL},
        {"after", &load->kill_after, NULL},
        {"rate", &load->rate, NULL},
        {"seconds", &load->seconds, NULL},
        {"limit", &load->limit, NULL},
        {"admin", &load->admin, NULL},
        {"backlog", &load->backlog, NULL},
        {"mode", NULL, &mode},
        {"write-key", NULL, &r->write_key},
        {"secret-key", NULL, &r->secret_key},
    };
    for (int i = 1; i < argc; i += 2) {
        const char *name = strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : "";
        unsigned k = 0;
        while (k < ARRAY_SIZE(table) && strcmp(name, table[k].name) != 0)
            k++;
        if (k == ARRAY_SIZE(table) || i + 1 == argc) {
            (void)fputs(usage, stderr);
            exit(2);
        }
        if (table[k].text)
            *table[k].text = argv[i + 1];
        else
            *table[k].number = strtod(argv[i + 1], NULL);
    }
    r->mode = strcmp(mode, "single") == 0     ? REQUEST_SINGLE
              : strcmp(mode, "commands") == 0 ? REQUEST_COMMANDS
                                              : REQUEST_BATCH;
    load->address.sin_port = htons((uint16_t)port);
    load->n_connections = (unsigned)connections;
    r->batch = (unsigned)batch;
    r->visit_events = (unsigned)visit;
    r->n_visitors = (unsigned)visitors;
    r->lag = (unsigned)lag;
    r->population = (uint64_t)population;
    r->returning = (unsigned)returning;
    r->extras = (unsigned)extras;
    r->random.state = (uint64_t)seed;
    r->run = (unsigned)run_id;
    load->kill_pid = (pid_t)pid;
    load->kill_signal = (int)kill_signal;
    if (!load->address.sin_port || !r->write_key || !r->batch || !r->n_visitors ||
        !r->visit_events || (r->mode == REQUEST_COMMANDS && !r->secret_key)) {
        (void)fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct load load;
    load = (struct load){
        .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
        .seconds = 10,
        .limit = 1e15,
        .backlog = 24000, /* each service has up to two batches of many hundred under way */
        .n_connections = 16,
        .kill_signal = SIGKILL,
        .requests = {.batch = 100,
                     .n_visitors = 5000,
                     .visit_events = 20,
                     .lag = 250,
                     .run = (unsigned)time(NULL),
                     .random = {1}}};
    parse(&load, argc, argv);
    (void)signal(SIGPIPE, SIG_IGN);
    load.connections = calloc(load.n_connections, sizeof(*load.connections));
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (!load.connections || load.epoll < 0 || requests_init(&load.requests) < 0 ||
        epoll_ctl(load.epoll, EPOLL_CTL_ADD, load.timer, &event) < 0)
        die("setting up");
    for (unsigned i = 0; i < load.n_connections; i++)
        connect_one(&load, &load.connections[i]);
    load.idle = load.n_connections;
    load.decided = load.decided_before = load.admin ? decided(&load) : 0;
    run(&load);
    print_result(&load);
    for (unsigned i = 0; i < load.n_connections; i++) {
        close(load.connections[i].fd);
        request_deinit(&load.connections[i].request);
    }
    free(load.connections);
    requests_deinit(&load.requests);
    return load.sent > load.answered;
}
