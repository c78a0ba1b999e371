/* An instance: the real service on a bus, a store and a clock of its own, in this release or the one before. */
#include "sim.h"

#include "libs/stream/src/internal.h"

#include "ingest.h"
#include "journey_state.h"

#include "journey/v1/settings.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

static struct instance *running; /* the instance that is deciding */
static jmp_buf killed;

const char *instance_name(const struct instance *instance)
{
    static char names[4][24];
    static unsigned next;
    char *name = names[next++ % 4];
    (void)snprintf(name, sizeof(names[0]), "%s %u",
                   instance->service == INGEST ? "ingest" : "journey", instance->number);
    return name;
}

/* ---- the services, as this instance's release has them ---- */

static const struct stream_service *const services[SERVICES] = {&ingest_service,
                                                                &journey_state_service};

static const char *event_id(const struct stream_message *m)
{
    if (m->input->topic == TOPIC_EVENTS)
        return ((const Journey__V1__EventBatch *)m->body)->events[m->index]->message_id;
    if (m->input->topic == TOPIC_ACCEPTED)
        return ((const Journey__V1__Accepted *)m->body)->event->message_id;
    return "";
}

#define STOP_REASON "an event that only the next release knows"

static bool is_unknown(const struct stream_message *m)
{
    const char *id = event_id(m);
    return running->old_release && *id == 'e' &&
           hash64(id, strlen(id), running->sim->plan->seed) % 32 == 0;
}

static bool kills(const struct stream_message *m)
{
    const char *id = event_id(m);
    return strncmp(id, running->service == INGEST ? "killi" : "killj", 5) == 0;
}

/* Of a record; a timer has no topic, and the offset -1. */
static uint64_t deadly_hash(enum service_id service, const char *topic, int32_t partition,
                            int64_t offset)
{
    uint64_t hash = hash64(&offset, sizeof(offset), (uint64_t)service);
    return hash64(topic, strlen(topic), hash64(&partition, sizeof(partition), hash));
}

static bool is_deadly(const struct sim *sim, uint64_t hash)
{
    for (unsigned i = 0; i < sim->n_deadly; i++)
        if (sim->deadly[i] == hash)
            return true;
    return false;
}

static void die(const char *topic, int32_t partition, int64_t offset)
{
    struct sim *sim = running->sim;
    uint64_t hash = deadly_hash(running->service, topic, partition, offset);
    if (!is_deadly(sim, hash)) {
        assert(sim->n_deadly < ARRAY_SIZE(sim->deadly));
        sim->deadly[sim->n_deadly++] = hash;
    }
    longjmp(killed, 1);
}

static void due(struct stream_decision *decision, const struct stream_message *m)
{
    if (m->key.id.size == 5 && memcmp(m->key.id.data, "killt", 5) == 0)
        die("",
            topic_partition(topic_key(m->key.tenant, m->key.id, decision->arena),
                            running->sim->partitions),
            -1);
    journey_sessions_state.due(decision, m);
}

/* What is in the log when a step begins is known when it decides, the newest of each key. */
static void check_mirror(const struct stream_decision *decision, const struct stream_message *m)
{
    struct sim *sim = running->sim;
    char key[UUID_TEXT_SIZE];
    uuid_format(key, m->key.tenant);
    const Journey__V1__TenantSettings *settings = stream_mirror_get(decision, 0, slice_str(key));
    long long version = settings ? settings->version : 0;
    if (version != sim->settings[m->key.tenant[1]])
        violation(sim, "%s decides by settings %lld, though there are %lld", instance_name(running),
                  version, (long long)sim->settings[m->key.tenant[1]]);
}

static void decide(struct stream_decision *decision, const struct stream_message *m)
{
    const struct stream_service *service = services[running->service];
    check_mirror(decision, m);
    memory_needs(running, decision, m);
    memory_random(running, decision, m);
    if (is_unknown(m)) {
        stream_stop(decision, STOP_REASON);
        return;
    }
    if (kills(m))
        die(topic_name(m->record->topic), m->record->partition, m->record->offset);
    for (unsigned i = 0; i < service->n_inputs; i++)
        if (service->inputs[i].topic == m->input->topic)
            service->inputs[i].decide(decision, m);
}

