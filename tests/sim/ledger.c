/*
 * What was committed, read from the commits rows as they come: who may write them, and what they say. Whatever
 * arrives in a log must be among it, byte for byte; at the end all of it must have arrived.
 */
#include "sim.h"

#include <lz4.h>
#include <stdlib.h>

static const char *const names[SERVICES] = {"ingest", "journey-state"};

static uint64_t hash_record(const struct bus_record *record)
{
    uint64_t hash = hash64(record->key.data, record->key.size, record->value.data != NULL);
    hash = hash64(record->value.data, record->value.size, hash);
    for (unsigned i = 0; i < record->n_headers; i++) {
        const struct bus_header *header = &record->headers[i];
        hash = hash64(header->name, strlen(header->name), hash);
        hash = hash64(header->value.data, header->value.size, hash);
    }
    return hash;
}

static struct said *said_at(struct sim *sim, unsigned service, int32_t part, int topic,
                            int32_t partition)
{
    int32_t n = sim->partitions;
    return &sim->said[service][(part * TOPIC_SLOTS + topic_slot(topic)) * n + partition];
}

unsigned ledger_said(struct sim *sim, enum service_id service, int32_t part, int topic,
                     int32_t partition)
{
    return said_at(sim, service, part, topic, partition)->n;
}

/* Where a numbered message belongs; NULL: it has no number. */
static struct said *said_of(struct sim *sim, const struct bus_record *record, uint64_t *n)
{
    const struct bus_header *id =
        bus_record_header(record, record->topic & TOPIC_DLQ ? "dlq-id" : "ce_id");
    struct stream_number number;
    if (!id || !stream_number_parse(id->value, &number))
        return NULL;
    *n = number.number;
    for (unsigned s = 0; s < SERVICES; s++) {
        size_t size = strlen(names[s]);
        if (number.producer.size != size + 4 || memcmp(number.producer.data, names[s], size) != 0)
            continue;
        int32_t part = number.producer.data[number.producer.size - 1] - '0';
        return said_at(sim, s, part, record->topic, record->partition);
    }
    return NULL;
}

static void said_add(struct sim *sim, enum service_id service, int32_t part,
                     const struct bus_record *record)
{
    struct said *said = said_at(sim, service, part, record->topic, record->partition);
    uint64_t number;
    if (said->n == said->capacity) {
        said->capacity = said->capacity ? 2 * said->capacity : 64;
        said->hashes = reallocarray(said->hashes, said->capacity, sizeof(*said->hashes));
        said->written = reallocarray(said->written, said->capacity, sizeof(*said->written));
        if (!said->hashes || !said->written)
            abort();
    }
    if (said_of(sim, record, &number) != said || number != said->n + 1) {
        violation(sim, "numbers without gaps: %s/%d commits number %llu to %s/%d after %u",
                  names[service], part, (unsigned long long)number, topic_name(record->topic),
                  record->partition, said->n);
        return;
    }
    said->hashes[said->n] = hash_record(record);
    said->written[said->n++] = false;
    if (record->topic & TOPIC_DLQ)
        tally.steps[STEP_DEAD_LETTER]++;
}

static struct slice take(struct slice *in)
{
    struct slice bytes = {0};
    if (slice_take_bytes(in, &bytes))
        abort();
    return bytes;
}

static uint64_t take_number(struct slice *in)
{
    uint64_t number = 0;
    if (slice_take_varint(in, &number))
        abort();
    return number;
}

static void take_frame(struct sim *sim, enum service_id service, int32_t part, struct slice frame)
{
    struct bus_record record = {0};
    char topic[200], header_names[BUS_MAX_HEADERS][40];
    struct slice name = take(&frame);
    memcpy(topic, name.data, name.size);
    topic[name.size] = '\0';
    record.topic = topic_find(topic);
    record.partition = (int32_t)take_number(&frame);
    bool tombstone = take_number(&frame) != 0;
    record.key = take(&frame);
    record.value = take(&frame);
    if (tombstone)
        record.value = (struct slice){0};
    record.n_headers = (unsigned)take_number(&frame);
    for (unsigned i = 0; i < record.n_headers; i++) {
        struct slice header = take(&frame);
        memcpy(header_names[i], header.data, header.size);
        header_names[i][header.size] = '\0';
        record.headers[i].name = header_names[i];
        record.headers[i].value = take(&frame);
    }
    said_add(sim, service, part, &record);
}

