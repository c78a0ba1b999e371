/* Accepted events, and how a session begins. */
#include "reading.h"

#include "domain/money.h"
#include "domain/text.h"
#include "jsonb.h"
#include "reading_inside.h"

#define COUNT_MAX 2147483647

void reading_clear(struct happening *h)
{
    *h = (struct happening){
        .message_id = "",
        .type = "",
        .name = "",
        .properties = "",
        .context = "",
        .page_url = "",
        .page_title = "",
        .interaction_type = "",
        .interaction_data = "",
        .device_context = "",
        .performance_metrics = "",
        .personalization_applied = "",
        .ab_test_variant = "",
        .metadata = "",
        .trigger = "",
        .item = "",
        .funnel_step = "",
        .attribution_data = "",
        .product_data = "",
        .user_data = "",
        .campaign_data = "",
        .device_data = "",
        .engagement = ENGAGEMENT_NONE,
        .goal = {.type = "", .currency = "", .order_id = ""},
    };
}

/* ---- members ---- */

static const struct json_node *first_of(const struct json_node *object, const char *a,
                                        const char *b)
{
    const struct json_node *node = json_get(object, a);
    return node && node->type != JSON_NULL ? node : json_get(object, b);
}

/* A number that is not negative, else -1. */
static double measure(const struct json_node *node)
{
    double value;
    return json_double(node, &value) == 0 && value >= 0 ? value : -1;
}

static int64_t measure_count(const struct json_node *node)
{
    double value = measure(node);
    return value > COUNT_MAX ? COUNT_MAX : (int64_t)value;
}

bool reading_money(int64_t *cents, const struct json_node *node, struct arena *arena)
{
    if (json_is(node, JSON_NUMBER))
        return money_parse(cents, node->raw) == 0;
    if (json_is(node, JSON_STRING))
        return money_parse(cents, json_string(node, arena)) == 0;
    return false;
}

/* The members that events and touchpoints by command share with the table's columns. */
void reading_columns(struct happening *h, const struct json_node *object, struct arena *arena)
{
    h->interaction_type = jsonb_string(json_get(object, "interaction_type"), CHARS_TYPE, arena);
    h->ab_test_variant = jsonb_string(json_get(object, "ab_test_variant"), CHARS_TYPE, arena);
    h->performance_metrics = jsonb_object(json_get(object, "performance_metrics"), arena);
    h->personalization_applied = jsonb_object(json_get(object, "personalization_applied"), arena);
    h->metadata = jsonb_object(json_get(object, "metadata"), arena);
    h->page_url = jsonb_string(first_of(object, "page_url", "url"), CHARS_URL, arena);
    h->page_title = jsonb_string(first_of(object, "page_title", "title"), CHARS_NAME, arena);
    double score = measure(json_get(object, "engagement_score"));
    double depth = measure(json_get(object, "scroll_depth"));
    double seconds = measure(first_of(object, "duration_seconds", "time_on_page"));
    int64_t clicks = measure_count(first_of(object, "click_count", "interaction_count"));
    if (score >= 0 && score <= 1)
        h->engagement.score = score;
    if (depth >= 0 && depth <= 1)
        h->engagement.scroll_depth = depth;
    if (seconds >= 0)
        h->engagement.time_on_page = seconds;
    if (clicks >= 0)
        h->engagement.interaction_count = clicks;
}

/* ---- events ---- */

static const char *order_of(const struct json_node *properties, struct arena *arena)
{
    return jsonb_string(first_of(properties, "order_id", "orderId"), CHARS_ID, arena);
}

const char *reading_order(const Journey__V1__Event *event, struct arena *arena)
{
    /* most events name no order, and need not be read twice */
    if (event->type != JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK || !event->properties ||
        (!strstr(event->properties, "order_id") && !strstr(event->properties, "orderId")))
        return "";
    return order_of(jsonb_parse(event->properties, arena), arena);
}

static const char *event_type(const Journey__V1__Event *event, bool goal, struct arena *arena)
{
    const char *snake;
    switch (event->type) {
    case JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_PAGE:
    case JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_SCREEN:
        return "page_view";
    case JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_IDENTIFY:
        return "identify";
    case JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_GROUP:
        return "group";
    case JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_ALIAS:
        return "alias";
    default:
        if (goal)
            return "conversion_event";
        snake = text_snake(arena, event->name, CHARS_TYPE);
        return snake[0] ? snake : "track";
    }
}

