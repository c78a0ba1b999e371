/*
 * The table of topics as data. Everything is static: names are borrowed for ever, and a topic's
 * dead-letter twin is the same number with TOPIC_DLQ set.
 */
#include "topics.h"

static const struct topic_info TOPICS[] = {
#define TOPIC_INFO(id, name, type, key, kind, hours)                                               \
    [TOPIC_##id] = {name, type, key, TOPIC_KIND_##kind, hours},
    TOPIC_TABLE(TOPIC_INFO)
#undef TOPIC_INFO
};

static const char *const DLQ_NAMES[] = {
#define TOPIC_DLQ_NAME(id, name, ...) [TOPIC_##id] = name ".dlq",
    TOPIC_TABLE(TOPIC_DLQ_NAME)
#undef TOPIC_DLQ_NAME
};

_Static_assert(TOPIC_COUNT <= TOPIC_DLQ, "the dead-letter bit lies above every topic's number");

const struct topic_info *topic_info(int topic)
{
    int base = topic & ~TOPIC_DLQ;
    assert(base >= 0 && base < TOPIC_COUNT);
    return &TOPICS[base];
}

const char *topic_name(int topic)
{
    const struct topic_info *info = topic_info(topic);
    return topic & TOPIC_DLQ ? DLQ_NAMES[topic & ~TOPIC_DLQ] : info->name;
}

/* Takes `suffix` off the end of s; whether it was there. */
static bool take_suffix(struct slice *s, const char *suffix)
{
    size_t size = strlen(suffix);
    if (s->size < size || memcmp(s->data + s->size - size, suffix, size) != 0)
        return false;
    s->size -= size;
    return true;
}

/* "journey.touchpoints.v1" → "touchpoints". Every name has both ends: the unit test holds the table
 * to it. */
static struct slice short_name(const char *name)
{
    struct slice s = slice_str(name + strlen("journey."));
    take_suffix(&s, ".v1");
    return s;
}

int topic_find(const char *name)
{
    if (!name)
        return -1;
    struct slice wanted = slice_str(name);
    int dlq = take_suffix(&wanted, ".dlq") ? TOPIC_DLQ : 0;
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        if (slice_equal_str(wanted, TOPICS[topic].name) ||
            slice_equal(wanted, short_name(TOPICS[topic].name)))
            return topic | dlq;
    return -1;
}

struct slice topic_key(const uint8_t tenant[16], struct slice id, struct arena *arena)
{
    size_t size = UUID_TEXT_SIZE + id.size; /* the text's NUL makes room for the slash */
    char *key = arena_alloc(arena, size);
    if (!key)
        return slice_make(NULL, 0);
    uuid_format(key, tenant);
    key[UUID_TEXT_SIZE - 1] = '/';
    if (id.size > 0)
        memcpy(key + UUID_TEXT_SIZE, id.data, id.size);
    return slice_make(key, size);
}
