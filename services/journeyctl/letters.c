#include "letters.h"

#include "database.h"
#include "domain/decode.h"
#include "domain/index.h"
#include "domain/repeats.h"
#include "operate.h"
#include "scan.h"
#include "stream.h"
#include "tenants.h"

#include <stdio.h>

#define NO_TENANT     "00000000-0000-0000-0000-000000000000"
#define LETTER_MEMORY ((size_t)64 << 20)

struct reading {
    const struct letters_filter *filter;
    int topic;
    struct arena *arena; /* of one letter */
    struct repeats *repeats;
    PGresult *actions;
    struct index by_place; /* "partition/offset/time" → row of actions */
    bool stopped;
};

int letters_filter_init(struct ctl *ctl, const struct args *args, struct letters_filter *filter)
{
    struct err err;
    struct tenant tenant = {0};
    const char *topic = args_get(args, "topic"), *name = args_get(args, "tenant");
    *filter = (struct letters_filter){.topic = -1, .reason = args_get(args, "reason")};
    int status = topic ? scan_topic_find(topic, &filter->topic) : CTL_DONE;
    if (status == CTL_DONE && topic)
        filter->topic |= TOPIC_DLQ;
    if (args_int(args, "partition", -1, 0, INT32_MAX, &filter->partition, &err) < 0 ||
        args_int(args, "offset", -1, 0, INT64_MAX, &filter->offset, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    if (status != CTL_DONE || !name)
        return status;
    status = tenant_find(ctl, name, &tenant);
    filter->tenant = tenant.id;
    return status;
}

/* ---- what was done with them ---- */

static int actions_load(struct ctl *ctl, struct reading *r)
{
    int status = database_query(
        ctl, &r->actions,
        "select format('%s/%s/%s', part, record_offset, (extract(epoch from record_time) * "
        "1000)::bigint), action from accounts.dlq_actions where topic = $1",
        1, topic_name(r->topic));
    for (int i = 0; status == CTL_DONE && i < PQntuples(r->actions); i++)
        if (index_put(&r->by_place, slice_str(PQgetvalue(r->actions, i, 0)), (uint32_t)i) < 0)
            status = ctl_fail(CTL_FAILED, "no memory");
    return status;
}

static const char *action_of(const struct reading *r, const struct bus_record *record)
{
    uint32_t row;
    const char *place =
        arena_printf(r->arena, "%d/%lld/%lld", record->partition, (long long)record->offset,
                     (long long)(record->time_us / 1000));
    return place && index_get(&r->by_place, slice_str(place), &row)
               ? PQgetvalue(r->actions, (int)row, 1)
               : NULL;
}

/* ---- one letter ---- */

static void *arena_take(void *data, size_t size)
{
    return arena_alloc(data, size);
}
static void arena_give(void *data, void *memory) {}

/* By its message, else by its key; what can be told of neither belongs to nobody. */
static void tenant_of(const struct reading *r, const struct bus_record *record,
                      char out[UUID_TEXT_SIZE])
{
    struct uuid uuid;
    ProtobufCAllocator allocator = {arena_take, arena_give, r->arena};
    const ProtobufCMessageDescriptor *type = decode_type(topic_info(r->topic)->message_type);
    ProtobufCMessage *message = NULL;
    if (type && record->value.data)
        message =
            protobuf_c_message_unpack(type, &allocator, record->value.size, record->value.data);
    struct slice id = message ? decode_tenant(message) : slice_make(NULL, 0);
    if (id.size == sizeof(uuid.bytes))
        uuid_format(out, id.data);
    else if (record->key.size >= UUID_TEXT_SIZE - 1 &&
             uuid_parse(&uuid, slice_make(record->key.data, UUID_TEXT_SIZE - 1)) == 0)
        uuid_format(out, uuid.bytes);
    else
        memcpy(out, NO_TENANT, UUID_TEXT_SIZE);
}

static struct slice header(const struct bus_record *record, const char *name)
{
    const struct bus_header *found = bus_record_header(record, name);
    return found ? found->value : slice_make(NULL, 0);
}

static bool fits(const struct letters_filter *filter, const struct letter *letter)
{
    const char *reason = filter->reason;
    if (filter->tenant && strcmp(filter->tenant, letter->tenant) != 0)
        return false;
    if (filter->partition >= 0 && filter->partition != letter->record->partition)
        return false;
    if (filter->offset >= 0 && filter->offset != letter->record->offset)
        return false;
    return !reason || slice_equal_str(letter->code, reason) ||
           (letter->reason.size > 0 &&
            memmem(letter->reason.data, letter->reason.size, reason, strlen(reason)));
}

static bool take_record(void *user, const struct bus_record *record)
{
    struct reading *r = user;
    struct stream_number number;
    struct slice id = header(record, "dlq-id");
    if (stream_number_parse(id, &number)) {
        enum repeats_answer answer =
            repeats_take(r->repeats, record->partition, number.producer, number.number);
        if (answer == REPEATS_REPEAT || answer == REPEATS_AHEAD)
            return true;
    }
    struct letter letter = {
        .record = record,
        .topic = r->topic,
        .code = header(record, "dlq-code"),
        .reason = header(record, "dlq-reason"),
        .service = header(record, "dlq-service"),
        .source = header(record, "dlq-source"),
        .done = action_of(r, record),
    };
    tenant_of(r, record, letter.tenant);
    if (fits(r->filter, &letter) && !r->filter->letter(r->filter->user, &letter))
        r->stopped = true;
    arena_reset(r->arena);
    return !r->stopped;
}

static int scan_topic(struct ctl *ctl, const struct letters_filter *filter, int topic,
                      bool *stopped)
{
    struct reading r = {.filter = filter, .topic = topic, .arena = arena_create(LETTER_MEMORY)};
    r.repeats = repeats_create(false);
    int status = r.arena && r.repeats ? actions_load(ctl, &r) : ctl_fail(CTL_FAILED, "no memory");
    if (status == CTL_DONE) {
        const struct scan scan = {
            .topic = topic, .until_end = true, .record = take_record, .user = &r};
        status = scan_run(ctl, &scan);
    }
    *stopped = r.stopped;
    PQclear(r.actions);
    index_deinit(&r.by_place);
    repeats_destroy(&r.repeats);
    arena_destroy(&r.arena);
    return status;
}

int letters_scan(struct ctl *ctl, const struct letters_filter *filter)
{
    bool stopped = false;
    int status = CTL_DONE;
    if (filter->topic >= 0)
        return scan_topic(ctl, filter, filter->topic, &stopped);
    for (int topic = 0; status == CTL_DONE && !stopped && topic < TOPIC_COUNT; topic++)
        status = scan_topic(ctl, filter, topic_dlq(topic), &stopped);
    return status;
}

/* ---- dlq list ---- */

static void print_json(const struct letter *letter)
{
    _cleanup_(buf_deinit) struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    const struct {
        const char *name;
        struct slice value;
    } texts[] = {
        {"topic", slice_str(topic_name(letter->topic))},
        {"reason", letter->code},
        {"detail", letter->reason},
        {"id", header(letter->record, "ce_id")},
        {"source", letter->source},
        {"service", letter->service},
        {"key", letter->record->key},
    };
    json_begin_object(&w);
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        json_key(&w, texts[i].name);
        json_write_slice(&w, texts[i].value);
    }
    json_key(&w, "partition");
    json_write_int(&w, letter->record->partition);
    json_key(&w, "offset");
    json_write_int(&w, letter->record->offset);
    json_key(&w, "time");
    json_write_time(&w, letter->record->time_us);
    json_key(&w, "tenant_id");
    json_write_str(&w, strcmp(letter->tenant, NO_TENANT) == 0 ? NULL : letter->tenant);
    json_key(&w, "state");
    json_write_str(&w, letter->done ? letter->done : "open");
    json_end_object(&w);
    printf("%s\n", (const char *)out.data);
}

static void print_line(const struct letter *letter)
{
    char time[TIME_TEXT_SIZE];
    struct slice id = header(letter->record, "ce_id");
    time_format(time, letter->record->time_us);
    printf("%s %d/%lld  %s  %-8s  %.*s: %.*s  (%.*s)\n", topic_name(letter->topic),
           letter->record->partition, (long long)letter->record->offset, time,
           letter->done ? letter->done : "open", (int)letter->code.size,
           letter->code.data ? (const char *)letter->code.data : "", (int)letter->reason.size,
           letter->reason.data ? (const char *)letter->reason.data : "", (int)id.size,
           id.data ? (const char *)id.data : "");
}

struct listing {
    bool json;
    int64_t limit, shown;
};

static bool list_letter(void *user, const struct letter *letter)
{
    struct listing *listing = user;
    if (listing->json)
        print_json(letter);
    else
        print_line(letter);
    return ++listing->shown != listing->limit;
}

int command_dlq_list(struct ctl *ctl, const struct args *args)
{
    struct err err;
    struct letters_filter filter;
    struct listing listing = {.json = args_has(args, "json")};
    if (args_int(args, "limit", 0, 1, INT64_MAX, &listing.limit, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    int status = letters_filter_init(ctl, args, &filter);
    filter.letter = list_letter;
    filter.user = &listing;
    if (status == CTL_DONE)
        status = letters_scan(ctl, &filter);
    if (status == CTL_DONE && listing.shown == 0)
        (void)fprintf(stderr, "no dead letters\n");
    return status;
}
