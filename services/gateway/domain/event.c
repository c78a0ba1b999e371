#include "event.h"
#include "schema.h"

struct mapping {
    struct gw_event *event;
    const struct json_node *node;
    const struct gw_event_source *source;
    struct gw_faults *faults;
    struct arena *arena;
};

static void fault(struct mapping *m, const char *field, const char *code, const char *message)
{
    gw_fault_add(m->faults, field, code, message);
}

static bool absent(const struct json_node *node)
{
    return !node || json_is(node, JSON_NULL);
}

/* Clients send ids as strings, some as numbers: their text. Empty is none. */
static struct slice identifier(struct mapping *m, const char *name)
{
    const struct json_node *node = json_get(m->node, name);
    struct slice text = slice_make(NULL, 0);
    if (json_is(node, JSON_STRING))
        text = json_string(node, m->arena);
    else if (json_is(node, JSON_NUMBER))
        text = node->raw;
    else if (!absent(node))
        fault(m, name, "wrong_type", "must be a string");
    if (text.size > GW_MAX_IDENTIFIER) {
        fault(m, name, "too_long", "must have at most 1024 bytes");
        text = slice_make(NULL, 0);
    }
    return text;
}

static void map_message_id(struct mapping *m)
{
    struct slice text = identifier(m, "messageId");
    if (text.size == 0)
        return;
    if (text.size > GW_MAX_MESSAGE_ID)
        fault(m, "messageId", "too_long", "must have at most 200 bytes");
    else if (memchr(text.data, 0, text.size))
        fault(m, "messageId", "invalid_characters", "holds characters that are not text");
    else
        m->event->message_id = arena_str(m->arena, text);
}

static void map_type(struct mapping *m)
{
    static const char *const names[] = {
        [GW_EVENT_TRACK] = "track",       [GW_EVENT_PAGE] = "page",   [GW_EVENT_SCREEN] = "screen",
        [GW_EVENT_IDENTIFY] = "identify", [GW_EVENT_GROUP] = "group", [GW_EVENT_ALIAS] = "alias"};
    const struct json_node *type = json_get(m->node, "type");
    m->event->type = m->source->type;
    if (m->source->type != GW_EVENT_BY_BODY)
        return;
    if (absent(type)) {
        m->event->type = GW_EVENT_TRACK;
        return;
    }
    struct slice text = json_string(type, m->arena);
    for (unsigned i = GW_EVENT_TRACK; i < ARRAY_SIZE(names); i++)
        if (slice_equal_str(text, names[i]))
            m->event->type = (enum gw_event_type)i;
    if (m->event->type == GW_EVENT_BY_BODY)
        fault(m, "type", json_is(type, JSON_STRING) ? "not_allowed" : "wrong_type",
              "must be one of track, page, screen, identify, group, alias");
}

static void map_name(struct mapping *m)
{
    bool track = m->event->type == GW_EVENT_TRACK;
    bool named = track || m->event->type == GW_EVENT_PAGE || m->event->type == GW_EVENT_SCREEN;
    const char *member = track ? "event" : "name";
    const struct json_node *node = named ? json_get(m->node, member) : NULL;
    m->event->name = "";
    if (absent(node)) {
        if (track)
            fault(m, member, "required", "is required");
        return;
    }
    if (!json_is(node, JSON_STRING)) {
        fault(m, member, "wrong_type", "must be a string");
        return;
    }
    const char *name = gw_text(node, m->arena);
    size_t characters = gw_characters(slice_str(name));
    if (characters == 0 && track)
        fault(m, member, "required", "is required");
    else if (characters > GW_MAX_EVENT_NAME)
        fault(m, member, "too_long", "must have at most 255 characters");
    else if (name)
        m->event->name = name;
}

