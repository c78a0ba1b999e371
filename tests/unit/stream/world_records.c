/* What a decision sees of its record, and what a dead letter keeps of it, is what lies in the log. */
#include "world.h"

#include <stdio.h>

#include "test.h"

static bool same(struct slice a, struct slice b)
{
    return a.data && b.data ? slice_equal(a, b) : a.data == b.data;
}

static bool has_headers(const struct bus_record *record, const struct bus_record *source)
{
    for (unsigned i = 0; i < source->n_headers; i++) {
        const struct bus_header *wanted = &source->headers[i];
        const struct bus_header *found = bus_record_header(record, wanted->name);
        if (!found || !slice_equal(found->value, wanted->value))
            return false;
    }
    return true;
}

void world_check_record(struct world *world, const struct bus_record *record)
{
    const struct bus_record *source =
        bus_mem_record(world->cluster, record->topic, record->partition, record->offset);
    if (source && (!same(record->key, source->key) || record->time_us != source->time_us ||
                   record->n_headers != source->n_headers || !has_headers(record, source)))
        fail_msg("a decision sees another record than %s/%d/%lld", topic_name(record->topic),
                 record->partition, (long long)record->offset);
}

void world_check_dead_letter(struct world *world, const struct bus_record *letter)
{
    const struct bus_header *from = bus_record_header(letter, "dlq-source");
    char text[300], topic[200];
    int partition;
    long long offset;
    assert_non_null(from);
    assert_in_range(from->value.size, 1, sizeof(text) - 1);
    memcpy(text, from->value.data, from->value.size);
    text[from->value.size] = '\0';
    assert_int_equal(sscanf(text, "%199[^/]/%d/%lld", topic, &partition, &offset), 3);
    assert_int_equal(topic_find(topic), letter->topic & ~TOPIC_DLQ);
    assert_int_equal(partition, letter->partition);
    const struct bus_record *source =
        bus_mem_record(world->cluster, topic_find(topic), partition, offset);
    if (!source)
        return;                                                       /* retention took it */
    bool alone = source->topic == TOPIC_EVENTS && source->value.data; /* one event of it */
    if (!same(letter->key, source->key) || !has_headers(letter, source) ||
        letter->n_headers !=
            source->n_headers + 5 || /* dlq-id, -source, -code, -reason, -service */
        (!alone && !same(letter->value, source->value)))
        fail_msg("a dead letter is another record than %s", text);
}
