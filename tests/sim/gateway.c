/* Clients: what gateways put into the log, and what is to become of it. */
#include "sim.h"

#include "journey/v1/event.pb-c.h"
#include "journey/v1/settings.pb-c.h"

#include <stdio.h>

char *gateway_text(struct sim *sim, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return arena_str(sim->arena, slice_str(text));
}

static ProtobufCBinaryData bytes16(struct sim *sim, uint8_t a, uint8_t b, uint8_t c)
{
    const uint8_t id[16] = {a, b, c, 4, 5};
    return (ProtobufCBinaryData){16, arena_copy(sim->arena, id, 16)};
}

ProtobufCBinaryData gateway_tenant(struct sim *sim, unsigned number)
{
    return bytes16(sim, 7, (uint8_t)number, 1);
}

ProtobufCBinaryData gateway_device(struct sim *sim, unsigned tenant, unsigned number)
{
    return bytes16(sim, (uint8_t)number, (uint8_t)tenant, 2);
}

ProtobufCBinaryData gateway_user(struct sim *sim, unsigned tenant, unsigned number)
{
    return bytes16(sim, (uint8_t)number, (uint8_t)tenant, 9);
}

struct slice gateway_device_key(struct sim *sim, unsigned tenant, unsigned device)
{
    char text[33];
    ProtobufCBinaryData id = gateway_device(sim, tenant, device);
    hex_format(text, id.data, id.len);
    return topic_key(gateway_tenant(sim, tenant).data, slice_str(text), sim->arena);
}

static void send_bytes(struct sim *sim, int topic, struct slice key, struct slice value,
                       const char *correlation)
{
    char id[32], partition[4];
    (void)snprintf(id, sizeof(id), "g-%llu", (unsigned long long)++sim->gateway_ids);
    (void)snprintf(partition, sizeof(partition), "%d",
                   (int)(sim->gateway_ids % (uint64_t)sim->partitions));
    const struct bus_header headers[] = {{"ce_id", slice_str(id)},
                                         {"reply-partition", slice_str(partition)},
                                         {"correlation-id", slice_str(correlation)}};
    const struct bus_message message = {.topic = topic,
                                        .partition = topic_partition(key, sim->partitions),
                                        .key = key,
                                        .value = value,
                                        .headers = headers,
                                        .n_headers = correlation ? 3 : 1};
    struct mem_entry *entry = bus_mem_entry_create(&message);
    bus_mem_log_append(sim->cluster, entry);
    story(sim, "gateway: %s to %s/%d at %lld", correlation ? correlation : id, topic_name(topic),
          message.partition, (long long)entry->record.offset);
}

void gateway_send(struct sim *sim, int topic, struct slice key, const ProtobufCMessage *message,
                  const char *correlation)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *value = arena_alloc(sim->arena, size + 1);
    protobuf_c_message_pack(message, value);
    send_bytes(sim, topic, key, slice_make(value, size), correlation);
}

/* ---- events ---- */

static const struct {
    const char *name;
    bool order;
} names[] = {{"Product Viewed", false},      {"Product Added", false},    {"Order Completed", true},
             {"Newsletter Read", false},     {"Checkout Started", false}, {"Order Completed", true},
             {"Product List Viewed", false}, {"Video Played", false}};

static int64_t time_of(int64_t at_us, struct random *random)
{
    switch (below(random, 40)) {
    case 0:
        return at_us - 4 * DAY_US;
    case 1:
        return at_us + HOUR_US;
    case 2:
    case 3:
    case 4:
        return 0;
    default:
        return at_us - (int64_t)below(random, below(random, 3) ? 5 * SECOND_US : 10 * MINUTE_US);
    }
}

/* Another device whose events go to the same partition. */
static uint8_t device_beside(struct sim *sim, unsigned tenant, uint8_t device, uint64_t wanted)
{
    int32_t partition = topic_partition(gateway_device_key(sim, tenant, device), sim->partitions);
    int32_t other =
        topic_partition(gateway_device_key(sim, tenant, (unsigned)wanted), sim->partitions);
    return other == partition ? (uint8_t)wanted : device;
}

