#include "rig.h"

#include "borrow.h"
#include "journey_state.h"
#include "topics.h"

#include <stdio.h>
#include <stdlib.h>

const uint8_t rig_tenant[16] = {1, 2, 3}, rig_user[16] = {4, 5, 6};

static int64_t rig_now(struct clock *clock)
{
    return ((struct rig *)(void *)clock)->now_us;
}

static void rig_observe(void *user, enum log_level level, const char *event, const char *fields)
{
    struct rig *rig = user;
    if (getenv("RIG_VERBOSE"))
        (void)fprintf(stderr, "%lld %s %s\n", (long long)rig->now_us, event, fields);
    if (level >= LOG_WARN)
        (void)snprintf(rig->stopped, sizeof(rig->stopped), "%s", event);
}

static struct store *open_twin(struct rig *rig)
{
    const struct store_table *tables[32];
    unsigned n = stream_tables(&journey_state_service, tables, 32);
    return store_mem_create(rig->db, tables, n);
}

static bool run_twin(struct rig *rig)
{
    return store_mem_step(rig->store);
}

static const struct rig_store_ops twin = {open_twin, run_twin};

static void begin(struct rig *rig)
{
    struct err err = {0};
    rig->bus = bus_mem_create(rig->cluster);
    rig->store = rig->store_ops->open(rig);
    const struct stream_options options = {.bus = rig->bus,
                                           .store = rig->store,
                                           .clock = &rig->clock,
                                           .user = rig,
                                           .observe = rig_observe};
    if (stream_create(&rig->stream, &journey_state_service, &options, &err) < 0)
        fail_msg("%s", err.message);
}

static void crash(struct rig *rig)
{
    store_destroy(&rig->store);
    stream_destroy(&rig->stream);
    bus_destroy(&rig->bus);
}

struct rig *rig_create(void)
{
    return rig_create_on(&twin, NULL);
}

struct rig *rig_create_on(const struct rig_store_ops *ops, void *user)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->store_ops = ops;
    rig->store_user = user;
    rig->clock.now_us = rig_now;
    rig->now_us = 1700000000 * SECOND_US;
    rig->cluster = bus_mem_cluster_create(RIG_PARTITIONS);
    rig->client = bus_mem_create(rig->cluster);
    rig->db = store_mem_db_create();
    rig->arena = arena_create((size_t)64 << 20);
    begin(rig);
    rig_settle(rig);
    return rig;
}

void rig_destroy(struct rig **rig)
{
    struct rig *r = *rig;
    crash(r);
    bus_destroy(&r->client);
    bus_mem_cluster_destroy(&r->cluster);
    store_mem_db_destroy(&r->db);
    arena_destroy(&r->arena);
    free(r);
    *rig = NULL;
}

void rig_restart(struct rig *rig)
{
    crash(rig);
    begin(rig);
    rig_settle(rig);
}

void rig_settle(struct rig *rig)
{
    struct bus_event event;
    for (int round = 0; round < 60; round++) {
        (void)stream_step(rig->stream);
        while (rig->store_ops->run(rig))
            (void)stream_step(rig->stream);
        while (bus_poll_control(rig->client, &event))
            bus_event_release(rig->client, &event);
        rig->now_us += 1000;
    }
}

void rig_pass(struct rig *rig, int64_t us)
{
    for (int64_t step = us / 20; us > 0; us -= step) {
        rig->now_us += min_i64(step, us);
        rig_settle(rig);
    }
}

/* ---- hearing ---- */

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *pointer) {}

const Journey__V1__Reply *rig_ask(struct rig *rig, const Journey__V1__Command *command)
{
    const char *correlation = arena_printf(rig->arena, "c%llu", (unsigned long long)rig->sent);
    (void)rig_last_reply(rig);
    rig_send(rig, TOPIC_COMMANDS_JOURNEY_STATE,
             topic_key(rig_tenant, slice_str(command->subject), rig->arena), &command->base,
             correlation);
    rig_settle(rig);
    const Journey__V1__Reply *reply = rig_last_reply(rig);
    /* an earlier one may be said again */
    return reply && strcmp(reply->correlation_id, correlation) == 0 ? reply : NULL;
}