/* The release before: ingest without imports, journey-state without commands. */
static void make_tables(struct stream_service out[SERVICES][2],
                        struct stream_input inputs[SERVICES][2][8])
{
    static const int added[SERVICES] = {TOPIC_IMPORTS, TOPIC_COMMANDS_JOURNEY_STATE};
    static struct stream_state sessions;
    static const struct stream_state *const states[] = {&sessions};
    sessions = journey_sessions_state;
    sessions.due = due;
    for (unsigned s = 0; s < SERVICES; s++) {
        for (unsigned old = 0; old < 2; old++) {
            out[s][old] = *services[s];
            out[s][old].inputs = inputs[s][old];
            out[s][old].n_inputs = 0;
            for (unsigned i = 0; i < services[s]->n_inputs; i++) {
                if (old && services[s]->inputs[i].topic == added[s])
                    continue;
                struct stream_input *input = &inputs[s][old][out[s][old].n_inputs++];
                *input = services[s]->inputs[i];
                input->decide = decide;
                if (s == JOURNEY)
                    input->state = &sessions;
            }
            if (s == JOURNEY)
                out[s][old].states = states;
        }
    }
}

static const struct stream_service *table_of(const struct instance *instance)
{
    static struct stream_service tables[SERVICES][2];
    static struct stream_input inputs[SERVICES][2][8];
    if (!tables[0][0].name)
        make_tables(tables, inputs);
    return &tables[instance->service][instance->old_release];
}

/* ---- what it says of itself ---- */

/*
 * What kills nobody is condemned only when five tried it and died of whatever else, or did not know yet that they had lost
 * its partition when the next one took it over: nobody can tell that from a record that kills.
 */
static void check_condemned(struct instance *instance, const char *fields)
{
    struct sim *sim = instance->sim;
    char topic[100] = "";
    int partition;
    long long offset = -1;
    const char *offset_at = strstr(fields, "\"offset\":"), *at = strstr(fields, "\"epochs\":\"");
    (void)sscanf(fields, "\"partition\":%d,\"topic\":\"%99[^\"]", &partition, topic);
    if (!at || !offset_at || sscanf(offset_at, "\"offset\":%lld", &offset) != 1)
        abort();
    tally.steps[*topic ? STEP_POISONED : STEP_GIVEN_UP]++;
    if (is_deadly(sim, deadly_hash(instance->service, topic, partition, offset)))
        return;
    tally.unlucky++;
    unsigned tried = 0;
    const struct owner *owners = sim->parts[instance->service][partition].owners;
    unsigned read = owners[instance->stream->parts[partition].epoch - 1].until;
    for (at += strlen("\"epochs\":\""); *at != '"'; at += *at == ',', tried++) {
        char *end;
        const struct owner *owner = &owners[strtoll(at, &end, 10)];
        const struct instance *by = owner->instance;
        if (by && by->up && by->life == owner->life && owner->until < by->cleared &&
            by->cleared < read)
            violation(sim, "an innocent message was condemned, though %s survived it: %s",
                      instance_name(by), fields);
        at = end;
    }
    if (tried < 5)
        violation(sim, "an innocent message was condemned after %u attempts: %s", tried, fields);
}

static void hear(void *user, enum log_level level, const char *event, const char *fields)
{
    struct instance *instance = user;
    struct sim *sim = instance->sim;
    story(sim, "%s: %s %s", instance_name(instance), event, fields);
    if (strcmp(event, "poison_message") == 0) {
        check_condemned(instance, fields);
    } else if (strcmp(event, "partition_stopped") == 0 && strstr(fields, STOP_REASON)) {
        tally.steps[STEP_HELD]++;
    } else if (strcmp(event, "partition_stopped") == 0) {
        outage_stopped(instance, fields);
    } else if (strcmp(event, "partitions_forgotten") == 0) {
        instance->forgot = sim->step;
        if (strstr(fields, "fenced"))
            memory_fenced(instance);
        tally.steps[STEP_UNKNOWN] += strstr(fields, "commit failed") != NULL;
    } else if (strcmp(event, "assignment") == 0) {
        instance->fenced_us = 0; /* the group has spoken */
    } else if (strcmp(event, "commit_failed") == 0 && level == LOG_ERROR) {
        violation(sim, "a commit was refused for good: %s", fields);
    } else if (strcmp(event, "state_undecodable") == 0 || strcmp(event, "rows_missing") == 0 ||
               (strcmp(event, "timer_refused") == 0 && !strstr(fields, "\"code\":\"poison\""))) {
        violation(sim, "%s %s", event, fields);
    }
}

