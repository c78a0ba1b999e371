#pragma once
/*
 * What a message says, read once: from an accepted event or a command into one form, cut and checked
 * so that every column takes it.
 */
#include "domain/engagement.h"
#include "domain/session.h"

#include "journey/v1/command.pb-c.h"
#include "journey/v1/event.pb-c.h"

/* Something that happened in a session. Texts are never NULL; "" is nothing; of jsonb columns they are
 * JSON that Postgres takes. */
struct happening {
    struct session_moment moment;
    const char *message_id;
    Journey__V1__ConsentStamp *consent; /* that came with it, or NULL */
    bool late, automatic;

    /* its touchpoint */
    const char *type, *name;
    const char *properties, *context; /* as sent */
    ProtobufCBinaryData sealed;
    const char *page_url, *page_title;
    const char *interaction_type, *interaction_data;
    const char *device_context, *performance_metrics, *personalization_applied;
    const char *ab_test_variant, *metadata;
    struct engagement engagement;
    int64_t value_cents;
    const char *trigger; /* of a move: what caused it */
    const char *item;    /* that was looked at */

    /* its conversion */
    bool has_goal;
    struct session_goal goal;
    const char *funnel_step;
    const char *attribution_data, *product_data, *user_data, *campaign_data, *device_data;
};

void reading_event(struct happening *h, const Journey__V1__Accepted *accepted,
                   const struct session_rules *rules, struct arena *arena);
/* The part that commands of every kind have: when, and by whom. sent_us: 0 for receipt. */
void reading_command(struct happening *h, const Journey__V1__Command *command, int64_t sent_us,
                     int64_t now_us);
void reading_stage(struct happening *h, const Journey__V1__ChangeStage *stage, struct arena *arena);
void reading_touchpoint(struct happening *h, const Journey__V1__AddTouchpoint *touchpoint,
                        struct arena *arena);
void reading_conversion(struct happening *h, const Journey__V1__AddConversion *conversion,
                        const struct session_rules *rules, struct arena *arena);
void reading_profile(struct session_profile *profile, const Journey__V1__SessionStart *start,
                     struct arena *arena);
/* exit_point is jsonb: JSON as it is, any other text as a string. */
const char *reading_exit_point(const char *text, struct arena *arena);

/* The order that an event names, "" when none: what is looked up before it is decided. */
const char *reading_order_id(const char *order_id, struct arena *arena);
const char *reading_order(const Journey__V1__Event *event, struct arena *arena);

/* Column widths, in characters. */
enum {
    CHARS_NAME = 255,
    CHARS_TYPE = 50,
    CHARS_ID = 100,
    CHARS_URL = 2000
};
