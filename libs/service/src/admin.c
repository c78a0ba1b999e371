/* The admin HTTP server, and what the process uses of the machine as metrics. */
#include "internal.h"
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* USAGE(id, type, name, help) */
#define USAGE_TABLE(USAGE)                                                                         \
    USAGE(CPU, COUNTER, "process_cpu_seconds_total", "user and system time")                       \
    USAGE(MEMORY, GAUGE, "process_resident_memory_bytes", "resident memory")                       \
    USAGE(VIRTUAL, GAUGE, "process_virtual_memory_bytes", "virtual memory")                        \
    USAGE(FDS, GAUGE, "process_open_fds", "open file descriptors")                                 \
    USAGE(MAX_FDS, GAUGE, "process_max_fds", "the limit on file descriptors")                      \
    USAGE(START, GAUGE, "process_start_time_seconds", "when it started, since 1970")               \
    USAGE(READ, COUNTER, "process_disk_read_bytes_total", "bytes read from disks")                 \
    USAGE(WRITTEN, COUNTER, "process_disk_written_bytes_total", "bytes written to disks")          \
    USAGE(RECEIVED, COUNTER, "machine_network_received_bytes_total", "of its network namespace")   \
    USAGE(SENT, COUNTER, "machine_network_sent_bytes_total", "of its network namespace")

enum usage {
#define USAGE_ENUM(id, ...) USAGE_##id,
    USAGE_TABLE(USAGE_ENUM)
#undef USAGE_ENUM
    USAGE_COUNT
};

struct service_usage {
    struct metric *metrics[USAGE_COUNT];
};

struct service_usage *service_usage_create(struct metrics *metrics)
{
    struct service_usage *usage = calloc(1, sizeof(*usage));
    if (!usage)
        return NULL;
#define USAGE_ADD(id, type, name, help)                                                            \
    usage->metrics[USAGE_##id] = metrics_add(metrics, METRIC_##type, name, NULL, help, NULL, 0);
    USAGE_TABLE(USAGE_ADD)
#undef USAGE_ADD
    metric_set(usage->metrics[USAGE_START], (double)time(NULL));
    return usage;
}

void service_usage_destroy(struct service_usage **usage)
{
    free(*usage);
    *usage = NULL;
}

static void read_memory(struct service_usage *usage)
{
    unsigned long long pages, resident;
    double page = (double)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%llu %llu", &pages, &resident) == 2) {
        metric_set(usage->metrics[USAGE_VIRTUAL], (double)pages * page);
        metric_set(usage->metrics[USAGE_MEMORY], (double)resident * page);
    }
    if (file)
        (void)fclose(file); /* only read */
}

static void read_descriptors(struct service_usage *usage)
{
    struct rlimit limit;
    double n = -3; /* ".", ".." and the folder itself */
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        n++;
    if (folder) {
        closedir(folder);
        metric_set(usage->metrics[USAGE_FDS], n);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(usage->metrics[USAGE_MAX_FDS], (double)limit.rlim_cur);
}

static void read_disk(struct service_usage *usage)
{
    char line[128];
    unsigned long long bytes;
    FILE *file = fopen("/proc/self/io", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "read_bytes: %llu", &bytes) == 1)
            metric_set(usage->metrics[USAGE_READ], (double)bytes);
        else if (sscanf(line, "write_bytes: %llu", &bytes) == 1)
            metric_set(usage->metrics[USAGE_WRITTEN], (double)bytes);
    }
    if (file)
        (void)fclose(file);
}

static void read_network(struct service_usage *usage)
{
    char line[512], name[64];
    double received = 0, sent = 0;
    unsigned long long in, out;
    FILE *file = fopen("/proc/self/net/dev", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, " %63[^:]: %llu %*u %*u %*u %*u %*u %*u %*u %llu", name, &in, &out) == 3) {
            received += (double)in;
            sent += (double)out;
        }
    }
    if (file)
        (void)fclose(file);
    metric_set(usage->metrics[USAGE_RECEIVED], received);
    metric_set(usage->metrics[USAGE_SENT], sent);
}

static void usage_read(struct service_usage *usage)
{
    struct rusage spent;
    if (getrusage(RUSAGE_SELF, &spent) == 0)
        metric_set(usage->metrics[USAGE_CPU],
                   (double)(spent.ru_utime.tv_sec + spent.ru_stime.tv_sec) +
                       (double)(spent.ru_utime.tv_usec + spent.ru_stime.tv_usec) / 1e6);
    read_memory(usage);
    read_descriptors(usage);
    read_disk(usage);
    read_network(usage);
}

/* ---- the server ---- */

static void answer_ready(struct service_admin *admin, struct http_request *request)
{
    const char *why = NULL;
    char reason[300];
    if (service_process_ready(admin->process, &why)) {
        http_respond(request, 200, "application/json", SLICE_LITERAL("{\"status\":\"ready\"}\n"));
        return;
    }
    char *text =
        arena_printf(http_request_arena(request), "{\"status\":\"not_ready\",\"reason\":\"%s\"}\n",
                     log_escape(reason, sizeof(reason), why ? why : "starting"));
    http_respond(request, 503, "application/json", slice_str(text));
}

static void answer_metrics(struct service_admin *admin, struct http_request *request)
{
    struct buf text _cleanup_(buf_deinit) = {0};
    usage_read(admin->usage);
    metrics_render(admin->metrics, &text);
    http_respond(request, 200, "text/plain; version=0.0.4", buf_slice(&text));
}

static void handle(struct http_request *request, void *user)
{
    struct service_admin *admin = user;
    struct slice path = http_request_path(request);
    bool reads = http_request_method(request) & (HTTP_GET | HTTP_HEAD);
    if (!reads)
        http_respond(request, 405, NULL, slice_make(NULL, 0));
    else if (slice_equal_str(path, "/livez"))
        http_respond(request, 200, "application/json", SLICE_LITERAL("{\"status\":\"live\"}\n"));
    else if (slice_equal_str(path, "/readyz"))
        answer_ready(admin, request);
    else if (slice_equal_str(path, "/metrics"))
        answer_metrics(admin, request);
    else
        http_respond(request, 404, NULL, slice_make(NULL, 0));
}

int service_admin_setup(struct service_admin *admin, struct event_base *base,
                        const struct service_config *config, struct err *err)
{
    admin->usage = service_usage_create(admin->metrics);
    if (!admin->usage)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for metrics");
    struct http_server_options options = {
        .address = config->admin_address,
        .port = (uint16_t)config->admin_port,
        .header_limit = 8192,
        .body_limit = 1024,
        .timeout_s = 10,
        .connection_limit = 64,
        .user = admin,
        .handle = handle,
    };
    return http_server_create(&admin->server, base, &options, err);
}

void service_admin_teardown(struct service_admin *admin)
{
    http_server_destroy(&admin->server);
    service_usage_destroy(&admin->usage);
}