static Journey__V1__Event *make_event(struct sim *sim, struct action *action, unsigned i,
                                      uint8_t device, struct random *random)
{
    struct event_fate *fate = &action->events[i];
    Journey__V1__Event *event = arena_alloc(sim->arena, sizeof(*event));
    unsigned name = (unsigned)below(random, ARRAY_SIZE(names));
    bool named = below(random, 5) < 2;
    unsigned session = (unsigned)below(random, SESSIONS);
    uint64_t wrong = below(random, 60), order = below(random, 10);
    journey__v1__event__init(event);
    fate->device = device_beside(sim, action->tenant, device, below(random, DEVICES));
    fate->unusable = wrong < 2;
    fate->name = names[name].name;
    fate->order = names[name].order ? gateway_text(sim, "o%llu", (unsigned long long)order) : "";
    event->type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    event->name = gateway_text(sim, "%s", wrong == 0 ? "" : fate->name);
    event->message_id = gateway_text(sim, "e%u-%u", (unsigned)(action - sim->plan->actions), i);
    if (wrong != 1)
        event->device = gateway_device(sim, action->tenant, fate->device);
    fate->session = named ? gateway_text(sim, "s%u", session) : "";
    event->session_id = gateway_text(sim, "%s", fate->session);
    if (below(random, 3) == 0)
        event->user = gateway_user(sim, action->tenant, fate->device);
    if (below(random, 12) == 0)
        event->context =
            gateway_text(sim, "{\"consent\":{\"categoryPreferences\":{\"marketing\":%s}}}",
                         below(random, 2) ? "true" : "false");
    event->opt_out = below(random, 30) == 0;
    event->timestamp_us = time_of(action->at_us, random);
    if (names[name].order)
        event->properties = gateway_text(sim, "{\"order_id\":\"%s\",\"revenue\":%llu.50}",
                                         fate->order, (unsigned long long)below(random, 100));
    return event;
}

/* Its own random numbers, so that a repeat says the same. */
static void send_batch(struct sim *sim, struct action *action)
{
    struct random random = {action->seed};
    Journey__V1__EventBatch batch;
    Journey__V1__Event *events[2 * MAX_EVENTS];
    journey__v1__event_batch__init(&batch);
    action->tenant = (uint8_t)below(&random, TENANTS);
    uint8_t device = (uint8_t)below(&random, DEVICES);
    bool import = below(&random, 6) == 0;
    batch.tenant_id = gateway_tenant(sim, action->tenant);
    batch.received_us = sim->now_us;
    batch.events = events;
    for (unsigned i = 0; i < action->n_events; i++) {
        events[batch.n_events++] = make_event(sim, action, i, device, &random);
        action->events[i].copies++;
        if (below(&random, 25) == 0) { /* twice in one request */
            events[batch.n_events] = events[batch.n_events - 1];
            batch.n_events++;
            action->events[i].copies++;
        }
    }
    sim->load.events += action->done ? 0 : action->n_events;
    gateway_send(sim, import ? TOPIC_IMPORTS : TOPIC_EVENTS,
                 gateway_device_key(sim, action->tenant, device), &batch.base, NULL);
}

/* An event that kills whoever decides it, in one service or the other; or one whose session does when its timer is due. */
void gateway_poison(struct sim *sim, struct action *action)
{
    struct random random = {action->seed};
    Journey__V1__EventBatch batch;
    action->n_events = 1;
    action->at_us = sim->now_us;
    action->tenant = (uint8_t)below(&random, TENANTS);
    journey__v1__event_batch__init(&batch);
    Journey__V1__Event *event = make_event(sim, action, 0, 0, &random);
    char what = "ijt"[below(&random, 3)];
    unsigned device = what == 't' ? DEVICES : 0; /* that session is nobody else's */
    event->device = gateway_device(sim, action->tenant, device);
    event->name = gateway_text(sim, "Deadly");
    event->properties = gateway_text(sim, "{}");
    event->message_id =
        gateway_text(sim, "kill%c%u-0", what, (unsigned)(action - sim->plan->actions));
    if (what == 't')
        action->events[0].session = event->session_id = gateway_text(sim, "killt");
    action->events[0].unusable = what != 't';
    action->events[0].copies = 1;
    batch.tenant_id = gateway_tenant(sim, action->tenant);
    batch.received_us = sim->now_us;
    batch.events = &event;
    batch.n_events = 1;
    action->done = true;
    gateway_send(sim, TOPIC_EVENTS, gateway_device_key(sim, action->tenant, device), &batch.base,
                 NULL);
}

