#include "say.h"

#include "borrow.h"

#include "journey/v1/settings.pb-c.h"

const uint8_t rig_user[16] = {4, 5, 6};

Journey__V1__Accepted *rig_event(struct rig *rig, const char *session, const char *name,
                                 const char *properties)
{
    Journey__V1__Accepted *a = arena_alloc(rig->arena, sizeof(*a));
    Journey__V1__Event *e = arena_alloc(rig->arena, sizeof(*e));
    journey__v1__accepted__init(a);
    journey__v1__event__init(e);
    a->tenant_id = borrow_id(rig_tenant);
    a->session_id = borrow_text(session);
    a->event = e;
    a->time_us = a->received_us = rig->now_us;
    e->type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_TRACK;
    e->name = borrow_text(name);
    e->message_id = arena_printf(rig->arena, "message-%llu", (unsigned long long)rig->sent);
    e->properties = borrow_text(properties);
    return a;
}

void rig_accept(struct rig *rig, const Journey__V1__Accepted *accepted)
{
    rig_send(rig, TOPIC_ACCEPTED,
             topic_key(rig_tenant, slice_str(accepted->session_id), rig->arena), &accepted->base,
             NULL);
    rig_settle(rig);
}

void rig_setting(struct rig *rig, const char *key, const char *value)
{
    Journey__V1__TenantSettings settings;
    Journey__V1__Setting setting, *list[] = {&setting};
    char tenant[UUID_TEXT_SIZE];
    journey__v1__tenant_settings__init(&settings);
    journey__v1__setting__init(&setting);
    uuid_format(tenant, rig_tenant);
    settings.tenant_id = borrow_id(rig_tenant);
    settings.version = (int64_t)rig->sent + 1;
    settings.settings = list;
    settings.n_settings = 1;
    setting.key = borrow_text(key);
    setting.value = borrow_text(value);
    rig_send(rig, TOPIC_SETTINGS, slice_str(tenant), &settings.base, NULL);
    rig_settle(rig);
}

Journey__V1__Command *rig_start(struct rig *rig, const char *session, const char *device,
                                const char *source)
{
    Journey__V1__Command *c = rig_command(rig, session);
    c->body_case = JOURNEY__V1__COMMAND__BODY_START;
    c->start = arena_alloc(rig->arena, sizeof(*c->start));
    journey__v1__start_session__init(c->start);
    c->start->start = arena_alloc(rig->arena, sizeof(*c->start->start));
    journey__v1__session_start__init(c->start->start);
    c->start->start->persona_type = borrow_text("TechEarlyAdopter");
    c->start->start->persona_confidence = 0.85;
    c->start->start->device_type = borrow_text(device);
    c->start->start->device_context =
        arena_printf(rig->arena, "{\"type\":\"%s\",\"screen_size\":\"375x812\"}", device);
    c->start->start->entry_source = borrow_text(source);
    c->start->start->entry_point = arena_printf(rig->arena, "{\"source\":\"%s\"}", source);
    return c;
}

Journey__V1__Command *rig_stage(struct rig *rig, const char *session, const char *stage)
{
    Journey__V1__Command *c = rig_command(rig, session);
    c->body_case = JOURNEY__V1__COMMAND__BODY_STAGE;
    c->stage = arena_alloc(rig->arena, sizeof(*c->stage));
    journey__v1__change_stage__init(c->stage);
    c->stage->new_stage = borrow_text(stage);
    c->stage->trigger_event = borrow_text("product_gallery_viewed");
    return c;
}

Journey__V1__Command *rig_get(struct rig *rig, const char *session)
{
    Journey__V1__Command *c = rig_command(rig, session);
    static Journey__V1__GetSession body;
    journey__v1__get_session__init(&body);
    c->body_case = JOURNEY__V1__COMMAND__BODY_GET;
    c->get = &body;
    c->read_only = true;
    return c;
}

const char *rig_session(struct rig *rig, const char *session)
{
    const Journey__V1__Reply *reply = rig_ask(rig, rig_get(rig, session));
    assert_int_equal(rig_status(reply), 200);
    return rig_part(reply, "session");
}

Journey__V1__Command *rig_touchpoint(struct rig *rig, const char *session, const char *type,
                                     const char *columns)
{
    Journey__V1__Command *c = rig_command(rig, session);
    c->body_case = JOURNEY__V1__COMMAND__BODY_TOUCHPOINT;
    c->touchpoint = arena_alloc(rig->arena, sizeof(*c->touchpoint));
    journey__v1__add_touchpoint__init(c->touchpoint);
    c->touchpoint->touchpoint_type = borrow_text(type);
    c->touchpoint->columns = borrow_text(columns);
    return c;
}

Journey__V1__Command *rig_conversion(struct rig *rig, const char *session, const char *type,
                                     const char *value, const char *order)
{
    Journey__V1__Command *c = rig_command(rig, session);
    c->body_case = JOURNEY__V1__COMMAND__BODY_CONVERSION;
    c->conversion = arena_alloc(rig->arena, sizeof(*c->conversion));
    journey__v1__add_conversion__init(c->conversion);
    c->conversion->event_type = borrow_text(type);
    c->conversion->event_value = borrow_text(value);
    c->conversion->order_id = borrow_text(order);
    c->conversion->columns = borrow_text("{\"product_data\":{\"sku\":\"x\"}}");
    return c;
}

Journey__V1__Command *rig_end(struct rig *rig, const char *session, const char *exit_point)
{
    Journey__V1__Command *c = rig_command(rig, session);
    c->body_case = JOURNEY__V1__COMMAND__BODY_END;
    c->end = arena_alloc(rig->arena, sizeof(*c->end));
    journey__v1__end_session__init(c->end);
    c->end->exit_point = borrow_text(exit_point);
    return c;
}

/* ---- hearing ---- */

unsigned rig_touchpoints(struct rig *rig, const Journey__V1__Touchpoint *list[RIG_MAX])
{
    unsigned n = 0;
    while ((list[n] = rig_message(rig, TOPIC_TOUCHPOINTS, n, &journey__v1__touchpoint__descriptor)))
        assert_true(++n < RIG_MAX);
    return n;
}

const char *rig_changes(struct rig *rig, const char *session)
{
    struct buf buf = {0};
    const Journey__V1__SessionState *s;
    for (unsigned n = 0;
         (s = rig_message(rig, TOPIC_STATES, n, &journey__v1__session_state__descriptor)); n++)
        if (strcmp(s->session_id, session) == 0)
            buf_printf(&buf, "%s%s", buf.size ? "," : "", s->change);
    const char *text = arena_str(rig->arena, buf_slice(&buf));
    buf_deinit(&buf);
    return text;
}

const char *rig_member(struct rig *rig, const char *json, const char *dotted)
{
    const struct json_node *root;
    struct err err = {0};
    if (json_parse(&root, slice_str(json), rig->arena, &err) < 0)
        fail_msg("'%s': %s", json, err.message);
    const struct json_node *node = json_path(root, dotted);
    if (!node)
        return "(none)";
    return arena_str(rig->arena,
                     node->type == JSON_STRING ? json_string(node, rig->arena) : node->raw);
}

const char *rig_stage_of(struct rig *rig, const Journey__V1__Reply *reply)
{
    return rig_member(rig, rig_part(reply, "journey_state"), "current_stage");
}
