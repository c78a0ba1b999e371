/*
 * Calls to the outside world. The intent is a timer row of the kind CALL, committed first; a due one is called (again
 * after every take-over, with the same idempotency key), and its outcome comes back as a message whose decision removes
 * the row.
 */
#include "internal.h"

#include <stdlib.h>

static void free_slice(struct slice s)
{
    union {
        const uint8_t *borrowed;
        uint8_t *owned;
    } u = {s.data};
    free(u.owned);
}

void call_free(struct call *call)
{
    free_slice(call->key.id);
    free_slice(call->data);
    free(call->name);
    *call = (struct call){0};
}

static struct slice copy(struct slice s)
{
    uint8_t *data = malloc(s.size + 1);
    if (!data)
        abort();
    if (s.size)
        memcpy(data, s.data, s.size);
    return slice_make(data, s.size);
}

bool call_start(struct stream *s, struct part *part, struct timer *timer)
{
    if (s->n_calls >= s->limits.calls)
        return false;
    if (s->n_calls == s->calls_capacity) {
        unsigned grown = s->calls_capacity ? s->calls_capacity * 2 : 16;
        struct call *calls = realloc(s->calls, grown * sizeof(*calls));
        if (!calls)
            abort();
        s->calls = calls;
        s->calls_capacity = grown;
    }
    struct call *call = &s->calls[s->n_calls++];
    *call = (struct call){.ticket = ++s->tickets,
                          .life = part->life,
                          .part = part->id,
                          .kind = timer->kind,
                          .name = strdup(timer->name),
                          .key = {.id = copy(timer->key.id)}};
    memcpy(call->key.tenant, timer->key.tenant, 16);
    uint8_t idempotency[16];
    const struct slice parts[] = {slice_str(s->service->name), slice_make(timer->key.tenant, 16),
                                  timer->key.id, slice_str(timer->name)};
    hash_keyed(idempotency, NULL, parts, ARRAY_SIZE(parts));
    if (s->service->call)
        s->service->call(s, s->options.user, call->ticket, timer->name, timer->data, idempotency);
    return true;
}

void stream_outcome(struct stream *s, uint64_t ticket, struct slice data)
{
    for (unsigned i = 0; i < s->n_calls; i++) {
        if (s->calls[i].ticket == ticket && !s->calls[i].answered) {
            s->calls[i].answered = true;
            s->calls[i].data = copy(data);
            s->wants_step = true;
        }
    }
}

bool call_take_outcome(struct stream *s, bool first, bool empty, struct call *call)
{
    for (unsigned i = 0; i < s->n_calls; i++) {
        const struct part *part = &s->parts[s->calls[i].part];
        bool stale = part->life != s->calls[i].life;
        bool its_turn = part->inputs[s->service->n_inputs].singles ? empty : !first;
        if (!stale && !(s->calls[i].answered && its_turn))
            continue;
        *call = s->calls[i];
        s->calls[i] = s->calls[--s->n_calls];
        return true;
    }
    return false;
}

void call_deinit(struct stream *s)
{
    while (s->n_calls)
        call_free(&s->calls[--s->n_calls]);
    free(s->calls);
    s->calls = NULL;
}
