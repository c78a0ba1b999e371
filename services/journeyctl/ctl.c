/* Where the installation is, and the connections to it. */
#include "ctl.h"

#include "database.h"
#include "domain/envfile.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MEMORY_LIMIT        ((size_t)256 << 20)
#define DELIVERY_TIMEOUT_MS 10000 /* a person waits: a broker that is down so long is an answer */

int ctl_fail(enum ctl_exit status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fputs("journeyctl: ", stderr);
    (void)vfprintf(stderr, format, list);
    (void)fputc('\n', stderr);
    va_end(list);
    return status;
}

int ctl_fail_err(const char *tried, const struct err *err)
{
    bool transient = err->class == ERR_CLASS_TRANSIENT;
    return ctl_fail(transient ? CTL_UNAVAILABLE : CTL_FAILED, "%s: %s%s", tried, err->message,
                    transient ? "\n  is the installation running? (make status)" : "");
}

/* ---- where it is ---- */

static void read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    char chunk[4096];
    size_t size;
    while ((size = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_append(out, chunk, size);
    (void)fclose(file);
}

struct place_source {
    struct ctl *ctl;
    struct buf file; /* of the run directory, or empty */
};

static const char *place_get(struct place_source *source, const char *name)
{
    const char *value = getenv(name);
    if (value && *value)
        return value;
    _cleanup_(buf_deinit) struct buf text = {0};
    if (!envfile_get(buf_slice(&source->file), name, &text))
        return NULL;
    return arena_str(source->ctl->arena, buf_slice(&text));
}

static int place_init(struct ctl *ctl)
{
    struct ctl_place *place = &ctl->place;
    struct place_source source = {.ctl = ctl};
    const char *run = getenv("JOURNEY_RUN_DIR");
    read_file(arena_printf(ctl->arena, "%s/env", run && *run ? run : "run"), &source.file);
    if (!run && source.file.size == 0) {
        const char *found = ctl_find_file(ctl, "run/env");
        read_file(found ? found : "", &source.file);
    }
    place->brokers = place_get(&source, "KAFKA_BROKERS");
    place->database_url = place_get(&source, "DATABASE_URL");
    place->http_port = place_get(&source, "JOURNEY_HTTP_PORT");
    place->prefix = place_get(&source, "JOURNEY_TOPIC_PREFIX");
    place->master_key = place_get(&source, "JOURNEY_MASTER_KEY");
    place->master_key_file = place_get(&source, "JOURNEY_MASTER_KEY_FILE");
    const char *partitions = place_get(&source, "JOURNEY_PARTITIONS");
    buf_deinit(&source.file);
    int64_t n = 16;
    if (partitions && (args_number(partitions, &n) < 0 || n < 1 || n > 1024))
        return ctl_fail(CTL_USAGE, "JOURNEY_PARTITIONS is 1 to 1024, not '%s'", partitions);
    place->partitions = (int32_t)n;
    place->prefix = place->prefix ? place->prefix : "";
    return CTL_DONE;
}

const char *ctl_find_file(struct ctl *ctl, const char *name)
{
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    for (program[size > 0 ? size : 0] = '\0'; *program;) {
        char *slash = strrchr(program, '/');
        if (!slash)
            break;
        *slash = '\0';
        const char *path = arena_printf(ctl->arena, "%s/%s", program, name);
        if (path && access(path, R_OK) == 0)
            return path;
    }
    return access(name, R_OK) == 0 ? name : NULL;
}

const char *ctl_actor(void)
{
    const struct passwd *user = getpwuid(geteuid());
    return user ? user->pw_name : "operator";
}

/* ---- set up and down ---- */

int ctl_init(struct ctl *ctl)
{
    *ctl = (struct ctl){.arena = arena_create(MEMORY_LIMIT)};
    if (!ctl->arena)
        return ctl_fail(CTL_FAILED, "no memory");
    return place_init(ctl);
}

void ctl_deinit(struct ctl *ctl)
{
    bus_destroy(&ctl->bus);
    database_close(ctl);
    arena_destroy(&ctl->arena);
}

int ctl_bus(struct ctl *ctl, int send_topic)
{
    struct err err;
    if (ctl->bus)
        return CTL_DONE;
    if (!ctl->place.brokers)
        return ctl_fail(CTL_USAGE,
                        "where is Kafka? KAFKA_BROKERS is not set and there is no run/env\n"
                        "  start the engine here (make up), or: export KAFKA_BROKERS=host:9092");
    const struct bus_kafka_options options = {
        .brokers = ctl->place.brokers,
        .client_id = "journeyctl",
        .prefix = ctl->place.prefix,
        .partitions = ctl->place.partitions,
        .delivery_timeout_ms = DELIVERY_TIMEOUT_MS,
        .send_topics = &send_topic,
        .n_send_topics = send_topic >= 0,
    };
    if (bus_kafka_create(&ctl->bus, &options, &err) < 0)
        return ctl_fail_err("Kafka", &err);
    return CTL_DONE;
}
