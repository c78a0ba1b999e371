#include "world.h"
#include "broker.h"
#include "domain/mask.h"
#include "identifiers.h"
#include "keys.h"
#include "vault.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>

const uint8_t world_tenant[16] = {0xaa, 1};
const uint8_t world_hash_key[32] = {9, 8, 7};
const uint8_t world_other_tenant[16] = {0xbb, 2};
static const uint8_t deleted_tenant[16] = {0xcc, 3};

static struct store_value bytes(const void *data, size_t size)
{
    return (struct store_value){.s = slice_make(data, size)};
}

static struct store_value text(const char *s)
{
    return (struct store_value){.s = slice_str(s)};
}

static void on_written(struct store_commit *commit)
{
    assert_int_equal(commit->err.code, 0);
}

void world_write(struct world *world, struct store_commit *commit)
{
    bool fenced = false;
    commit->fenced = &fenced;
    commit->done = on_written;
    store_commit(world->store, commit);
    while (store_mem_step(world->store))
        ;
}

static void write_row(struct world *world, const struct store_table *table,
                      const struct store_value *values)
{
    const struct store_row row = {.table = table, .values = values};
    struct store_commit commit = {.rows = &row, .n_rows = 1};
    world_write(world, &commit);
}

static void add_key(struct world *world, const char *key, const uint8_t *tenant, const char *kind,
                    int64_t expires_us)
{
    uint8_t hash[32];
    hash_sha256(hash, slice_str(key));
    const struct store_value values[] = {
        bytes(hash, 32), bytes(tenant, 16), text(kind), {.null = expires_us == 0, .i = expires_us}};
    write_row(world, &keys_table, values);
}

void world_add_key(struct world *world, const char *key)
{
    add_key(world, key, world_tenant, "write", 0);
}

static void add_tenant(struct world *world, const uint8_t *tenant, const char *status)
{
    const struct store_value values[] = {bytes(tenant, 16), text(status),
                                         bytes(world_hash_key, 32)};
    write_row(world, &organizations_table, values);
}

void world_set(struct world *world, const uint8_t tenant[16], const char *key, const char *value)
{
    const struct store_value values[] = {bytes(tenant, 16), text(key), text(value)};
    write_row(world, &settings_table, values);
}

static int64_t later(struct clock *clock)
{
    const struct world *world =
        (const struct world *)((const char *)clock - offsetof(struct world, clock));
    int64_t now = world->frozen_us ? world->frozen_us : clock_system()->now_us(clock_system());
    return now + world->later_us;
}

static void fill_store(struct world *world)
{
    add_tenant(world, world_tenant, "active");
    add_tenant(world, world_other_tenant, "active");
    world_set(world, world_tenant, "rate_limit", "none");
    add_tenant(world, deleted_tenant, "deleted");
    add_key(world, WRITE_KEY, world_tenant, "write", 0);
    add_key(world, APP_KEY, world_tenant, "write", 0);
    add_key(world, SECRET_KEY, world_tenant, "secret", 0);
    add_key(world, OTHER_SECRET_KEY, world_other_tenant, "secret", 0);
    add_key(world, OTHER_WRITE_KEY, world_other_tenant, "write", 0);
    add_key(world, EXPIRED_KEY, world_tenant, "secret", SECOND_US);
    add_key(world, DELETED_KEY, deleted_tenant, "secret", 0);
}

static int open_bus(void *user, struct bus **bus, struct err *err)
{
    (void)err;
    *bus = bus_mem_create(((struct world *)user)->cluster);
    return 0;
}

void world_init(struct world *world, unsigned open_requests)
{
    const struct gateway_options options = {.http_address = "127.0.0.1",
                                            .http_connections = 100,
                                            .http_timeout_s = 10,
                                            .request_mb = 64,
                                            .send_queue_mb = 32,
                                            .http_address_connections = 100,
                                            .open_requests = open_requests,
                                            .deadline_ms = WORLD_DEADLINE_MS,
                                            .delivery_ms = 300,
                                            .master_key = WORLD_MASTER_KEY};
    struct err err = {0};
    log_setup("gateway", "test", LOG_ERROR);
    *world = (struct world){.base = event_base_new(),
                            .cluster = bus_mem_cluster_create(WORLD_PARTITIONS),
                            .db = store_mem_db_create(),
                            .metrics = metrics_create(),
                            .clock = {later},
                            .arena = arena_create((size_t)64 << 20)};
    world->bus = bus_mem_create(world->cluster);
    world->peer = bus_mem_create(world->cluster);
    world->store = store_mem_create(world->db, gateway_tables, n_gateway_tables);
    fill_store(world);
    const struct gateway_world given = {
        world->base, world->bus, world->store, world->metrics, &world->clock, entropy_system(),
        "test",      open_bus,   world,        NULL,           true,          NULL};
    if (gateway_create(&world->gateway, &given, &options, &err) < 0)
        fail_msg("gateway: %s", err.message);
}

