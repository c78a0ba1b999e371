#include "record.h"

#include "borrow.h"

/* ---- record -> session ---- */

static const char *text(const char *s)
{
    return s ? s : "";
}

static void copy_id(uint8_t out[16], ProtobufCBinaryData data)
{
    if (data.len == 16)
        memcpy(out, data.data, 16);
}

static void read_profile(struct session_profile *p, const Journey__V1__SessionRecord *r)
{
    *p = (struct session_profile){
        .persona_type = text(r->persona_type),
        .persona_confidence = r->persona_confidence,
        .device_type = text(r->device_type),
        .device_fingerprint = text(r->device_fingerprint),
        .device_context = text(r->device_context),
        .entry_point = text(r->entry_point),
        .entry_source = text(r->entry_source),
        .utm_data = text(r->utm_data),
        .referrer_data = text(r->referrer_data),
        .intent_signals = text(r->intent_signals),
        .returning_visitor = text(r->returning_visitor),
        .returning = r->returning,
    };
}

static void read_conversions(struct session *s, const Journey__V1__SessionRecord *r)
{
    s->conversions = r->conversions;
    s->converted_us = r->converted_us;
    s->n_orders = (unsigned)min_i64((int64_t)r->n_orders, SESSION_ORDERS);
    if (s->n_orders)
        memcpy(s->orders, r->orders + (r->n_orders - s->n_orders),
               s->n_orders * sizeof(s->orders[0]));
    s->n_recent = (unsigned)min_i64((int64_t)r->n_recent_conversions, SESSION_CONVERSIONS);
    for (unsigned i = 0; i < s->n_recent; i++) {
        const Journey__V1__SessionConversion *c =
            r->recent_conversions[r->n_recent_conversions - s->n_recent + i];
        s->recent[i] = (struct session_conversion){.type = text(c->event_type),
                                                   .currency = text(c->currency),
                                                   .cents = c->value_cents,
                                                   .at_us = c->at_us};
        copy_id(s->recent[i].id, c->id);
    }
}

void record_read(struct session *s, const Journey__V1__SessionRecord *r)
{
    enum stage stage = stage_parse(text(r->current_stage));
    *s = (struct session){
        .session_id = text(r->session_id),
        .known = r->user.len == 16,
        .placed = r->device.len == 16,
        .started = r->started,
        .stage = stage == STAGE_NONE ? STAGE_AWARENESS : stage,
        .path = text(r->journey_path),
        .total_touchpoints = r->total_touchpoints,
        .start_us = r->start_us,
        .last_us = r->last_us,
        .last_received_us = r->last_received_us,
        .end_us = r->end_us,
        .ended_by_command = r->ended_by_command,
        .exit_point = text(r->exit_point),
        .created_us = r->created_us,
        .idle_us = r->idle_us,
        .last_item = text(r->last_item),
    };
    copy_id(s->tenant, r->tenant_id);
    copy_id(s->id, r->id);
    copy_id(s->user, r->user);
    copy_id(s->device, r->device);
    read_profile(&s->profile, r);
    read_conversions(s, r);
}

/* ---- session -> record ---- */

static ProtobufCBinaryData copy_bytes(struct arena *arena, const uint8_t data[16])
{
    return (ProtobufCBinaryData){16, arena_copy(arena, data, 16)};
}

static void write_profile(Journey__V1__SessionRecord *r, const struct session_profile *p)
{
    r->persona_type = borrow_text(p->persona_type);
    r->persona_confidence = p->persona_confidence;
    r->device_type = borrow_text(p->device_type);
    r->device_fingerprint = borrow_text(p->device_fingerprint);
    r->device_context = borrow_text(p->device_context);
    r->entry_point = borrow_text(p->entry_point);
    r->entry_source = borrow_text(p->entry_source);
    r->utm_data = borrow_text(p->utm_data);
    r->referrer_data = borrow_text(p->referrer_data);
    r->intent_signals = borrow_text(p->intent_signals);
    r->returning_visitor = borrow_text(p->returning_visitor);
    r->returning = p->returning;
}

static void write_conversions(Journey__V1__SessionRecord *r, const struct session *s,
                              struct arena *arena)
{
    r->conversions = s->conversions;
    r->converted_us = s->converted_us;
    r->n_orders = s->n_orders;
    r->orders = arena_copy(arena, s->orders, s->n_orders * sizeof(s->orders[0]));
    r->recent_conversions = arena_alloc(arena, SESSION_CONVERSIONS * sizeof(void *));
    for (unsigned i = 0; r->recent_conversions && i < s->n_recent; i++) {
        Journey__V1__SessionConversion *c = arena_alloc(arena, sizeof(*c));
        if (!c)
            return;
        journey__v1__session_conversion__init(c);
        c->id = copy_bytes(arena, s->recent[i].id);
        c->event_type = borrow_text(s->recent[i].type);
        c->currency = borrow_text(s->recent[i].currency);
        c->value_cents = s->recent[i].cents;
        c->at_us = s->recent[i].at_us;
        r->recent_conversions[r->n_recent_conversions++] = c;
    }
}

Journey__V1__SessionRecord *record_write(const struct session *s,
                                         Journey__V1__ConsentStamp *consent,
                                         const Journey__V1__SessionRecord *previous,
                                         struct arena *arena)
{
    Journey__V1__SessionRecord *r = arena_alloc(arena, sizeof(*r));
    if (!r)
        return NULL;
    journey__v1__session_record__init(r);
    if (previous) {
        r->base.n_unknown_fields = previous->base.n_unknown_fields;
        r->base.unknown_fields = previous->base.unknown_fields;
    }
    r->tenant_id = copy_bytes(arena, s->tenant);
    r->session_id = borrow_text(s->session_id);
    r->id = copy_bytes(arena, s->id);
    if (s->known)
        r->user = copy_bytes(arena, s->user);
    if (s->placed)
        r->device = copy_bytes(arena, s->device);
    r->started = s->started;
    r->current_stage = borrow_text(stage_name(s->stage));
    r->journey_path = borrow_text(s->path);
    r->total_touchpoints = s->total_touchpoints;
    r->start_us = s->start_us;
    r->last_us = s->last_us;
    r->last_received_us = s->last_received_us;
    r->end_us = s->end_us;
    r->ended_by_command = s->ended_by_command;
    r->exit_point = borrow_text(s->exit_point);
    r->created_us = s->created_us;
    r->idle_us = s->idle_us;
    r->last_item = borrow_text(s->last_item);
    r->consent = consent;
    write_profile(r, &s->profile);
    write_conversions(r, s, arena);
    return arena_overflowed(arena) ? NULL : r;
}

/* ---- bytes -> record ---- */

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena UNUSED, void *pointer UNUSED) {}

Journey__V1__SessionRecord *record_decode(struct slice state, struct arena *arena)
{
    ProtobufCAllocator allocator = {take, keep, arena};
    return journey__v1__session_record__unpack(&allocator, state.size, state.data);
}
