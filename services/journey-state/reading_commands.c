/* Commands. */
#include "domain/money.h"
#include "domain/text.h"
#include "jsonb.h"
#include "reading.h"
#include "reading_inside.h"

void reading_command(struct happening *h, const Journey__V1__Command *command, int64_t sent_us,
                     int64_t now_us)
{
    int64_t received = command->received_us > 0 ? command->received_us : now_us;
    reading_clear(h);
    h->moment.received_us = received;
    /* what has happened lies not in the future, whatever a client's clock says */
    h->moment.time_us = sent_us > 0 ? min_i64(sent_us, received) : received;
    h->message_id = command->message_id ? command->message_id : "";
    h->consent = command->consent;
}

static void read_engagement(struct engagement *e, const Journey__V1__EngagementMetrics *metrics)
{
    if (metrics)
        *e = (struct engagement){metrics->time_on_page, metrics->scroll_depth,
                                 metrics->interaction_count, metrics->engagement_score};
}

/* Kept beside what the client put into metadata itself: {..., "contextual_data": {...}}. */
static const char *with_context(const char *metadata, const char *contextual, struct arena *arena)
{
    const char *context = jsonb_object(jsonb_parse(contextual, arena), arena);
    if (!context[0])
        return metadata;
    const struct json_node *object = jsonb_parse(metadata, arena);
    size_t size = object && object->count ? strlen(metadata) - 1 : 0; /* without its brace */
    const char *merged = arena_printf(arena, "%.*s%s\"contextual_data\":%s}", (int)size, metadata,
                                      size ? "," : "{", context);
    return merged ? merged : "";
}

static const char *item_of(const char *contextual, struct arena *arena)
{
    const struct json_node *context = jsonb_parse(contextual, arena);
    const struct json_node *item = json_get(context, "item_id");
    return jsonb_string(item ? item : json_get(context, "product_id"), CHARS_ID, arena);
}

void reading_stage(struct happening *h, const Journey__V1__ChangeStage *stage, struct arena *arena)
{
    read_engagement(&h->engagement, stage->engagement);
    h->type = "interaction";
    h->trigger = h->name = text_cut(arena, stage->trigger_event, CHARS_NAME);
    h->metadata = with_context("", stage->contextual_data, arena);
    h->item = item_of(stage->contextual_data, arena);
}

void reading_touchpoint(struct happening *h, const Journey__V1__AddTouchpoint *t,
                        struct arena *arena)
{
    const struct json_node *columns = jsonb_parse(t->columns, arena);
    const char *type = text_cut(arena, t->touchpoint_type, CHARS_TYPE);
    read_engagement(&h->engagement, t->engagement);
    reading_columns(h, columns, arena);
    h->type = type[0] ? type : "interaction";
    h->name = jsonb_string(json_get(columns, "event_name"), CHARS_NAME, arena);
    h->trigger = h->name;
    h->interaction_data = jsonb_object(json_get(columns, "interaction_data"), arena);
    h->device_context = jsonb_object(json_get(columns, "device_context"), arena);
    if (!reading_money(&h->value_cents, json_get(columns, "conversion_value"), arena))
        h->value_cents = 0;
    h->metadata = with_context(h->metadata, t->contextual_data, arena);
    h->item = item_of(t->contextual_data, arena);
}

const char *reading_order_id(const char *order_id, struct arena *arena)
{
    return text_cut(arena, order_id, CHARS_ID);
}

void reading_conversion(struct happening *h, const Journey__V1__AddConversion *c,
                        const struct session_rules *rules, struct arena *arena)
{
    const struct json_node *columns = jsonb_parse(c->columns, arena);
    const char *type = text_cut(arena, c->event_type, CHARS_TYPE);
    if (!c->event_value || money_parse(&h->value_cents, slice_str(c->event_value)) < 0)
        h->value_cents = 0;
    reading_goal(h, type, c->event_currency ? c->event_currency : "", rules, arena);
    h->goal.order_id = reading_order_id(c->order_id, arena);
    h->type = "conversion_event";
    h->trigger = h->name = type;
    h->funnel_step = text_cut(arena, c->funnel_step, CHARS_TYPE);
    h->attribution_data = jsonb_object(json_get(columns, "attribution_data"), arena);
    h->product_data = jsonb_object(json_get(columns, "product_data"), arena);
    h->user_data = jsonb_object(json_get(columns, "user_data"), arena);
    h->campaign_data = jsonb_object(json_get(columns, "campaign_data"), arena);
    h->device_data = jsonb_object(json_get(columns, "device_data"), arena);
}

const char *reading_exit_point(const char *text, struct arena *arena)
{
    const struct json_node *json = jsonb_parse(text, arena);
    if (!text || !text[0] || json_is(json, JSON_NULL))
        return "";
    if (json)
        return jsonb_node(json, arena);
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_write_str(&w, text);
    const char *copy = arena_str(arena, buf_slice(&buf));
    return copy ? copy : "";
}