static int64_t now(struct clock *clock)
{
    const struct instance *instance = (const void *)clock; /* its first member */
    return instance->sim->now_us + instance->skew_us;
}

void instance_start(struct instance *instance)
{
    struct sim *sim = instance->sim;
    struct random random = {mix(sim->plan->seed, 1000000 + sim->step)};
    struct err err = {0};
    instance->clock.now_us = now;
    instance->table = *table_of(instance);
    instance->life++;
    instance->little_memory = below(&random, 3) == 0;
    instance->forgot = instance->cleared = 0;
    instance->fenced_us = 0;
    instance->jumped = false;
    wire_open(instance);
    vault_open(instance);
    instance->metrics = metrics_create();
    struct stream_options options = {.bus = &instance->bus.bus,
                                     .store = &instance->store.store,
                                     .clock = &instance->clock,
                                     .metrics = instance->metrics,
                                     .user = instance,
                                     .observe = hear,
                                     .cache = database_cached,
                                     .batch_limit = 1 + (unsigned)below(&random, 40),
                                     .cache_bytes = below(&random, 2) ? 4096 : 0};
    if (stream_create(&instance->stream, &instance->table, &options, &err) < 0)
        abort();
    memory_limit(instance, &random);
    instance->up = true;
    instance->ready = false;
    instance->started_us = now(&instance->clock);
    instance->kicked_until = instance->asleep_until = instance->down_until = 0;
    story(sim, "%s starts%s", instance_name(instance),
          instance->old_release ? ", in the release before" : "");
}

static void count_metrics(const struct instance *instance)
{
    static const struct {
        const char *name;
        enum step_id step;
    } counted[] = {{"\njourney_stream_repeats_total ", STEP_REPEAT},
                   {"\njourney_stream_gaps_total ", STEP_GAP},
                   {"\njourney_stream_parked_total ", STEP_PARKED},
                   {"\njourney_stream_mirror_stale_total ", STEP_HEALED},
                   {"\njourney_ingest_duplicates_total ", STEP_DEDUPED},
                   {"\njourney_ingest_consents_healed_total ", STEP_CONSENT_HEALED}};
    _cleanup_(buf_deinit) struct buf text = {0};
    metrics_render(instance->metrics, &text);
    for (unsigned i = 0; i < ARRAY_SIZE(counted); i++) {
        const char *at = strstr((const char *)text.data, counted[i].name);
        if (at)
            tally.steps[counted[i].step] += (uint64_t)strtod(at + strlen(counted[i].name), NULL);
    }
}

/* Nothing is finished, nothing is told. */
void instance_crash(struct instance *instance)
{
    struct random random = {mix(instance->sim->plan->seed, 2000000 + instance->sim->step)};
    if (!instance->up)
        return;
    instance->up = false;
    count_metrics(instance);
    vault_close(instance);
    stream_destroy(&instance->stream);
    wire_close(instance, &random);
    metrics_destroy(&instance->metrics);
}

void instance_step(struct instance *instance)
{
    if (!instance->up)
        return;
    running = instance;
    if (setjmp(killed)) {
        story(instance->sim, "%s dies of a record", instance_name(instance));
        tally.faults[FAULT_POISON]++;
        instance_crash(instance);
        instance->down_until = instance->sim->step + 5;
        instance->sim->progress++;
        return;
    }
    (void)stream_step(instance->stream);
    memory_look(instance, false);
}

bool instance_store_step(struct instance *instance)
{
    if (!instance->up || !vault_step(instance))
        return false;
    if (!stream_wants_step(instance->stream))
        violation(instance->sim, "%s: a request was done, and no step is wanted",
                  instance_name(instance));
    instance->sim->progress++;
    ledger_look(instance->sim, instance->service, instance);
    return true;
}
