/* The database's and the log's own set-up: migrations, topics. */
#include "operate.h"

#include "database.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>

int command_migrate(struct ctl *ctl, const struct args *args)
{
    struct err err;
    _cleanup_(buf_deinit) struct buf report = {0};
    const char *folder =
        args->n_positional > 0 ? args->positional[0] : getenv("JOURNEY_MIGRATIONS");
    if (!folder || !*folder)
        folder = ctl_find_file(ctl, "migrations");
    if (!folder)
        return ctl_fail(CTL_FAILED, "where are the migrations? There is no folder `migrations` "
                                    "beside this program or here\n  say it: journeyctl migrate "
                                    "FOLDER, or set JOURNEY_MIGRATIONS");
    int status = database_place(ctl);
    if (status != CTL_DONE)
        return status;
    /* the tables of the stream services have a partition for each of the log's */
    const char *partitions = arena_printf(ctl->arena, "%d", ctl->place.partitions);
    if (!partitions || setenv("JOURNEY_PARTITIONS", partitions, 1) != 0)
        return ctl_fail(CTL_FAILED, "no memory");
    int migrated = store_pg_migrate(ctl->place.database_url, folder, &report, &err);
    if (report.size > 0)
        (void)fputs((const char *)report.data, stderr);
    return migrated < 0 ? ctl_fail_err("migrate", &err) : CTL_DONE;
}

int command_topics_create(struct ctl *ctl, const struct args *args)
{
    struct err err;
    int64_t replication;
    _cleanup_(buf_deinit) struct buf report = {0};
    if (args_int(args, "replication", 0, 1, 32, &replication, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    if (!ctl->place.brokers)
        return ctl_bus(ctl, -1); /* which says what is missing */
    int created = bus_kafka_create_topics(ctl->place.brokers, ctl->place.prefix,
                                          ctl->place.partitions, (int)replication, &report, &err);
    if (report.size > 0)
        (void)fputs((const char *)report.data, stderr);
    return created < 0 ? ctl_fail_err("topics", &err) : CTL_DONE;
}

static const char *kind_name(enum topic_kind kind)
{
    static const char *const names[] = {
        [TOPIC_KIND_EVENTS] = "events",       [TOPIC_KIND_IMPORTS] = "imports",
        [TOPIC_KIND_COMMANDS] = "commands",   [TOPIC_KIND_REPLIES] = "replies",
        [TOPIC_KIND_COMPACTED] = "compacted",
    };
    return names[kind];
}

/* Of a compacted topic the hours say how long a removal can still be read. */
static const char *retention(const struct topic_info *info, char out[40])
{
    bool days = info->retention_hours % 24 == 0;
    int n = days ? info->retention_hours / 24 : info->retention_hours;
    const char *unit = days ? "day" : "hour";
    if (info->kind == TOPIC_KIND_COMPACTED)
        (void)snprintf(out, 40, "latest of each key");
    else
        (void)snprintf(out, 40, "%d %s%s", n, unit, n == 1 ? "" : "s");
    return out;
}

int command_topics_list(struct ctl *ctl, const struct args *args)
{
    char kept[40];
    bool markdown = args_has(args, "markdown");
    const char *row =
        markdown ? "| `%s%s` | %s | %s | %s | %d | %s |\n" : "%s%-34s %-15s %-24s %-10s %10d  %s\n";
    if (markdown)
        printf("| topic | message | key | kind | partitions | kept |\n"
               "| --- | --- | --- | --- | --- | --- |\n");
    else
        printf("%-34s %-15s %-24s %-10s %10s  %s\n", "TOPIC", "MESSAGE", "KEY", "KIND",
               "PARTITIONS", "KEPT");
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        const struct topic_info *info = topic_info(topic);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of the two literals above */
        printf(row, ctl->place.prefix, info->name, info->message_type, info->key,
               kind_name(info->kind), ctl->place.partitions, retention(info, kept));
#pragma GCC diagnostic pop
    }
    printf("%sEach has its dead letters, <topic>.dlq, kept 14 days.\n", markdown ? "\n" : "");
    return CTL_DONE;
}
