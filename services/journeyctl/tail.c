/*
 * tail: a topic's records of one tenant as JSON, a line each.
 *
 *     record ──► seen before? (its producer's number) ──► whose? ──► decoded by the topic's type ──► stdout
 */
#include "decode.h"
#include "domain/repeats.h"
#include "operate.h"
#include "scan.h"
#include "stream.h"
#include "tenants.h"

#include <stdio.h>

#define RECORD_MEMORY ((size_t)64 << 20)

struct tail {
    const struct tenant *tenant; /* NULL: of all */
    int topic;
    const ProtobufCMessageDescriptor *type;
    struct repeats *repeats;
    struct arena *arena; /* of one record */
    struct buf line;
    int64_t limit, shown;
    bool full; /* more producers than can be told apart */
};

static void *arena_take(void *data, size_t size)
{
    return arena_alloc(data, size);
}
static void arena_give(void *data, void *memory) {}

/* A record without a number (the gateway's, an operator's) is always new: its message ids tell repeats. */
static bool is_new(struct tail *tail, const struct bus_record *record)
{
    struct stream_number number;
    const struct bus_header *id =
        bus_record_header(record, tail->topic & TOPIC_DLQ ? "dlq-id" : "ce_id");
    if (!id || !stream_number_parse(id->value, &number))
        return true;
    enum repeats_answer answer =
        repeats_take(tail->repeats, record->partition, number.producer, number.number);
    tail->full |= answer == REPEATS_FULL;
    return answer == REPEATS_TAKE || answer == REPEATS_FULL;
}

static bool is_wanted(const struct tail *tail, const struct bus_record *record,
                      const ProtobufCMessage *message)
{
    if (!tail->tenant)
        return true;
    struct slice id = message ? decode_tenant(message) : slice_make(NULL, 0);
    if (id.size == sizeof(tail->tenant->uuid.bytes))
        return memcmp(id.data, tail->tenant->uuid.bytes, id.size) == 0;
    /* what says nothing of a tenant may still be keyed by one */
    size_t size = strlen(tail->tenant->id);
    return record->key.size >= size && memcmp(record->key.data, tail->tenant->id, size) == 0;
}

static void write_place(const struct bus_record *record, struct json_writer *w)
{
    const struct bus_header *id = bus_record_header(record, "ce_id");
    json_key(w, "record");
    json_begin_object(w);
    json_key(w, "partition");
    json_write_int(w, record->partition);
    json_key(w, "offset");
    json_write_int(w, record->offset);
    json_key(w, "time");
    json_write_time(w, record->time_us);
    json_key(w, "key");
    json_write_slice(w, record->key);
    json_key(w, "id");
    if (id)
        json_write_slice(w, id->value);
    else
        json_write_null(w);
    json_end_object(w);
}

static void print_record(struct tail *tail, const struct bus_record *record,
                         const ProtobufCMessage *message)
{
    buf_reset(&tail->line);
    struct json_writer w = json_writer_make(&tail->line);
    json_begin_object(&w);
    if (message) {
        decode_members(message, &w, tail->arena);
    } else {
        json_key(&w, record->value.data ? "undecodable" : "removed");
        json_write_bool(&w, true);
    }
    write_place(record, &w);
    json_end_object(&w);
    if (arena_overflowed(tail->arena) || tail->line.overflow) {
        (void)ctl_fail(CTL_FAILED, "partition %d, offset %lld is too large to be shown",
                       record->partition, (long long)record->offset);
        return;
    }
    (void)fwrite(tail->line.data, 1, tail->line.size, stdout);
    (void)putchar('\n');
}

static bool take_record(void *user, const struct bus_record *record)
{
    struct tail *tail = user;
    ProtobufCAllocator allocator = {arena_take, arena_give, tail->arena};
    ProtobufCMessage *message = NULL;
    if (!is_new(tail, record))
        return true;
    if (record->value.data)
        message = protobuf_c_message_unpack(tail->type, &allocator, record->value.size,
                                            record->value.data);
    if (is_wanted(tail, record, message)) {
        print_record(tail, record, message);
        tail->shown++;
    }
    arena_reset(tail->arena);
    return tail->limit == 0 || tail->shown < tail->limit;
}

static void flush(void *user)
{
    (void)fflush(stdout);
}

static int tail_run(struct ctl *ctl, const struct args *args, struct tail *tail)
{
    const struct scan scan = {
        .topic = tail->topic,
        .only_new = args_has(args, "only-new"),
        .until_end = args_has(args, "until-end"),
        .record = take_record,
        .idle = flush,
        .user = tail,
    };
    int status = scan_run(ctl, &scan);
    if (tail->full)
        (void)fprintf(stderr,
                      "journeyctl: more producers than can be told apart: some records may be "
                      "shown twice\n");
    if (status == CTL_DONE && scan.until_end && repeats_holes(tail->repeats) > 0)
        status = ctl_fail(CTL_UNAVAILABLE,
                          "%u producers are about to say something again: what was shown is not "
                          "all of it, try again",
                          repeats_holes(tail->repeats));
    return status;
}

int command_tail(struct ctl *ctl, const struct args *args)
{
    struct err err;
    struct tenant tenant = {0};
    struct tail tail = {0};
    const char *name = args_get(args, "tenant");
    int status = scan_topic_find(args->positional[0], &tail.topic);
    if (status != CTL_DONE)
        return status;
    if (!name && !args_has(args, "all-tenants"))
        return ctl_fail(CTL_USAGE, "whose records? --tenant NAME, or --all-tenants");
    if (args_int(args, "limit", 0, 1, INT64_MAX, &tail.limit, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    tail.type = decode_type(topic_info(tail.topic)->message_type);
    if (!tail.type)
        return ctl_fail(CTL_FAILED, "this release cannot decode %s",
                        topic_info(tail.topic)->message_type);
    if (name) {
        status = tenant_find(ctl, name, &tenant);
        tail.tenant = &tenant;
    }
    tail.arena = arena_create(RECORD_MEMORY);
    bool compacted = topic_info(tail.topic)->kind == TOPIC_KIND_COMPACTED;
    tail.repeats = repeats_create(compacted && !(tail.topic & TOPIC_DLQ));
    if (status == CTL_DONE && (!tail.arena || !tail.repeats))
        status = ctl_fail(CTL_FAILED, "no memory");
    if (status == CTL_DONE)
        status = tail_run(ctl, args, &tail);
    repeats_destroy(&tail.repeats);
    arena_destroy(&tail.arena);
    buf_deinit(&tail.line);
    return status;
}
