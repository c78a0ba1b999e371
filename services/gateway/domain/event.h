#pragma once
/*
 * One event of the Segment form, as it leaves the gateway: identifiers as hashes, context cut to an allow-list,
 * properties byte for byte; traits and addresses stay behind.
 */
#include "fault.h"
#include "identity.h"
#include "json.h"

enum gw_event_type { /* the numbers of journey.v1.EventType */
    GW_EVENT_BY_BODY = 0,
    GW_EVENT_TRACK,
    GW_EVENT_PAGE,
    GW_EVENT_SCREEN,
    GW_EVENT_IDENTIFY,
    GW_EVENT_GROUP,
    GW_EVENT_ALIAS,
};

#define GW_MAX_EVENT_BYTES  32768
#define GW_MAX_BATCH_BYTES  512000
#define GW_MAX_BATCH_EVENTS 2500
#define GW_MAX_MESSAGE_ID   200 /* bytes */
#define GW_MAX_EVENT_NAME   255 /* characters, as the column */
#define GW_MAX_IDENTIFIER   1024

/* What the request says beside the event. */
struct gw_event_source {
    const uint8_t *hash_key; /* the tenant's, 32 bytes */
    enum gw_event_type type; /* of the route; BY_BODY: the event's own member, default track */
    const struct json_node *context; /* the batch's, for events without one; or NULL */
    int64_t sent_at_us;              /* the batch's; 0: none */
};

struct gw_event {
    const char *message_id; /* NULL: none that can be used */
    enum gw_event_type type;
    const char *name, *session_id; /* "" none */
    uint8_t device[GW_HASH_SIZE], user[GW_HASH_SIZE], group[GW_HASH_SIZE], previous[GW_HASH_SIZE];
    bool has_device, has_user, has_group, has_previous, device_is_user;
    int64_t timestamp_us, sent_at_us; /* 0: none */
    struct slice properties, context; /* JSON objects, or empty */
};

/* Fills the event and adds a fault for each member that is not usable; what was found of message id and device is
 * filled in also then. */
void gw_event_map(struct gw_event *event, const struct json_node *node,
                  const struct gw_event_source *source, struct gw_faults *faults,
                  struct arena *arena);

/* The allow-listed members of a context as a JSON object; empty when there are none. */
struct slice gw_context_reduce(const struct json_node *context, struct arena *arena);