static void take_outbox(struct sim *sim, enum service_id service, int32_t part, struct slice blob)
{
    uint32_t size;
    if (!blob.size)
        return;
    memcpy(&size, blob.data + 1, 4);
    uint8_t *raw = malloc(size);
    if (!raw || LZ4_decompress_safe((const char *)blob.data + 5, (char *)raw, (int)blob.size - 5,
                                    (int)size) != (int)size)
        abort();
    struct slice in = slice_make(raw, size), head, frame;
    while (in.size) {
        uint32_t frame_size;
        if (slice_take(&in, 4, &head))
            abort();
        memcpy(&frame_size, head.data, 4);
        if (slice_take(&in, frame_size, &frame))
            abort();
        take_frame(sim, service, part, frame);
    }
    free(raw);
}

/* One transaction may have been carried out, by this instance (NULL: by one that is no more, or gave up). */
static void look_at(struct sim *sim, enum service_id service, const struct store_mem_part *rows,
                    struct instance *by)
{
    struct part_ledger *part = &sim->parts[service][rows->part];
    const struct store_mem_commit *row = rows->n ? &rows->commits[rows->n - 1] : NULL;
    if (!row || row->n == part->n)
        return;
    sim->progress++;
    sim->commits[service]++;
    const char *who = by ? instance_name(by) : "nobody any more";
    if (row->n != part->n + 1 || row->epoch < part->epoch)
        violation(sim, "the fence: %s/%d row %lld epoch %lld after row %lld epoch %lld",
                  names[service], rows->part, (long long)row->n, (long long)row->epoch,
                  (long long)part->n, (long long)part->epoch);
    if (row->epoch != part->epoch) {
        tally.steps[STEP_OWN]++;
        part->owners = reallocarray(part->owners, (size_t)row->epoch + 1, sizeof(*part->owners));
        if (!part->owners)
            abort();
        if (part->epoch)
            part->owners[part->epoch].until = sim->step;
        if (by && part->epoch)
            memory_taken(by, rows->part, &part->owners[part->epoch]);
        if (by)
            by->cleared = by->forgot;
        for (int64_t e = part->epoch + 1; e <= row->epoch; e++)
            part->owners[e] =
                (struct owner){.instance = by, .life = by ? by->life : 0, .until = UINT_MAX};
        story(sim, "%s owns %s/%d: row %lld, epoch %lld", who, names[service], rows->part,
              (long long)row->n, (long long)row->epoch);
    } else {
        tally.steps[by ? STEP_COMMIT : STEP_LATE_COMMIT]++;
        part->owners[row->epoch].late = part->owners[row->epoch].late || !by;
        story(sim, "%s commits %s/%d: row %lld, epoch %lld, done %lld", who, names[service],
              rows->part, (long long)row->n, (long long)row->epoch, (long long)row->done);
        const struct owner *owner = &part->owners[row->epoch];
        if (by && (owner->instance != by || owner->life != by->life))
            violation(sim, "nothing from an instance that lost its partition: %s commits to %s/%d",
                      who, names[service], rows->part);
    }
    part->n = row->n;
    part->epoch = row->epoch;
    take_outbox(sim, service, rows->part, row->outbox);
}

void ledger_look(struct sim *sim, enum service_id service, struct instance *by)
{
    for (unsigned p = 0; p < sim->dbs[service]->n_parts; p++)
        look_at(sim, service, &sim->dbs[service]->parts[p], by);
}

