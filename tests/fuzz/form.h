#pragma once
/*
 * Any bytes as the body and query of a client's event routes. Cut into events, mapped and written, they must be what the
 * log expects: properties and context JSON objects, texts UTF-8 without NUL, a batch that reads back, and nothing left in
 * it that masking once more would find.
 */
#include "domain/clients.h"
#include "domain/query.h"
#include "domain/wire.h"
#include "fuzz/check.h"
#include "journey/v1/event.pb-c.h"

#include <strings.h>

struct form_route {
    enum gw_client_id client;
    gw_cut_fn *cut;
    enum gw_event_type type;
    const char *content_type;
};

struct form {
    struct arena *arena, *tables;
    struct gw_masker *masker;
    struct gw_form_index *forms[GW_CLIENT_COUNT];
};

static inline struct form *form_open(void)
{
    static struct form form;
    if (form.tables)
        return &form;
    form.tables = arena_create(1 << 20);
    form.arena = arena_create(64 << 20);
    check(gw_masker_create(&form.masker, NULL) >= 0);
    for (int i = 0; i < GW_CLIENT_COUNT; i++)
        form.forms[i] = gw_form_index(gw_clients[i].form, form.tables);
    return &form;
}

static inline void form_check_masked(struct form *form, struct slice text, bool json)
{
    struct gw_masked again;
    if (!text.size)
        return;
    int r = json ? gw_mask_json(form->masker, text, slice_make(NULL, 0), &again, form->arena)
                 : gw_mask_text(form->masker, text, &again, form->arena);
    check(r == ERR_NO_MEMORY || !again.changed);
}

/* The cut address of a context is put there behind the mask. */
static inline struct slice form_without_address(struct slice context, struct arena *arena)
{
    static const char *const ip[] = {"ip"};
    return context.size ? gw_cut_out(context, ip, 1, arena) : context;
}

static inline void form_check_event(struct form *form, const struct gw_event *event)
{
    static const uint8_t tenant[16];
    struct arena *arena = form->arena;
    struct buf record = {0};
    struct slice texts[] = {slice_str(event->name), slice_str(event->session_id),
                            slice_str(event->message_id)};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        check(utf8_valid(texts[i]));
        form_check_masked(form, texts[i], false);
    }
    check_object(event->properties);
    check_object(event->context);
    check_object(event->personal);
    form_check_masked(form, event->properties, true);
    form_check_masked(form, form_without_address(event->context, arena), true);
    check(event->has_device && event->type != GW_EVENT_BY_BODY);
    buf_append_slice(&record, gw_wire_batch(tenant, 1, "c", arena));
    buf_append_slice(&record, gw_wire_event(event, event->personal, arena));
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, record.size, record.data);
    check(batch && batch->n_events == 1);
    check(slice_equal_str(event->context, batch->events[0]->context));
    check(slice_equal_str(event->properties, batch->events[0]->properties));
    journey__v1__event_batch__free_unpacked(batch, NULL);
    buf_deinit(&record);
}

static inline void form_request(const struct form_route *route, const struct gw_request *about,
                                struct form *form)
{
    static const uint8_t key[32];
    struct gw_request request = *about;
    struct gw_cut cut = {.client = (int)route->client};
    struct gw_faults faults = {.n = 0};
    request.form = form->forms[route->client];
    request.max_events = GW_MAX_BATCH_EVENTS;
    request.arena = form->arena;
    if (!route->cut(&request, &cut, &faults)) {
        check(faults.n > 0 || arena_overflowed(form->arena) || cut.n == 0);
        return;
    }
    for (unsigned i = 0; i < cut.n; i++) {
        struct gw_event_source source = {.hash_key = key,
                                         .form = form->forms[cut.client],
                                         .type = route->type,
                                         .sent_at_us = cut.sent_at_us,
                                         .context = cut.context,
                                         .masker = form->masker};
        struct gw_event event;
        faults.n = 0;
        gw_event_map(&event, cut.events[i], &source, &faults, form->arena);
        if (!faults.n && !arena_overflowed(form->arena))
            form_check_event(form, &event);
    }
}

static inline const char *form_content_type(const void *handle, const char *name)
{
    const struct form_route *route = handle;
    return strcasecmp(name, "Content-Type") == 0 ? route->content_type : NULL;
}

/* First byte: the route. What follows is the body and the query alike. */
static inline int form_input(const struct form_route *routes, unsigned n, const uint8_t *data,
                             size_t size)
{
    struct form *form = form_open();
    if (size == 0)
        return 0;
    const struct form_route *route = &routes[data[0] % n];
    arena_reset(form->arena);
    struct gw_request request = {
        .body = arena_slice(form->arena, slice_make(data + 1, size - 1)),
        .query = slice_make(data + 1, size - 1),
        .header = form_content_type,
        .handle = route,
    };
    form_request(route, &request, form);
    return 0;
}
