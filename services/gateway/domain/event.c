#include "event.h"
#include "schema.h"

struct mapping {
    struct gw_event *event;
    struct gw_facts facts;
    const struct gw_form *form;
    const struct gw_event_source *source;
    struct gw_faults *faults;
    struct slice address; /* cut; or empty */
    struct arena *arena;
};

static void fault(struct mapping *m, enum gw_fact member, const char *code, const char *message)
{
    gw_fault_add(m->faults, gw_form_path(m->form, &m->facts, member), code, message);
}

static struct slice raw_of(const struct mapping *m, enum gw_fact member)
{
    return m->facts.at[member];
}

static bool is_type(struct slice raw, enum json_type type)
{
    struct json_reader r = json_reader_make(raw, NULL);
    return raw.size && json_reader_type(&r) == (int)type;
}

/* Clients send ids as strings, some as numbers: their text. Empty is none. */
static struct slice identifier(struct mapping *m, enum gw_fact member, size_t limit,
                               const char *too_long)
{
    struct slice raw = raw_of(m, member), text = slice_make(NULL, 0);
    if (is_type(raw, JSON_STRING))
        text = json_raw_string(raw, m->arena);
    else if (is_type(raw, JSON_NUMBER))
        text = raw;
    else if (raw.size)
        fault(m, member, "wrong_type", "must be a string");
    if (text.size > limit) {
        fault(m, member, "too_long", too_long);
        text = slice_make(NULL, 0);
    }
    return text;
}

static struct slice person(struct mapping *m, enum gw_fact member)
{
    return identifier(m, member, GW_MAX_IDENTIFIER, "must have at most 1024 bytes");
}

static void map_message_id(struct mapping *m)
{
    struct slice text =
        identifier(m, GW_FACT_MESSAGE_ID, GW_MAX_MESSAGE_ID, "must have at most 200 bytes");
    if (text.size == 0)
        return;
    if (memchr(text.data, 0, text.size))
        fault(m, GW_FACT_MESSAGE_ID, "invalid_characters", "holds characters that are not text");
    else
        m->event->message_id = arena_str(m->arena, text);
}

static const char *types_of(const struct mapping *m)
{
    _cleanup_(buf_deinit) struct buf text = {0};
    buf_append_str(&text, "must be one of");
    for (unsigned i = 0; i < m->form->n_types; i++)
        buf_printf(&text, "%c%s", i ? '|' : ' ', m->form->types[i].word);
    const char *message = arena_str(m->arena, buf_slice(&text));
    return message ? message : "is not one that this form has";
}

/* The route's, else what the form says of the event's own word. *name: the one that the word stands for, or NULL. */
static void map_type(struct mapping *m, const char **name)
{
    struct slice raw = raw_of(m, GW_FACT_TYPE), text = json_raw_string(raw, m->arena);
    m->event->type = m->source->type;
    *name = NULL;
    if (m->source->type != GW_EVENT_BY_BODY)
        return;
    m->event->type = !raw.size || (m->form->any_type && is_type(raw, JSON_STRING))
                         ? GW_EVENT_TRACK
                         : GW_EVENT_BY_BODY;
    for (unsigned i = 0; text.data && i < m->form->n_types; i++)
        if (slice_equal_str(text, m->form->types[i].word)) {
            m->event->type = m->form->types[i].type;
            *name = m->form->types[i].name;
        }
    if (m->event->type == GW_EVENT_BY_BODY)
        fault(m, GW_FACT_TYPE, is_type(raw, JSON_STRING) ? "not_allowed" : "wrong_type",
              types_of(m));
}

static void map_name(struct mapping *m, const char *by_type)
{
    enum gw_event_type type = m->event->type;
    bool track = type == GW_EVENT_TRACK;
    enum gw_fact member = track ? GW_FACT_NAME : GW_FACT_PAGE_NAME;
    struct slice raw = raw_of(m, member);
    m->event->name = by_type ? by_type : "";
    if (by_type || !(track || type == GW_EVENT_PAGE || type == GW_EVENT_SCREEN))
        return;
    if (!raw.size) {
        if (track)
            fault(m, member, "required", "is required");
        return;
    }
    if (!is_type(raw, JSON_STRING)) {
        fault(m, member, "wrong_type", "must be a string");
        return;
    }
    const char *name = gw_text_of(json_raw_string(raw, m->arena), m->arena);
    size_t characters = gw_characters(slice_str(name));
    if (characters == 0 && track)
        fault(m, member, "required", "is required");
    else if (characters > GW_MAX_EVENT_NAME)
        fault(m, member, "too_long", "must have at most 255 characters");
    else if (name)
        m->event->name = name;
}

static struct slice map_session(struct mapping *m)
{
    struct slice text =
        identifier(m, GW_FACT_SESSION_ID, GW_MAX_IDENTIFIER, "must have at most 100 characters");
    m->event->session_id = "";
    if (gw_characters(text) > 100) {
        fault(m, GW_FACT_SESSION_ID, "too_long", "must have at most 100 characters");
    } else if (text.size && memchr(text.data, 0, text.size)) {
        fault(m, GW_FACT_SESSION_ID, "invalid_characters", "holds characters that are not text");
    } else if (text.size) {
        m->event->session_id = arena_str(m->arena, text);
        return text;
    }
    return slice_make(NULL, 0);
}

