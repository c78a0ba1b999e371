/* What each route says, as the body of a Command. Bodies were checked by their tables. */
#include "commands.h"
#include "domain/bodies.h"
#include "domain/identity.h"
#include "domain/mask.h"
#include "routes.h"

#include <stdlib.h>

#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX     500

static void *message(struct command_build *b, const ProtobufCMessageDescriptor *type)
{
    void *message = arena_alloc(b->arena, type->sizeof_message);
    if (message)
        protobuf_c_message_init(type, message);
    return message;
}

static const struct json_node *at(struct command_build *b, const char *path)
{
    const struct json_node *node = json_path(b->body, path);
    return json_is(node, JSON_NULL) ? NULL : node;
}

/* What people wrote travels masked. protobuf-c has no const texts; "" when there is none. */
static char *text(struct command_build *b, const struct json_node *node)
{
    const char *s = gw_text(node, b->arena);
    struct gw_masked masked;
    if (gw_mask_text(b->exchange->gateway->masker, slice_str(s), &masked, b->arena) < 0)
        return NULL; /* the arena is full */
    return arena_str(b->arena, masked.json);
}

static char *masked(struct command_build *b, struct slice json)
{
    struct gw_masked out = {.json = json};
    if (json.size &&
        gw_mask_json(b->exchange->gateway->masker, json, slice_make(NULL, 0), &out, b->arena) < 0)
        return NULL;
    return arena_str(b->arena, out.json);
}

static char *raw(struct command_build *b, struct slice json)
{
    return arena_str(b->arena, json);
}

static char *raw_at(struct command_build *b, const char *path)
{
    const struct json_node *node = at(b, path);
    return masked(b, node ? node->raw : slice_make(NULL, 0));
}

static double number_at(struct command_build *b, const char *path, double otherwise)
{
    double value = 0;
    const struct json_node *node = at(b, path);
    return node && json_double(node, &value) >= 0 ? value : otherwise;
}

/* The keyed hash of an identifier; empty when it was not sent. */
static ProtobufCBinaryData hashed(struct command_build *b, const char *space, struct slice id)
{
    uint8_t *hash = id.size ? arena_alloc(b->arena, GW_HASH_SIZE) : NULL;
    if (!hash)
        return (ProtobufCBinaryData){0, NULL};
    gw_hash_identifier(hash, b->exchange->key.tenant.hash_key, space, id);
    return (ProtobufCBinaryData){GW_HASH_SIZE, hash};
}

static struct slice hex(struct command_build *b, ProtobufCBinaryData hash)
{
    return gw_hex(hash.data, hash.len, b->arena);
}

static bool any_truthy(const struct json_node *object)
{
    for (const struct json_node *m = object ? object->child : NULL; m; m = m->next)
        if (json_truthy(m))
            return true;
    return false;
}

static char *lower(char *s)
{
    for (char *p = s; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p | 0x20);
    return s;
}

static char *upper(char *s)
{
    for (char *p = s; p && *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p & ~0x20);
    return s;
}

static Journey__V1__SessionStart *session_start(struct command_build *b)
{
    Journey__V1__SessionStart *s = message(b, &journey__v1__session_start__descriptor);
    if (!s)
        return NULL;
    s->persona_type = text(b, at(b, "persona.type"));
    s->persona_confidence = number_at(b, "persona.confidence", 0.5);
    s->device_type = text(b, at(b, "device_context.type"));
    struct slice fingerprint = json_string(at(b, "device_context.fingerprint"), b->arena);
    s->device_fingerprint = raw(b, hex(b, hashed(b, "fingerprint", fingerprint)));
    s->device_context =
        masked(b, gw_object_without(at(b, "device_context"), "fingerprint", b->arena));
    s->entry_point = raw_at(b, "entry_point");
    s->utm_data = raw_at(b, "utm_data");
    s->referrer_data = raw_at(b, "referrer_data");
    s->intent_signals = raw_at(b, "intent_signals");
    s->returning_visitor = raw_at(b, "returning_visitor_indicators");
    s->entry_source = lower(text(b, at(b, "entry_point.source")));
    s->returning = any_truthy(at(b, "returning_visitor_indicators"));
    s->anonymous_device = hashed(b, "device", json_string(at(b, "anonymous_id"), b->arena));
    return s;
}

void build_start(struct command_build *b)
{
    Journey__V1__StartSession *start = message(b, &journey__v1__start_session__descriptor);
    b->command->subject = text(b, at(b, "session_id"));
    if (!start || !(start->start = session_start(b)))
        return;
    start->user = hashed(b, "user", json_string(at(b, "user_id"), b->arena));
    start->device = start->start->anonymous_device;
    if (!start->device.len)
        start->device = hashed(b, "session", slice_str(b->command->subject));
    start->timestamp_us = gw_time(at(b, "timestamp"), b->now_us, b->arena);
    b->key_id = hex(b, start->device);
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_START;
    b->command->start = start;
}