const Journey__V1__Reply *rig_last_reply(struct rig *rig)
{
    const Journey__V1__Reply *reply = NULL;
    int64_t end = bus_mem_end(rig->cluster, TOPIC_REPLIES, 0);
    for (; rig->replies < end; rig->replies++) {
        const struct bus_record *r = bus_mem_record(rig->cluster, TOPIC_REPLIES, 0, rig->replies);
        ProtobufCAllocator allocator = {take, keep, rig->arena};
        reply = journey__v1__reply__unpack(&allocator, r->value.size, r->value.data);
        assert_non_null(reply);
    }
    return reply;
}

const char *rig_part(const Journey__V1__Reply *reply, const char *name)
{
    for (size_t i = 0; reply && i < reply->n_parts; i++)
        if (strcmp(reply->parts[i]->name, name) == 0)
            return reply->parts[i]->json;
    return "";
}

int rig_status(const Journey__V1__Reply *reply)
{
    if (!reply)
        return 0;
    return reply->problem ? reply->problem->status : reply->status;
}

const char *rig_code(const Journey__V1__Reply *reply)
{
    return reply && reply->problem ? reply->problem->code : "";
}

unsigned rig_touchpoints(struct rig *rig, const Journey__V1__Touchpoint *list[RIG_MAX])
{
    unsigned n = 0;
    for (int32_t p = 0; p < RIG_PARTITIONS; p++)
        for (int64_t o = 0; o < bus_mem_end(rig->cluster, TOPIC_TOUCHPOINTS, p); o++) {
            const struct bus_record *r = bus_mem_record(rig->cluster, TOPIC_TOUCHPOINTS, p, o);
            ProtobufCAllocator allocator = {take, keep, rig->arena};
            assert_true(n < RIG_MAX);
            list[n] = journey__v1__touchpoint__unpack(&allocator, r->value.size, r->value.data);
            assert_non_null(list[n]);
            n++;
        }
    return n;
}

const char *rig_changes(struct rig *rig, const char *session)
{
    struct buf buf = {0};
    for (int32_t p = 0; p < RIG_PARTITIONS; p++)
        for (int64_t o = 0; o < bus_mem_end(rig->cluster, TOPIC_STATES, p); o++) {
            const struct bus_record *r = bus_mem_record(rig->cluster, TOPIC_STATES, p, o);
            ProtobufCAllocator allocator = {take, keep, rig->arena};
            const Journey__V1__SessionState *s =
                journey__v1__session_state__unpack(&allocator, r->value.size, r->value.data);
            assert_non_null(s);
            if (strcmp(s->session_id, session) == 0)
                buf_printf(&buf, "%s%s", buf.size ? "," : "", s->change);
        }
    const char *text = arena_str(rig->arena, buf_slice(&buf));
    buf_deinit(&buf);
    return text;
}

unsigned rig_rows(struct rig *rig, const struct store_table *table,
                  const struct store_value *rows[RIG_MAX])
{
    return store_mem_rows(rig->db, table, rows, RIG_MAX);
}

const char *rig_member(struct rig *rig, const char *json, const char *dotted)
{
    const struct json_node *root;
    struct err err = {0};
    if (json_parse(&root, slice_str(json), rig->arena, &err) < 0)
        fail_msg("'%s': %s", json, err.message);
    const struct json_node *node = json_path(root, dotted);
    if (!node)
        return "(none)";
    return arena_str(rig->arena,
                     node->type == JSON_STRING ? json_string(node, rig->arena) : node->raw);
}

const char *rig_stage_of(struct rig *rig, const Journey__V1__Reply *reply)
{
    return rig_member(rig, rig_part(reply, "journey_state"), "current_stage");
}

unsigned rig_count(struct rig *rig, const struct store_table *table)
{
    const struct store_value *rows[RIG_MAX];
    return rig_rows(rig, table, rows);
}
