/*
 * Mirrors of compacted topics: every partition read from its beginning into memory, newest version of each key kept.
 * They hold no position: each start reads the topic again, so none can be older than the topic itself.
 */
#include "internal.h"

#include <stdlib.h>

enum {
    RECORDS_A_STEP = 10000
};

static struct mirror_entry **find(struct mirror *mirror, struct slice key, uint64_t *hash)
{
    *hash = hash64(key.data, key.size, 7);
    struct mirror_entry **p = &mirror->buckets[*hash % ARRAY_SIZE(mirror->buckets)];
    while (*p && !((*p)->hash == *hash && slice_equal(slice_make((*p)->key, (*p)->key_size), key)))
        p = &(*p)->chain;
    return p;
}

const void *stream_mirror_get(const struct stream_decision *d, unsigned mirror, struct slice key)
{
    struct stream *s = d->effects->stream;
    uint64_t hash;
    if (!s || mirror >= s->service->n_mirrors)
        return NULL;
    struct mirror_entry *entry = *find(&s->mirrors[mirror], key, &hash);
    return entry ? entry->body : NULL;
}

static void remove_entry(struct mirror *mirror, struct mirror_entry **p)
{
    struct mirror_entry *entry = *p;
    *p = entry->chain;
    protobuf_c_message_free_unpacked(entry->body, NULL);
    free(entry);
    mirror->n--;
}

static void take(struct stream *s, struct mirror *mirror, const struct bus_record *record)
{
    uint64_t hash;
    struct mirror_entry **p = find(mirror, record->key, &hash);
    mirror->next[record->partition] = record->offset + 1;
    mirror->last_us = s->now_us;
    if (!record->value.data) {
        if (*p)
            remove_entry(mirror, p);
        return;
    }
    ProtobufCMessage *body =
        protobuf_c_message_unpack(mirror->spec->type, NULL, record->value.size, record->value.data);
    int64_t version = body ? mirror->spec->version(body) : -1;
    if (!body || (*p && version <= (*p)->version)) {
        /* An older value behind a newer one: its owner says the newer again; until then, and here, the newer holds. */
        metric_inc(s->m.heals, body != NULL);
        if (body)
            protobuf_c_message_free_unpacked(body, NULL);
        return;
    }
    if (*p) {
        protobuf_c_message_free_unpacked((*p)->body, NULL);
        (*p)->body = body;
        (*p)->version = version;
        return;
    }
    struct mirror_entry *entry =
        mirror->n < mirror->spec->limit ? calloc(1, sizeof(*entry) + record->key.size) : NULL;
    if (!entry) {
        if (!mirror->full)
            observe(s, LOG_ERROR, "mirror_full", "\"topic\":\"%s\",\"limit\":%zu",
                    topic_name(record->topic), mirror->spec->limit);
        mirror->full = true;
        protobuf_c_message_free_unpacked(body, NULL);
        return;
    }
    entry->hash = hash;
    entry->version = version;
    entry->body = body;
    entry->key_size = record->key.size;
    if (record->key.size)
        memcpy(entry->key, record->key.data, record->key.size);
    *p = entry;
    mirror->n++;
}

/* Every end is asked for before anything is read: a question waits behind a fetch that waits for records. */
static bool start(struct stream *s, struct mirror *mirror)
{
    struct err err = {0};
    int64_t begin;
    for (int32_t p = 0; p < s->n_parts; p++) {
        if (bus_range(s->bus, mirror->spec->topic, p, &begin, &mirror->ends[p], 5000, &err) < 0)
            return false;
        mirror->next[p] = begin;
    }
    for (int32_t p = 0; p < s->n_parts; p++)
        if (bus_start(s->bus, mirror->spec->topic, p, BUS_OFFSET_BEGIN, BUS_LANE_MIRRORS, &err) <
                0 &&
            err.code != ERR_CONFLICT)
            return false;
    mirror->last_us = s->now_us;
    return mirror->started = true;
}

/*
 * Compaction may leave a hole at the end as well: it is read to its end, too, when nothing more comes for a while from a
 * broker that answers.
 */
static bool at_end(struct stream *s, struct mirror *mirror)
{
    int64_t begin, end;
    struct err err = {0};
    int32_t p = 0;
    while (p < s->n_parts && mirror->next[p] >= mirror->ends[p])
        p++;
    if (p == s->n_parts)
        return true;
    if (s->now_us - mirror->last_us <= 10 * SECOND_US)
        return false;
    mirror->last_us = s->now_us;
    return bus_range(s->bus, mirror->spec->topic, p, &begin, &end, 1000, &err) == 0;
}

/* The log went on without us: read again from its beginning, which versions make harmless. */
void mirror_offset_gone(struct stream *s, const struct bus_event *event)
{
    struct err err = {0};
    unsigned i = 0;
    while (i < s->service->n_mirrors && s->service->mirrors[i].topic != event->topic)
        i++;
    if (i == s->service->n_mirrors)
        return;
    observe(s, LOG_WARN, "mirror_read_again", "\"topic\":\"%s\",\"partition\":%d",
            topic_name(event->topic), event->partition);
    bus_stop(s->bus, event->topic, event->partition);
    if (bus_start(s->bus, event->topic, event->partition, BUS_OFFSET_BEGIN, BUS_LANE_MIRRORS,
                  &err) < 0)
        s->mirrors[i].started = false; /* tried again with the next step */
}

int mirror_step(struct stream *s)
{
    bool ready = true;
    struct bus_event event;
    for (unsigned i = 0; i < s->service->n_mirrors; i++) {
        struct mirror *mirror = &s->mirrors[i];
        if (!mirror->started && !start(s, mirror)) {
            wake_at(s, s->now_us + SECOND_US);
            return 0;
        }
    }
    int n = 0;
    for (; n < RECORDS_A_STEP && bus_poll_lane(s->bus, BUS_LANE_MIRRORS, &event); n++) {
        if (event.type == BUS_OFFSET_GONE)
            mirror_offset_gone(s, &event);
        for (unsigned i = 0; event.type == BUS_RECORD && i < s->service->n_mirrors; i++)
            if (s->mirrors[i].spec->topic == event.record.topic)
                take(s, &s->mirrors[i], &event.record);
        bus_event_release(s->bus, &event);
    }
    if (n == RECORDS_A_STEP)
        wake_at(s, s->now_us); /* what is left is not announced again */
    if (s->mirrors_started)
        return 1;
    for (unsigned i = 0; i < s->service->n_mirrors; i++)
        ready = ready && at_end(s, &s->mirrors[i]);
    return ready;
}

void mirror_deinit(struct stream *s)
{
    for (unsigned i = 0; s->mirrors && i < s->service->n_mirrors; i++) {
        struct mirror *mirror = &s->mirrors[i];
        for (unsigned b = 0; b < ARRAY_SIZE(mirror->buckets); b++)
            while (mirror->buckets[b])
                remove_entry(mirror, &mirror->buckets[b]);
        free(mirror->ends);
        free(mirror->next);
    }
    free(s->mirrors);
    s->mirrors = NULL;
}
