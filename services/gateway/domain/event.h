#pragma once
/*
 * One event, of whatever form, as it leaves the gateway: identifiers as hashes, context cut to an allow-list, properties
 * byte for byte; what of it is readable personal data is set apart, to be sealed.
 */
#include "form.h"
#include "identity.h"
#include "mask.h"

#define GW_MAX_EVENT_BYTES  32768
#define GW_MAX_BATCH_BYTES  512000
#define GW_MAX_BATCH_EVENTS 2500
#define GW_MAX_MESSAGE_ID   200 /* bytes */
#define GW_MAX_EVENT_NAME   255 /* characters, as the column */
#define GW_MAX_IDENTIFIER   1024
#define GW_LATEST_US        INT64_C(9214646400000000) /* 2261-12-31: time_parse's last year */

/* What the request says beside the event. */
struct gw_event_source {
    const uint8_t *hash_key; /* the tenant's, 32 bytes */
    const struct gw_form_index *form;
    enum gw_event_type type; /* of the route; BY_BODY: the event's own member, default track */
    int64_t sent_at_us;      /* the batch's; 0: none */
    const struct gw_facts *context; /* the batch's, for events without one; NULL: none */
    struct slice user_agent,
        address; /* of a browser's request, for events that do not say; or empty */
    struct gw_masker *masker;
    struct slice allowed; /* members that the tenant lets pass, as mask.h says */
    bool prefetch, opt_out;
};

struct gw_event {
    const char *message_id; /* NULL: none that can be used */
    enum gw_event_type type;
    const char *name, *session_id; /* "" none */
    uint8_t device[GW_HASH_SIZE], user[GW_HASH_SIZE], group[GW_HASH_SIZE], previous[GW_HASH_SIZE];
    bool has_device, has_user, has_group, has_previous, device_is_user;
    bool prefetch, opt_out;
    int64_t timestamp_us, sent_at_us; /* 0: none */
    struct slice properties, context; /* JSON objects, masked, or empty */
    uint32_t masked;                  /* bits: 1 << enum gw_personal of what was taken out */
    struct slice personal; /* a JSON object of what only the sealed part may hold; empty: nothing */
};

/* Fills the event and adds a fault for each member that is not usable; what was found of message id and device is
 * filled in also then. */
void gw_event_map(struct gw_event *event, struct slice text, const struct gw_event_source *source,
                  struct gw_faults *faults, struct arena *arena);

/* context.c: the allow-listed members of a context as a JSON object; empty when there are none. */
struct slice gw_context_write(const struct gw_facts *facts, struct arena *arena);