static const char *currency_of(const char *text, const struct session_rules *rules,
                               struct arena *arena)
{
    char upper[4] = {0};
    for (int i = 0; i < 3; i++) {
        char c = text[i];
        if ((c | 0x20) < 'a' || (c | 0x20) > 'z')
            return rules->currency;
        upper[i] = (char)(c & ~0x20);
    }
    const char *copy = text[3] ? NULL : arena_copy(arena, upper, 3);
    return copy ? copy : rules->currency;
}

void reading_goal(struct happening *h, const char *type, const char *currency,
                  const struct session_rules *rules, struct arena *arena)
{
    h->has_goal = true;
    h->goal.type = type;
    h->goal.currency = currency_of(currency, rules, arena);
    h->goal.cents = h->value_cents;
}

static void read_event_goal(struct happening *h, const char *type,
                            const struct json_node *properties, const struct json_node *context,
                            const struct session_rules *rules, struct arena *arena)
{
    static const char *const values[] = {"revenue", "total", "value"};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        if (reading_money(&h->value_cents, json_get(properties, values[i]), arena))
            break;
    reading_goal(h, type, jsonb_string(json_get(properties, "currency"), 4, arena), rules, arena);
    h->goal.order_id = order_of(properties, arena);
    h->product_data = jsonb_node(json_get(properties, "products"), arena);
    h->campaign_data = jsonb_object(json_get(context, "campaign"), arena);
    h->device_data = h->device_context;
}

static const char *item_of(const struct json_node *properties, struct arena *arena)
{
    const struct json_node *item = first_of(properties, "product_id", "item_id");
    return jsonb_string(item ? item : json_get(properties, "sku"), CHARS_ID, arena);
}

static const uint8_t *id16(ProtobufCBinaryData data)
{
    return data.len == 16 ? data.data : NULL;
}

void reading_event(struct happening *h, const Journey__V1__Accepted *a,
                   const struct session_rules *rules, struct arena *arena)
{
    const Journey__V1__Event *e = a->event;
    const struct json_node *properties = jsonb_parse(e->properties, arena);
    const struct json_node *context = jsonb_parse(e->context, arena);
    bool track = e->type == JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    const char *goal = track ? goals_type(rules->goals, e->name) : NULL;
    reading_clear(h);
    h->moment = (struct session_moment){.time_us = a->time_us,
                                        .received_us = a->received_us,
                                        .user = id16(e->user),
                                        .device = id16(e->device)};
    h->message_id = e->message_id;
    h->consent = a->consent;
    h->late = a->late;
    h->automatic = a->enrichment && (a->enrichment->bot || a->enrichment->prefetch);
    h->sealed = e->sealed;
    h->name = text_cut(arena, e->name, CHARS_NAME);
    h->type = event_type(e, goal != NULL, arena);
    h->properties = e->properties;
    h->context = e->context;
    h->interaction_data = jsonb_object(properties, arena);
    h->device_context = jsonb_object(json_get(context, "device"), arena);
    h->trigger = h->name;
    reading_columns(h, properties, arena);
    if (!h->page_url[0])
        h->page_url = jsonb_string(json_path(context, "page.url"), CHARS_URL, arena);
    if (!h->page_title[0])
        h->page_title = jsonb_string(json_path(context, "page.title"), CHARS_NAME, arena);
    if (track && strcmp(e->name, "Product Viewed") == 0)
        h->item = item_of(properties, arena);
    if (goal)
        read_event_goal(h, goal, properties, context, rules, arena);
}

/* ---- how a session begins ---- */

void reading_profile(struct session_profile *p, const Journey__V1__SessionStart *start,
                     struct arena *arena)
{
    Journey__V1__SessionStart none;
    journey__v1__session_start__init(&none);
    const Journey__V1__SessionStart *s = start ? start : &none;
    bool persona = s->persona_type && s->persona_type[0];
    double confidence = s->persona_confidence;
    *p = (struct session_profile){
        .persona_type = persona ? text_cut(arena, s->persona_type, CHARS_TYPE) : "GeneralVisitor",
        .persona_confidence = persona && confidence >= 0 && confidence <= 1 ? confidence : 0.5,
        .device_type = s->device_type,
        .device_fingerprint = text_cut(arena, s->device_fingerprint, CHARS_NAME),
        .device_context = jsonb_text(s->device_context, arena),
        .entry_point = jsonb_text(s->entry_point, arena),
        .entry_source = text_cut(arena, s->entry_source, CHARS_ID),
        .utm_data = jsonb_text(s->utm_data, arena),
        .referrer_data = jsonb_text(s->referrer_data, arena),
        .intent_signals = jsonb_text(s->intent_signals, arena),
        .returning_visitor = jsonb_text(s->returning_visitor, arena),
        .returning = s->returning,
    };
}