/* context.session_id, context.sessionId (a number in some SDKs) or the event's own sessionId. */
static struct slice map_session(struct mapping *m, const struct json_node *context)
{
    static const char *const members[] = {"session_id", "sessionId"};
    const struct json_node *node = NULL;
    const char *field = "sessionId";
    for (unsigned i = 0; i < ARRAY_SIZE(members) && absent(node); i++) {
        node = json_get(context, members[i]);
        field = i ? "context.sessionId" : "context.session_id";
    }
    if (absent(node)) {
        node = json_get(m->node, "sessionId");
        field = "sessionId";
    }
    m->event->session_id = "";
    struct slice text = slice_make(NULL, 0);
    if (json_is(node, JSON_STRING))
        text = json_string(node, m->arena);
    else if (json_is(node, JSON_NUMBER))
        text = node->raw;
    else if (!absent(node))
        fault(m, field, "wrong_type", "must be a string");
    if (gw_characters(text) > 100) {
        fault(m, field, "too_long", "must have at most 100 characters");
    } else if (text.size && memchr(text.data, 0, text.size)) {
        fault(m, field, "invalid_characters", "holds characters that are not text");
    } else if (text.size) {
        m->event->session_id = arena_str(m->arena, text);
        return text;
    }
    return slice_make(NULL, 0);
}

/* Who: the device is the anonymous id, else the user, else the session that was named. */
static void map_identity(struct mapping *m, struct slice session)
{
    struct gw_event *e = m->event;
    const uint8_t *key = m->source->hash_key;
    struct slice anonymous = identifier(m, "anonymousId"), user = identifier(m, "userId");
    if (user.size) {
        gw_hash_identifier(e->user, key, "user", user);
        e->has_user = true;
    }
    e->has_device = true;
    if (anonymous.size) {
        gw_hash_identifier(e->device, key, "device", anonymous);
    } else if (user.size) {
        memcpy(e->device, e->user, sizeof(e->device));
        e->device_is_user = true;
    } else if (session.size) {
        gw_hash_identifier(e->device, key, "session", session);
    } else {
        e->has_device = false;
        fault(m, "anonymousId", "required", "anonymousId or userId is required");
    }
    if (e->type == GW_EVENT_GROUP) {
        struct slice group = identifier(m, "groupId");
        if (group.size) {
            gw_hash_identifier(e->group, key, "group", group);
            e->has_group = true;
        } else {
            fault(m, "groupId", "required", "is required");
        }
    }
    if (e->type == GW_EVENT_ALIAS) {
        struct slice previous = identifier(m, "previousId");
        bool device = anonymous.size && slice_equal(previous, anonymous);
        if (previous.size) {
            gw_hash_identifier(e->previous, key, device ? "device" : "user", previous);
            e->has_previous = true;
        } else {
            fault(m, "previousId", "required", "is required");
        }
    }
}

static int64_t map_time(struct mapping *m, const char *member)
{
    const struct json_node *node = json_get(m->node, member);
    int64_t time_us = 0;
    if (absent(node))
        return 0;
    if (!json_is(node, JSON_STRING))
        fault(m, member, "wrong_type", "must be an ISO 8601 time");
    else if (time_parse(&time_us, NULL, json_string(node, m->arena)) < 0)
        fault(m, member, "invalid_time", "must be an ISO 8601 time");
    return time_us;
}

static struct slice map_properties(struct mapping *m)
{
    const struct json_node *properties = json_get(m->node, "properties");
    if (absent(properties) || m->event->type > GW_EVENT_SCREEN)
        return slice_make(NULL, 0);
    if (!json_is(properties, JSON_OBJECT)) {
        fault(m, "properties", "wrong_type", "must be an object");
        return slice_make(NULL, 0);
    }
    return properties->raw;
}

void gw_event_map(struct gw_event *event, const struct json_node *node,
                  const struct gw_event_source *source, struct gw_faults *faults,
                  struct arena *arena)
{
    *event = (struct gw_event){.name = "", .session_id = ""};
    struct mapping m = {event, node, source, faults, arena};
    if (!json_is(node, JSON_OBJECT)) {
        fault(&m, "", "wrong_type", "an event must be an object");
        return;
    }
    const struct json_node *context = json_get(node, "context");
    if (!absent(context) && !json_is(context, JSON_OBJECT))
        fault(&m, "context", "wrong_type", "must be an object");
    if (absent(context))
        context = source->context;
    map_message_id(&m);
    map_type(&m);
    map_name(&m);
    map_identity(&m, map_session(&m, context));
    event->timestamp_us = map_time(&m, "timestamp");
    if (event->timestamp_us == 0)
        event->timestamp_us = map_time(&m, "originalTimestamp");
    event->sent_at_us = map_time(&m, "sentAt");
    if (event->sent_at_us == 0)
        event->sent_at_us = source->sent_at_us;
    event->properties = map_properties(&m);
    event->context = gw_context_reduce(context, arena);
}
