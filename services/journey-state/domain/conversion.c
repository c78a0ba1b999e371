#include "conversion.h"

static const struct goal_event events[] = {{"Order Completed", "purchase"}};
static const char *const types[] = {"purchase", "consultation_booking"};
const struct goals goals_default = {events, ARRAY_SIZE(events), types, ARRAY_SIZE(types)};

const char *goals_type(const struct goals *goals, const char *event)
{
    for (size_t i = 0; i < goals->n_events; i++)
        if (strcmp(goals->events[i].event, event) == 0)
            return goals->events[i].type;
    return NULL;
}

bool goals_has(const struct goals *goals, const char *type)
{
    for (size_t i = 0; i < goals->n_types; i++)
        if (strcmp(goals->types[i], type) == 0)
            return true;
    return false;
}

/* Derived ids are kept for ever: neither parts nor their order may change. */
void conversion_id_of_order(struct uuid *id, const uint8_t tenant[16], const char *type,
                            const char *order_id)
{
    uint8_t hash[16];
    const struct slice parts[] = {slice_make(tenant, 16), slice_str(type), slice_str(order_id)};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    uuid_from_hash(id, hash);
}

static void hash_of(uint8_t hash[16], const char *kind, const uint8_t tenant[16],
                    const char *session_id, int32_t sequence)
{
    uint8_t number[4];
    for (int i = 0; i < 4; i++)
        number[i] = (uint8_t)((uint32_t)sequence >> (8 * i));
    const struct slice parts[] = {slice_str(kind), slice_make(tenant, 16), slice_str(session_id),
                                  slice_make(number, sizeof(number))};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
}

static void id_of(struct uuid *id, const char *kind, const uint8_t tenant[16],
                  const char *session_id, int32_t sequence)
{
    uint8_t hash[16];
    hash_of(hash, kind, tenant, session_id, sequence);
    uuid_from_hash(id, hash);
}

void conversion_id_of_touchpoint(struct uuid *id, const uint8_t tenant[16], const char *session_id,
                                 int32_t sequence)
{
    id_of(id, "conversion", tenant, session_id, sequence);
}

void touchpoint_id(struct uuid *id, const uint8_t tenant[16], const char *session_id,
                   int32_t sequence)
{
    id_of(id, "touchpoint", tenant, session_id, sequence);
}

void session_row_id(struct uuid *id, const uint8_t tenant[16], const char *session_id,
                    int64_t start_us)
{
    uint8_t hash[16];
    hash_of(hash, "session", tenant, session_id, 0);
    uuid_from_time(id, start_us, hash);
}

uint64_t conversion_order_hash(const char *type, const char *order_id)
{
    uint8_t hash[16];
    uint64_t value;
    const struct slice parts[] = {slice_str(type), slice_str(order_id)};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    memcpy(&value, hash, sizeof(value));
    return value;
}
