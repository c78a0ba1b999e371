/*
 * CloudEvents: structured, batched, or binary, where "Name: value" lines stand before the body, ended by an empty one. First byte:
 * which of them; of the binary ones also whether the route is a batch's.
 */
#include "fuzz/form.h"

#define HEADERS_MAX 16

struct head {
    const char *names[HEADERS_MAX], *values[HEADERS_MAX];
    unsigned n;
};

static const char *head_get(const void *handle, const char *name)
{
    const struct head *head = handle;
    for (unsigned i = 0; i < head->n; i++)
        if (strcasecmp(head->names[i], name) == 0)
            return head->values[i];
    return NULL;
}

/* What the server lets through: neither NUL nor line ends. */
static void take_head(struct head *head, struct slice *rest, struct arena *arena)
{
    while (rest->size && head->n < HEADERS_MAX) {
        const uint8_t *end = memchr(rest->data, '\n', rest->size);
        size_t size = end ? (size_t)(end - rest->data) : rest->size;
        char *line = arena_str(arena, slice_make(rest->data, size));
        *rest = slice_make(rest->data + size + (end != NULL), rest->size - size - (end != NULL));
        char *colon = line ? strchr(line, ':') : NULL;
        if (!colon)
            return;
        *colon = 0;
        head->names[head->n] = line;
        head->values[head->n++] = colon + 1 + strspn(colon + 1, " ");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct form_route routes[] = {
        {GW_CLIENT_CLOUDEVENTS, gw_cut_api_one, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_CLOUDEVENTS, gw_cut_api_batch, GW_EVENT_BY_BODY, NULL},
        {GW_CLIENT_CLOUDEVENTS, gw_cut_api_one, GW_EVENT_BY_BODY, "application/cloudevents+json"},
        {GW_CLIENT_CLOUDEVENTS, gw_cut_api_batch, GW_EVENT_BY_BODY,
         "application/cloudevents-batch+json; charset=utf-8"},
    };
    struct form *form = form_open();
    const struct form_route *route = &routes[size ? data[0] % ARRAY_SIZE(routes) : 0];
    struct head head = {.n = 0};
    if (size == 0 || route->content_type)
        return form_input(routes, ARRAY_SIZE(routes), data, size);
    arena_reset(form->arena);
    struct slice rest = slice_make(data + 1, size - 1);
    take_head(&head, &rest, form->arena);
    struct gw_request request = {
        .body = arena_slice(form->arena, rest), .header = head_get, .handle = &head};
    form_request(route, &request, form);
    return 0;
}