void world_deinit(struct world *world)
{
    store_destroy(&world->store);
    gateway_destroy(&world->gateway);
    bus_destroy(&world->bus);
    bus_destroy(&world->peer);
    bus_mem_cluster_destroy(&world->cluster);
    store_mem_db_destroy(&world->db);
    metrics_destroy(&world->metrics);
    arena_destroy(&world->arena);
    event_base_free(world->base);
}

void world_turn(struct world *world)
{
    (void)event_base_loop(world->base, EVLOOP_NONBLOCK);
    while (!world->store_stuck && store_mem_step(world->store))
        ;
    while (broker_poll(world->gateway))
        ;
}

static void on_event(int fd, short what, void *user)
{
    (void)fd, (void)what, (void)user;
}

/* Waits until something happens, at fd too (-1: none); at most a millisecond, for the twins have no descriptor to wait for. */
static void wait_turn(struct world *world, int fd)
{
    static const struct timeval most = {0, 1000};
    struct event *event = event_new(world->base, fd, fd < 0 ? 0 : EV_READ, on_event, NULL);
    assert_non_null(event);
    assert_int_equal(event_add(event, &most), 0);
    (void)event_base_loop(world->base, EVLOOP_ONCE);
    event_free(event);
}

static int64_t now_us(void)
{
    return clock_system()->now_us(clock_system());
}

void world_turns(struct world *world, int64_t ms)
{
    int64_t until = now_us() + ms * 1000;
    while (now_us() < until) {
        world_turn(world);
        wait_turn(world, -1);
    }
}

static void send_bytes(struct world *world, int fd, struct slice s)
{
    while (s.size) {
        ssize_t n = send(fd, s.data, s.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            s = slice_make(s.data + n, s.size - (size_t)n);
        world_turn(world);
    }
}

static int connect_to(struct world *world)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(world->gateway->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

int world_send_bytes(struct world *world, struct slice request)
{
    int fd = connect_to(world);
    send_bytes(world, fd, request);
    return fd;
}

int world_send(struct world *world, const char *head, struct slice body)
{
    const char *rest = strstr(head, "\r\n");
    size_t line = rest ? (size_t)(rest - head) : strlen(head);
    int fd = connect_to(world);
    char *text = arena_printf(
        world->arena,
        "%.*s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu%s\r\n\r\n", (int)line,
        head, body.size, rest ? rest : "");
    send_bytes(world, fd, slice_str(text));
    send_bytes(world, fd, body);
    return fd;
}

/* Of an answer on a connection that stays open. */
static bool is_whole(const struct buf *got)
{
    const char *text = (const char *)got->data;
    const char *end = got->size ? strstr(text, "\r\n\r\n") : NULL;
    const char *length = end ? strstr(text, "Content-Length: ") : NULL;
    if (!end || (length && length > end))
        return false;
    size_t size = length ? (size_t)strtol(length + 16, NULL, 10) : 0;
    return got->size >= (size_t)(end + 4 - text) + size;
}

void world_receive(struct world *world, int fd, struct world_answer *answer)
{
    struct buf got = {0};
    for (int64_t until = now_us() + 3 * SECOND_US; now_us() < until;) {
        uint8_t piece[65536];
        world_turn(world);
        ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
        if (n == 0)
            break;
        if (n > 0)
            buf_append(&got, piece, (size_t)n);
        if (is_whole(&got))
            break;
        if (n < 0)
            wait_turn(world, fd);
    }
    close(fd);
    *answer =
        (struct world_answer){.status = 0, .body = arena_str(world->arena, SLICE_LITERAL(""))};
    const char *end = got.size ? strstr((char *)got.data, "\r\n\r\n") : NULL;
    if (end) {
        answer->status = (int)strtol((char *)got.data + 9, NULL, 10);
        (void)snprintf(answer->head, sizeof(answer->head), "%.*s", (int)(end - (char *)got.data),
                       (char *)got.data);
        answer->body = arena_str(world->arena, slice_str(end + 4));
    }
    buf_deinit(&got);
}

void world_ask(struct world *world, const char *head, const char *body, struct world_answer *answer)
{
    world_receive(world, world_send(world, head, slice_str(body)), answer);
}

const char *world_header(const struct world_answer *answer, const char *name)
{
    static char value[512];
    size_t size = strlen(name);
    for (const char *line = strstr(answer->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, size) == 0 && strncmp(line + size, ": ", 2) == 0) {
            (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + size + 2, "\r"),
                           line + size + 2);
            return value;
        }
    }
    return NULL;
}

