#include "session.h"

static int64_t distance(const struct ingest_session *session, int64_t time_us)
{
    if (time_us < session->start_us)
        return session->start_us - time_us;
    return max_i64(time_us - session->last_us, 0);
}

static bool is_better(const struct ingest_session *a, const struct ingest_session *b,
                      int64_t time_us)
{
    if (a->named != b->named)
        return a->named;
    int64_t da = distance(a, time_us), db = distance(b, time_us);
    return da != db ? da < db : a->start_us < b->start_us;
}

static struct ingest_session *find_by_id(struct ingest_device *device, struct slice id)
{
    for (unsigned i = 0; i < device->n; i++) {
        if (slice_equal(device->sessions[i].id, id))
            return &device->sessions[i];
    }
    return NULL;
}

/* As a device has few users, so many bytes of the hash tell them apart. */
static uint64_t user_of(struct slice user)
{
    uint64_t number = 0;
    if (user.size >= sizeof(number))
        memcpy(&number, user.data, sizeof(number));
    return number;
}

static int64_t length_with(const struct ingest_session *session, int64_t time_us)
{
    return max_i64(session->last_us, time_us) - min_i64(session->start_us, time_us);
}

static bool may_hold(const struct ingest_session *session, const struct ingest_sighting *sighting,
                     const struct ingest_limits *limits)
{
    uint64_t user = user_of(sighting->user);
    return distance(session, sighting->time_us) <= limits->idle_us &&
           length_with(session, sighting->time_us) <= limits->max_us &&
           (!user || !session->user || user == session->user);
}

static struct ingest_session *find_by_time(struct ingest_device *device,
                                           const struct ingest_sighting *sighting,
                                           const struct ingest_limits *limits)
{
    struct ingest_session *best = NULL;
    for (unsigned i = 0; i < device->n; i++) {
        struct ingest_session *session = &device->sessions[i];
        if (may_hold(session, sighting, limits) &&
            (!best || is_better(session, best, sighting->time_us)))
            best = session;
    }
    return best;
}

static bool has_earlier(const struct ingest_device *device, int64_t time_us)
{
    for (unsigned i = 0; i < device->n; i++) {
        if (device->sessions[i].start_us < time_us)
            return true;
    }
    return false;
}

static struct slice new_id(const struct ingest_device *device, struct slice message_id,
                           int64_t time_us, struct arena *arena)
{
    uint8_t hash[16];
    struct uuid id;
    const struct slice parts[] = {slice_make(device->tenant, 16), slice_make(device->device, 16),
                                  message_id};
    char *text = arena_alloc(arena, 2 * sizeof(id.bytes) + 1);
    if (!text)
        return slice_make(NULL, 0);
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    uuid_from_time(&id, time_us, hash);
    hex_format(text, id.bytes, sizeof(id.bytes));
    return slice_make(text, 2 * sizeof(id.bytes));
}

/* As it is kept: of a session the id, two times, its user, tags. */
static size_t kept_bytes(const struct ingest_device *device)
{
    size_t size = device->seen.hashes.size;
    for (unsigned p = 0; p < INGEST_PURPOSES; p++)
        size += device->consents.of[p].state != INGEST_CONSENT_UNKNOWN ? 18 : 0;
    for (unsigned i = 0; i < device->n; i++)
        size += device->sessions[i].id.size + (device->sessions[i].named ? 24 : 22) +
                (device->sessions[i].user ? 9 : 0);
    return size;
}

static void remove_at(struct ingest_device *device, unsigned at)
{
    device->n--;
    memmove(&device->sessions[at], &device->sessions[at + 1],
            (device->n - at) * sizeof(device->sessions[0]));
}

/* Puts the session (not in the list) where its activity belongs, then drops the oldest others while
 * there are too many: never the one in hand, or a replay of old events would open one for each. */
static void insert(struct ingest_device *device, struct ingest_session session)
{
    unsigned at = device->n;
    while (at > 0 && device->sessions[at - 1].last_us > session.last_us)
        at--;
    memmove(&device->sessions[at + 1], &device->sessions[at],
            (device->n - at) * sizeof(device->sessions[0]));
    device->sessions[at] = session;
    device->n++;
    while (device->n > 1 &&
           (device->n > INGEST_MAX_SESSIONS || kept_bytes(device) > INGEST_MAX_DEVICE_BYTES)) {
        remove_at(device, at == 0 ? 1 : 0);
        at -= at > 0;
    }
}

struct ingest_visit ingest_device_visit(struct ingest_device *device,
                                        const struct ingest_sighting *sighting,
                                        const struct ingest_limits *limits, struct arena *arena)
{
    const struct slice named = sighting->named;
    const int64_t time_us = sighting->time_us;
    struct ingest_session *found =
        named.size ? find_by_id(device, named) : find_by_time(device, sighting, limits);
    struct ingest_session session = {.start_us = time_us, .last_us = time_us};
    struct ingest_visit visit = {.opens = !found};
    if (found) {
        session = *found;
        session.start_us = min_i64(session.start_us, time_us);
        session.last_us = max_i64(session.last_us, time_us);
        remove_at(device, (unsigned)(found - device->sessions));
    } else {
        session.id = named.size ? named : new_id(device, sighting->message_id, time_us, arena);
    }
    session.named = session.named || named.size > 0;
    if (sighting->user.size)
        session.user = user_of(sighting->user);
    visit.session_id = session.id;
    visit.returning = has_earlier(device, session.start_us);
    visit.over_length = session.last_us - session.start_us > limits->max_us;
    insert(device, session);
    return visit;
}

void ingest_device_know_user(struct ingest_device *device, const struct ingest_sighting *sighting)
{
    const struct slice user = sighting->user;
    if (user.size != sizeof(device->user) || sighting->time_us < device->user_since_us ||
        (device->user_known && memcmp(device->user, user.data, user.size) == 0))
        return;
    memcpy(device->user, user.data, user.size);
    device->user_known = true;
    device->user_since_us = sighting->time_us;
}

void ingest_device_forget_users(struct ingest_device *device)
{
    for (unsigned i = 0; i < device->n; i++)
        device->sessions[i].user = 0;
    device->user_known = false;
    device->user_since_us = 0;
}