static void map_group(struct mapping *m)
{
    struct slice group = person(m, GW_FACT_GROUP_ID);
    if (group.size) {
        gw_hash_identifier(m->event->group, m->source->hash_key, "group", group);
        m->event->has_group = true;
    } else {
        fault(m, GW_FACT_GROUP_ID, "required", "is required");
    }
}

static void map_previous(struct mapping *m, struct slice anonymous)
{
    struct slice previous = person(m, GW_FACT_PREVIOUS_ID);
    bool device = anonymous.size && slice_equal(previous, anonymous);
    if (previous.size) {
        gw_hash_identifier(m->event->previous, m->source->hash_key, device ? "device" : "user",
                           previous);
        m->event->has_previous = true;
    } else {
        fault(m, GW_FACT_PREVIOUS_ID, "required", "is required");
    }
}

/* Who: the device is the anonymous id, else the user, else the session that was named. */
static void map_identity(struct mapping *m, struct slice session)
{
    struct gw_event *e = m->event;
    const uint8_t *key = m->source->hash_key;
    struct slice anonymous = person(m, GW_FACT_ANONYMOUS_ID), user = person(m, GW_FACT_USER_ID);
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
        fault(m, GW_FACT_ANONYMOUS_ID, "required", "anonymousId or userId is required");
    }
    if (e->type == GW_EVENT_GROUP)
        map_group(m);
    if (e->type == GW_EVENT_ALIAS)
        map_previous(m, anonymous);
}

/* Digits alone: milliseconds since 1970, as some clients send them. */
static bool milliseconds(struct slice text, int64_t *time_us)
{
    int64_t ms = 0;
    if (text.size < 12 || text.size > 13)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        ms = ms * 10 + (text.data[i] - '0');
    }
    *time_us = ms * 1000;
    return *time_us <= GW_LATEST_US;
}

static int64_t map_time(struct mapping *m, enum gw_fact member)
{
    struct slice raw = raw_of(m, member), text;
    int64_t time_us = 0;
    if (!raw.size)
        return 0;
    text = is_type(raw, JSON_STRING) ? json_raw_string(raw, m->arena) : raw;
    if (m->form->times_in_ms && milliseconds(text, &time_us))
        return time_us;
    if (!is_type(raw, JSON_STRING))
        fault(m, member, "wrong_type", "must be an ISO 8601 time");
    else if (time_parse(&time_us, NULL, text) < 0)
        fault(m, member, "invalid_time", "must be an ISO 8601 time");
    return time_us;
}

static struct slice map_properties(struct mapping *m)
{
    struct slice properties = raw_of(m, GW_FACT_PROPERTIES);
    if (!properties.size || m->event->type > GW_EVENT_SCREEN)
        return slice_make(NULL, 0);
    if (!is_type(properties, JSON_OBJECT)) {
        fault(m, GW_FACT_PROPERTIES, "wrong_type", "must be an object");
        return slice_make(NULL, 0);
    }
    return properties;
}

/* What the batch says stands in for what the event leaves out; its context as a whole. */
static void inherit(struct mapping *m)
{
    const struct gw_facts *context = m->source->context;
    if (context && !raw_of(m, GW_FACT_CONTEXT).size)
        for (int i = GW_FACT_CONTEXT; i <= GW_FACT_IP; i++)
            m->facts.at[i] = context->at[i];
}

static struct slice quoted(struct mapping *m, struct slice text)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_write_slice(&w, text);
    return arena_slice(m->arena, buf_slice(&buf));
}

/* The browser's name and address, where the event itself does not say; of an address only what names no house. */
static void map_browser(struct mapping *m)
{
    struct slice address = json_raw_string(raw_of(m, GW_FACT_IP), m->arena);
    if (!raw_of(m, GW_FACT_USER_AGENT).size && m->source->user_agent.size)
        m->facts.at[GW_FACT_USER_AGENT] = quoted(m, m->source->user_agent);
    m->address = gw_address_cut(address.size ? address : m->source->address, m->arena);
    m->facts.at[GW_FACT_IP] = slice_make(NULL, 0);
}

static void map_context(struct mapping *m)
{
    struct slice context = raw_of(m, GW_FACT_CONTEXT);
    if (context.size && !is_type(context, JSON_OBJECT))
        fault(m, GW_FACT_CONTEXT, "wrong_type", "must be an object");
    map_browser(m);
    m->event->context = gw_context_write(&m->facts, m->arena);
}

/* ---- personal data ---- */

static void note(struct mapping *m, const struct gw_masked *masked)
{
    for (unsigned i = 0; i < GW_PERSONAL_COUNT; i++)
        m->event->masked |= (uint32_t)(masked->found[i] != 0) << i;
}