/* ---- the rest ---- */

static void send_garbage(struct sim *sim, struct action *action)
{
    char *text = gateway_text(sim, "garbage%u-0", (unsigned)(action - sim->plan->actions));
    action->events[0].copies++;
    action->events[0].unusable = true;
    action->n_events = 1;
    /* of somebody who is no gateway, with as many headers as there can be */
    struct slice key = gateway_device_key(sim, 0, (unsigned)(action->seed % DEVICES));
    struct bus_header headers[BUS_MAX_HEADERS] = {{"ce_id", slice_str(text)}};
    for (unsigned i = 1; i < BUS_MAX_HEADERS; i++)
        headers[i] = (struct bus_header){"x-garbage", SLICE_LITERAL("g")};
    const struct bus_message message = {.topic = TOPIC_EVENTS,
                                        .partition = topic_partition(key, sim->partitions),
                                        .key = key,
                                        .value = slice_str(text),
                                        .headers = headers,
                                        .n_headers = BUS_MAX_HEADERS};
    bus_mem_log_append(sim->cluster, bus_mem_entry_create(&message));
    story(sim, "somebody: %s", text);
}

static void say_settings(struct sim *sim, uint8_t number, int64_t version, uint64_t idle_seconds)
{
    char key[UUID_TEXT_SIZE];
    Journey__V1__TenantSettings settings;
    Journey__V1__Setting setting, *list = &setting;
    journey__v1__tenant_settings__init(&settings);
    journey__v1__setting__init(&setting);
    settings.tenant_id = gateway_tenant(sim, number);
    settings.version = version;
    sim->settings[number] = max_i64(sim->settings[number], version);
    settings.analytics_basis = gateway_text(sim, "legitimate_interest");
    setting.key = gateway_text(sim, "session_idle_seconds");
    setting.value = gateway_text(sim, "%llu", (unsigned long long)idle_seconds);
    settings.settings = &list;
    settings.n_settings = 1;
    uuid_format(key, settings.tenant_id.data);
    gateway_send(sim, TOPIC_SETTINGS, slice_str(key), &settings.base, NULL);
}

/* A repeat may come behind a newer version. */
static void send_settings(struct sim *sim, struct action *action)
{
    struct random random = {action->seed};
    action->tenant = (uint8_t)below(&random, TENANTS);
    say_settings(sim, action->tenant, action->step + 1, 60 + below(&random, 300));
}

/* Analytics is on from the beginning: what is kept without consent is gone before a seed could look at it. */
void gateway_open(struct sim *sim)
{
    for (unsigned tenant = 0; tenant < TENANTS; tenant++)
        say_settings(sim, (uint8_t)tenant, 0, 1800);
}

static void repeat(struct sim *sim, const struct action *action)
{
    struct action *of = &sim->plan->actions[action->of];
    if (!of->done)
        return;
    story(sim, "again: action %u", action->of);
    if (of->kind == ACT_BATCH)
        send_batch(sim, of);
    else if (of->kind == ACT_GARBAGE)
        send_garbage(sim, of);
    else if (of->kind == ACT_SETTINGS)
        send_settings(sim, of);
    else if (of->kind == ACT_COMMAND)
        command_send(sim, of, action->seed % 5 == 0);
}

void gateway_act(struct sim *sim, struct action *action)
{
    if (!action->done)
        action->at_us = sim->now_us;
    switch (action->kind) {
    case ACT_BATCH:
        send_batch(sim, action);
        break;
    case ACT_GARBAGE:
        send_garbage(sim, action);
        break;
    case ACT_COMMAND:
        sim->load.commands++;
        command_send(sim, action, false);
        break;
    case ACT_SETTINGS:
        send_settings(sim, action);
        break;
    default:
        repeat(sim, action);
        break;
    }
    action->done = true;
}