struct instance *ledger_owner(struct sim *sim, enum service_id service, int32_t part, int64_t epoch)
{
    const struct part_ledger *ledger = &sim->parts[service][part];
    const struct owner *owner = epoch <= ledger->epoch ? &ledger->owners[epoch] : NULL;
    bool lives = owner && owner->instance && owner->instance->life == owner->life && !owner->late;
    return lives ? owner->instance : NULL;
}

void ledger_written(struct sim *sim, const struct bus_record *record)
{
    const struct bus_header *id = bus_record_header(record, "ce_id");
    uint64_t number = 0;
    if (id && id->value.size > 7 && memcmp(id->value.data, "answer-", 7) == 0) {
        tally.steps[STEP_ASKED]++;
        return;
    }
    struct said *said = said_of(sim, record, &number);
    if (!said || number > said->n || said->hashes[number - 1] != hash_record(record)) {
        violation(sim, "every published message was committed: %s/%d offset %lld, %.*s%s",
                  topic_name(record->topic), record->partition, (long long)record->offset,
                  id ? (int)id->value.size : 0, id ? (const char *)id->value.data : "",
                  said && number <= said->n ? ", in other words" : "");
        return;
    }
    tally.steps[said->written[number - 1] ? STEP_SAID_AGAIN : STEP_SAID]++;
    said->written[number - 1] = true;
}

static size_t lists(const struct sim *sim)
{
    return (size_t)sim->partitions * TOPIC_SLOTS * (size_t)sim->partitions;
}

static int topic_of_list(const struct sim *sim, size_t list)
{
    return topic_of_slot((int)(list / (size_t)sim->partitions % TOPIC_SLOTS));
}

void ledger_each(struct sim *sim, int topic,
                 void (*each)(struct sim *sim, const struct bus_record *record))
{
    for (unsigned s = 0; s < SERVICES; s++)
        for (size_t l = 0; l < lists(sim); l++)
            sim->said[s][l].read = 0;
    for (int32_t p = 0; p < sim->partitions; p++) {
        const struct mem_log *log = bus_mem_log_get(sim->cluster, topic, p);
        for (int64_t i = 0; i < log->end - log->begin; i++) {
            const struct bus_record *record = &log->entries[i]->record;
            uint64_t number;
            struct said *said = said_of(sim, record, &number);
            if (said && number != said->read + 1)
                continue;
            if (said)
                said->read++;
            each(sim, record);
        }
    }
    for (unsigned s = 0; s < SERVICES; s++)
        for (size_t l = 0; l < lists(sim); l++)
            if (topic_of_list(sim, l) == topic && sim->said[s][l].read != sim->said[s][l].n)
                violation(sim, "a reader of %s gets stuck after number %u of %u", topic_name(topic),
                          sim->said[s][l].read, sim->said[s][l].n);
}

/* ---- beginning and end ---- */

void ledger_open(struct sim *sim)
{
    for (unsigned s = 0; s < SERVICES; s++)
        sim->said[s] = bus_mem_alloc(lists(sim) * sizeof(struct said));
}

void ledger_end(struct sim *sim)
{
    for (unsigned s = 0; s < SERVICES; s++)
        for (size_t l = 0; l < lists(sim); l++)
            for (unsigned k = 0; k < sim->said[s][l].n; k++)
                if (!sim->said[s][l].written[k])
                    violation(
                        sim, "every committed message is published: %s/%d, number %u to %s/%d",
                        names[s], (int)(l / (TOPIC_SLOTS * (size_t)sim->partitions)), k + 1,
                        topic_name(topic_of_list(sim, l)), (int)(l % (size_t)sim->partitions));
}

void ledger_close(struct sim *sim)
{
    for (unsigned s = 0; s < SERVICES; s++) {
        for (size_t l = 0; l < lists(sim); l++) {
            free(sim->said[s][l].hashes);
            free(sim->said[s][l].written);
        }
        free(sim->said[s]);
        for (unsigned p = 0; p < MAX_PARTITIONS; p++)
            free(sim->parts[s][p].owners);
    }
}