/* The value with marks; what they stand for is left in *whole. */
static struct slice mask_json(struct mapping *m, struct slice json, struct slice *whole)
{
    struct gw_masked masked;
    if (!json.size ||
        gw_mask_json(m->source->masker, json, m->source->allowed, &masked, m->arena) < 0)
        return slice_make(NULL, 0); /* the arena is full: the request is refused */
    note(m, &masked);
    if (masked.changed)
        *whole = json;
    return masked.json;
}

static const char *mask_name(struct mapping *m, const char *name, struct slice *whole)
{
    struct gw_masked masked;
    if (gw_mask_text(m->source->masker, slice_str(name), &masked, m->arena) < 0)
        return "";
    note(m, &masked);
    if (!masked.changed)
        return name;
    *whole = quoted(m, slice_str(name));
    return arena_str(m->arena, masked.json);
}

/* An id has to stay one: one that holds personal data becomes its hash. */
static const char *mask_id(struct mapping *m, const char *id, const char *space)
{
    struct gw_masked masked;
    uint8_t hash[GW_HASH_SIZE];
    if (!id || gw_mask_text(m->source->masker, slice_str(id), &masked, m->arena) < 0)
        return id ? "" : NULL;
    if (!masked.changed)
        return id;
    note(m, &masked);
    gw_hash_identifier(hash, m->source->hash_key, space, slice_str(id));
    return arena_str(m->arena, gw_hex(hash, sizeof(hash), m->arena));
}

/* The cut address joins the context behind the mask, which would take it for a whole one. */
static struct slice with_address(struct mapping *m, struct slice context)
{
    if (!m->address.size)
        return context;
    struct slice inner =
        context.size ? slice_make(context.data, context.size - 1) : SLICE_LITERAL("{");
    struct slice key = inner.size > 1 ? SLICE_LITERAL(",\"ip\":\"") : SLICE_LITERAL("\"ip\":\"");
    uint8_t *text = arena_alloc(m->arena, inner.size + key.size + m->address.size + 2);
    if (!text)
        return context;
    uint8_t *at = mempcpy(text, inner.data, inner.size);
    at = mempcpy(at, key.data, key.size);
    at = mempcpy(at, m->address.data, m->address.size);
    at = mempcpy(at, "\"}", 2);
    return slice_make(text, (size_t)(at - text));
}

/* What the sealed part holds: who says who they are, what was said of them, and what marks stand for now. */
static void map_personal(struct mapping *m)
{
    struct gw_event *e = m->event;
    struct slice name = {NULL, 0}, properties = {NULL, 0}, context = {NULL, 0};
    e->message_id = mask_id(m, e->message_id, "message");
    e->session_id = mask_id(m, e->session_id, "session_id");
    e->name = mask_name(m, e->name, &name);
    e->properties = mask_json(m, e->properties, &properties);
    e->context = with_address(m, mask_json(m, e->context, &context));
    const struct {
        const char *name;
        struct slice raw;
        bool needed; /* there is a reason to seal: the others only go with it */
    } parts[] = {
        {"userId", raw_of(m, GW_FACT_USER_ID), e->type >= GW_EVENT_IDENTIFY},
        {"anonymousId", raw_of(m, GW_FACT_ANONYMOUS_ID), e->type >= GW_EVENT_IDENTIFY},
        {"previousId", raw_of(m, GW_FACT_PREVIOUS_ID), true},
        {"groupId", raw_of(m, GW_FACT_GROUP_ID), e->type == GW_EVENT_GROUP},
        {"traits", raw_of(m, GW_FACT_TRAITS), true},
        {"contextTraits", raw_of(m, GW_FACT_CONTEXT_TRAITS), true},
        {"name", name, true},
        {"properties", properties, true},
        {"context", context, true},
    };
    bool needed = false;
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
        needed = needed || (parts[i].needed && parts[i].raw.size);
    if (!needed)
        return;
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_object(&w);
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].raw.size) {
            json_key(&w, parts[i].name);
            json_write_raw(&w, parts[i].raw);
        }
    json_end_object(&w);
    e->personal = arena_slice(m->arena, buf_slice(&buf));
}

void gw_event_map(struct gw_event *event, struct slice text, const struct gw_event_source *source,
                  struct gw_faults *faults, struct arena *arena)
{
    struct mapping m = {.event = event,
                        .form = gw_form_of(source->form),
                        .source = source,
                        .faults = faults,
                        .arena = arena};
    const char *name;
    *event = (struct gw_event){.name = "", .session_id = "", .prefetch = source->prefetch};
    event->opt_out = source->opt_out;
    if (!gw_form_read(source->form, text, &m.facts, faults, arena))
        return;
    if (m.form->finish && !m.form->finish(&m.facts, faults, arena))
        return;
    inherit(&m);
    map_message_id(&m);
    map_type(&m, &name);
    map_name(&m, name);
    map_identity(&m, map_session(&m));
    event->timestamp_us = map_time(&m, GW_FACT_TIMESTAMP);
    event->sent_at_us = map_time(&m, GW_FACT_SENT_AT);
    if (event->sent_at_us == 0)
        event->sent_at_us = source->sent_at_us;
    event->properties = map_properties(&m);
    map_context(&m);
    map_personal(&m);
}