const struct bus_record *world_take(struct world *world, int topic)
{
    for (int64_t until = now_us() + SECOND_US; now_us() < until;) {
        world_turn(world);
        for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
            int64_t *seen = &world->seen[topic & ~TOPIC_DLQ][p];
            if (topic & TOPIC_DLQ) {
                if (bus_mem_end(world->cluster, topic, p) > 0)
                    return bus_mem_record(world->cluster, topic, p, 0);
            } else if (*seen < bus_mem_end(world->cluster, topic, p)) {
                return bus_mem_record(world->cluster, topic, p, (*seen)++);
            }
        }
        wait_turn(world, -1);
    }
    return NULL;
}

Journey__V1__Command *world_command(struct world *world, int topic,
                                    const struct bus_record **record)
{
    *record = world_take(world, topic);
    assert_non_null(*record);
    Journey__V1__Command *command =
        journey__v1__command__unpack(NULL, (*record)->value.size, (*record)->value.data);
    assert_non_null(command);
    return command;
}

static void send_reply(struct world *world, const struct bus_record *command,
                       Journey__V1__Reply *reply)
{
    const struct bus_header *correlation = bus_record_header(command, "correlation-id");
    const struct bus_header *partition = bus_record_header(command, "reply-partition");
    struct err err = {0};
    assert_true(correlation && partition);
    size_t size = journey__v1__reply__get_packed_size(reply);
    uint8_t *value = arena_alloc(world->arena, size + 1);
    journey__v1__reply__pack(reply, value);
    const struct bus_header header = {"correlation-id", correlation->value};
    const struct bus_message message = {
        .topic = TOPIC_REPLIES,
        .partition = (int32_t)strtol(arena_str(world->arena, partition->value), NULL, 10),
        .value = slice_make(value, size),
        .headers = &header,
        .n_headers = 1};
    if (bus_send(world->peer, &message, &err) < 0)
        fail_msg("reply: %s", err.message);
}

static char *copy(struct world *world, const char *s)
{
    return arena_str(world->arena, slice_str(s));
}

void world_reply(struct world *world, const struct bus_record *command, const char *const *parts)
{
    world_reply_of(world, command, "journey-state", parts);
}

void world_reply_of(struct world *world, const struct bus_record *command, const char *service,
                    const char *const *parts)
{
    Journey__V1__Reply reply;
    Journey__V1__ReplyPart part[8], *list[8];
    journey__v1__reply__init(&reply);
    reply.service = copy(world, service);
    reply.parts = list;
    for (; parts[0]; parts += 2) {
        journey__v1__reply_part__init(&part[reply.n_parts]);
        part[reply.n_parts].name = copy(world, parts[0]);
        part[reply.n_parts].json = copy(world, parts[1]);
        list[reply.n_parts] = &part[reply.n_parts];
        reply.n_parts++;
    }
    send_reply(world, command, &reply);
}

void world_refuse(struct world *world, const struct bus_record *command, const char *service,
                  int status, const char *code, const char *detail)
{
    Journey__V1__Reply reply;
    Journey__V1__Problem problem;
    journey__v1__reply__init(&reply);
    journey__v1__problem__init(&problem);
    reply.service = copy(world, service);
    problem.status = status;
    problem.code = copy(world, code);
    problem.detail = copy(world, detail);
    reply.problem = &problem;
    send_reply(world, command, &reply);
}

double world_metric(struct world *world, const char *line)
{
    struct buf out = {0};
    double value = -1;
    metrics_render(world->metrics, &out);
    size_t size = strlen(line);
    for (const char *at = (const char *)out.data; at;
         at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        if (strncmp(at, line, size) == 0 && at[size] == ' ')
            value = strtod(at + size, NULL);
    buf_deinit(&out);
    return value;
}

double world_dead_letters(struct world *world)
{
    static const char name[] = "journey_dead_letters_total{";
    struct buf out = {0};
    double sum = 0;
    metrics_render(world->metrics, &out);
    for (const char *at = (const char *)out.data; (at = strstr(at, name)); at += sizeof(name))
        sum += strtod(strchr(at, '}') + 1, NULL);
    buf_deinit(&out);
    return sum;
}

struct gw_masker *world_masker(void)
{
    static struct gw_masker *masker;
    struct err err;
    if (!masker && gw_masker_create(&masker, &err) < 0)
        fail_msg("masker: %s", err.message);
    return masker;
}

int world_setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return -1;
    world_init(world, 100);
    *state = world;
    return 0;
}

int world_teardown(void **state)
{
    world_deinit(*state);
    free(*state);
    return 0;
}