static Journey__V1__EngagementMetrics *engagement(struct command_build *b)
{
    Journey__V1__EngagementMetrics *m = message(b, &journey__v1__engagement_metrics__descriptor);
    if (!m)
        return NULL;
    m->time_on_page = number_at(b, "engagement_metrics.time_on_page", -1);
    m->scroll_depth = number_at(b, "engagement_metrics.scroll_depth", -1);
    m->interaction_count = (int64_t)number_at(b, "engagement_metrics.interaction_count", -1);
    m->engagement_score = number_at(b, "engagement_metrics.engagement_score", -1);
    return m;
}

void build_stage(struct command_build *b)
{
    Journey__V1__ChangeStage *stage = message(b, &journey__v1__change_stage__descriptor);
    if (!stage)
        return;
    stage->new_stage = text(b, at(b, "new_stage"));
    stage->trigger_event = text(b, at(b, "trigger_event"));
    stage->engagement = engagement(b);
    stage->contextual_data = raw_at(b, "contextual_data");
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_STAGE;
    b->command->stage = stage;
}

static char *columns(struct command_build *b)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    gw_columns_write(b->exchange->route->schema, b->body, &buf, b->arena);
    return masked(b, buf_slice(&buf));
}

void build_touchpoint(struct command_build *b)
{
    Journey__V1__AddTouchpoint *add = message(b, &journey__v1__add_touchpoint__descriptor);
    if (!add)
        return;
    add->touchpoint_type = text(b, at(b, "touchpoint_type"));
    add->columns = columns(b);
    add->engagement = engagement(b);
    add->contextual_data = raw_at(b, "contextual_data");
    add->timestamp_us = gw_time(at(b, "timestamp"), 0, b->arena);
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_TOUCHPOINT;
    b->command->touchpoint = add;
}

void build_conversion(struct command_build *b)
{
    Journey__V1__AddConversion *add = message(b, &journey__v1__add_conversion__descriptor);
    char value[GW_MONEY_SIZE] = "";
    if (!add)
        return;
    add->event_type = text(b, at(b, "event_type"));
    if (at(b, "event_value") && gw_money(value, at(b, "event_value"), b->arena) < 0)
        value[0] = '\0';
    add->event_value = raw(b, slice_str(value));
    add->event_currency = upper(text(b, at(b, "event_currency")));
    add->funnel_step = text(b, at(b, "funnel_step"));
    add->order_id = text(b, at(b, "order_id"));
    add->columns = columns(b);
    add->timestamp_us = gw_time(at(b, "timestamp"), 0, b->arena);
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_CONVERSION;
    b->command->conversion = add;
}

void build_end(struct command_build *b)
{
    Journey__V1__EndSession *end = message(b, &journey__v1__end_session__descriptor);
    if (!end)
        return;
    end->exit_point = raw_at(b, "exit_point"); /* a JSON value, as its column */
    end->timestamp_us = gw_time(at(b, "timestamp"), 0, b->arena);
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_END;
    b->command->end = end;
}

void build_get(struct command_build *b)
{
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_GET;
    b->command->get = message(b, &journey__v1__get_session__descriptor);
}

/* A whole number of the query, or `otherwise`; a fault outside min..max. */
static int64_t query_number(struct command_build *b, const char *name, int64_t otherwise,
                            int64_t min, int64_t max)
{
    struct slice value = http_query_get(http_request_query(b->exchange->request), name, b->arena);
    const char *digits = value.data ? arena_str(b->arena, value) : NULL;
    if (!digits)
        return otherwise;
    size_t size = strspn(digits, "0123456789");
    int64_t number = size && size < 19 && size == value.size ? strtoll(digits, NULL, 10) : -1;
    if (number >= min && number <= max)
        return number;
    gw_fault_add(b->faults, name, "out_of_range",
                 arena_printf(b->arena, "must be a whole number from %lld to %lld", (long long)min,
                              (long long)max));
    return otherwise;
}

void build_list(struct command_build *b)
{
    Journey__V1__ListTouchpoints *list = message(b, &journey__v1__list_touchpoints__descriptor);
    if (!list)
        return;
    list->limit = (int32_t)query_number(b, "limit", LIST_LIMIT_DEFAULT, 1, LIST_LIMIT_MAX);
    list->after = query_number(b, "cursor", 0, 0, INT32_MAX);
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS;
    b->command->list_touchpoints = list;
}

/* ---- consents ---- */

