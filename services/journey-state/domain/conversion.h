#pragma once
/* What counts as a conversion, and what a conversion is called. */
#include "base.h"

struct goal_event {
    const char *event, *type; /* an event with this name makes a conversion of this type */
};
struct goals {
    const struct goal_event *events;
    size_t n_events;
    const char *const
        *types; /* conversions of these types bring a session to the stage conversion */
    size_t n_types;
};
extern const struct goals goals_default;

const char *goals_type(const struct goals *goals, const char *event); /* NULL: no conversion */
bool goals_has(const struct goals *goals, const char *type);

/*
 * The id of a conversion. With an order it is the order's own: the same in every session and at
 * every repeat, so that an order has one row. Else it is that of the touchpoint that it came with.
 */
void conversion_id_of_order(struct uuid *id, const uint8_t tenant[16], const char *type,
                            const char *order_id);
void conversion_id_of_touchpoint(struct uuid *id, const uint8_t tenant[16], const char *session_id,
                                 int32_t sequence);
void touchpoint_id(struct uuid *id, const uint8_t tenant[16], const char *session_id,
                   int32_t sequence);
/* Made once, when the session is opened: its start may still change. */
void session_row_id(struct uuid *id, const uint8_t tenant[16], const char *session_id,
                    int64_t start_us);

/* What a session remembers of an order that it counted. */
uint64_t conversion_order_hash(const char *type, const char *order_id);