/* One of the two names the subject; what is about to be said is about its hash. */
static ProtobufCBinaryData subject(struct command_build *b, struct slice anonymous_id,
                                   struct slice user_id)
{
    if (!anonymous_id.size == !user_id.size)
        gw_fault_add(b->faults, "subject", "required", "must have either anonymous_id or user_id");
    return anonymous_id.size ? hashed(b, "device", anonymous_id) : hashed(b, "user", user_id);
}

#define PURPOSE_SHOWN 64 /* of a name that is none, bytes */

static void fault_unknown(struct command_build *b, struct slice name)
{
    _cleanup_(buf_deinit) struct buf text = {0};
    const struct gw_schema *schema = b->exchange->route->schema;
    const char *field = name.size <= PURPOSE_SHOWN
                            ? arena_printf(b->arena, "purposes.%s", arena_str(b->arena, name))
                            : NULL;
    buf_append_str(&text, "is no purpose; there are");
    for (unsigned i = 0; i < schema->n; i++)
        if (strncmp(schema->fields[i].path, "purposes.", 9) == 0)
            buf_printf(&text, " %s", schema->fields[i].path + 9);
    gw_fault_add(b->faults, field ? field : "purposes", "unknown_purpose",
                 arena_str(b->arena, buf_slice(&text)));
}

static void add_choice(struct command_build *b, Journey__V1__SetConsent *set,
                       const struct json_node *member)
{
    Journey__V1__ConsentChoice *choice = message(b, &journey__v1__consent_choice__descriptor);
    const char *name = arena_str(b->arena, member->key);
    if (!choice || !name || json_is(member, JSON_NULL))
        return;
    bool known = false;
    const char *path = arena_printf(b->arena, "purposes.%s", name);
    for (unsigned i = 0; path && i < b->exchange->route->schema->n; i++)
        known = known || strcmp(b->exchange->route->schema->fields[i].path, path) == 0;
    if (!known) {
        fault_unknown(b, member->key);
        return;
    }
    choice->purpose = raw(b, member->key);
    choice->granted = slice_equal_str(json_string(member, b->arena), "granted");
    set->choices[set->n_choices++] = choice;
}

void build_set_consent(struct command_build *b)
{
    Journey__V1__SetConsent *set = message(b, &journey__v1__set_consent__descriptor);
    const struct json_node *purposes = at(b, "purposes"), *user_id = at(b, "subject.user_id");
    if (!set)
        return;
    if (user_id && b->exchange->key.kind == GW_KEY_WRITE)
        b->forbidden = "A write key speaks for its own device only";
    set->about = subject(b, json_string(at(b, "subject.anonymous_id"), b->arena),
                         json_string(user_id, b->arena));
    set->choices = arena_alloc(b->arena, (purposes->count + 1) * sizeof(*set->choices));
    if (!set->choices)
        return;
    for (const struct json_node *member = purposes->child; member; member = member->next)
        add_choice(b, set, member);
    if (!set->n_choices && !b->faults->n)
        gw_fault_add(b->faults, "purposes", "required", "must name a purpose");
    set->source = text(b, at(b, "source"));
    set->policy_version = text(b, at(b, "policy_version"));
    set->region = text(b, at(b, "region"));
    b->command->subject = raw(b, hex(b, set->about));
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_SET_CONSENT;
    b->command->set_consent = set;
}

/* The hash that an answer told, as hex. */
static ProtobufCBinaryData told_subject(struct command_build *b, struct slice digits)
{
    uint8_t *hash = arena_alloc(b->arena, GW_HASH_SIZE);
    if (hash && hex_parse(hash, GW_HASH_SIZE, digits) == 0)
        return (ProtobufCBinaryData){GW_HASH_SIZE, hash};
    gw_fault_add(b->faults, "subject", "invalid_format", "must have 32 hex digits");
    return (ProtobufCBinaryData){0, NULL};
}

void build_get_consents(struct command_build *b)
{
    Journey__V1__GetConsents *get = message(b, &journey__v1__get_consents__descriptor);
    struct slice query = http_request_query(b->exchange->request);
    struct slice told = b->exchange->parameters[0];
    if (!get)
        return;
    get->about = told.size ? told_subject(b, told)
                           : subject(b, http_query_get(query, "anonymous_id", b->arena),
                                     http_query_get(query, "user_id", b->arena));
    get->limit = (int32_t)query_number(b, "limit", LIST_LIMIT_DEFAULT, 1, LIST_LIMIT_MAX);
    get->before = query_number(b, "cursor", 0, 1, INT64_MAX);
    b->command->subject = raw(b, hex(b, get->about));
    b->command->body_case = JOURNEY__V1__COMMAND__BODY_GET_CONSENTS;
    b->command->get_consents = get;
}
