/* Effects are plain structs in the order in which a decision asked for them; apply.c carries them out. */
#include "internal.h"

#include <stdlib.h>

static struct effect *add(struct stream_decision *d, enum effect_kind kind)
{
    struct stream_effects *effects = d->effects;
    if (effects->n == effects->capacity) {
        unsigned grown = effects->capacity ? effects->capacity * 2 : 64;
        struct effect *list = realloc(effects->list, grown * sizeof(*list));
        if (!list)
            abort();
        effects->list = list;
        effects->capacity = grown;
    }
    struct effect *effect = &effects->list[effects->n++];
    *effect = (struct effect){.kind = kind};
    return effect;
}

/* Texts are copied, so that they may come from the stack. */
static const char *keep(struct stream_decision *d, const char *text)
{
    const char *kept = arena_copy(d->arena, text, strlen(text));
    return kept ? kept : ""; /* the arena's overflow undoes the decision */
}

void stream_put_state(struct stream_decision *d, void *state)
{
    d->state = state;
    add(d, EFFECT_STATE)->pointer = state;
}

void stream_put_part(struct stream_decision *d, int64_t sub, struct slice data)
{
    struct effect *e = add(d, EFFECT_PART);
    e->number = sub;
    e->data = data;
}

static const struct store_value *copy_values(struct stream_decision *d,
                                             const struct store_value *values, unsigned n)
{
    return arena_copy(d->arena, values, n * sizeof(*values));
}

void stream_put_row(struct stream_decision *d, const struct store_table *table,
                    const struct store_value *values)
{
    struct effect *e = add(d, EFFECT_ROW);
    e->pointer = table;
    e->values = copy_values(d, values, table->n_columns);
}

void stream_remove_row(struct stream_decision *d, const struct store_table *table,
                       const struct store_value *key)
{
    struct effect *e = add(d, EFFECT_ROW_REMOVE);
    e->pointer = table;
    e->values = copy_values(d, key, table->n_key);
}

static void say(struct stream_decision *d, enum effect_kind kind, int topic, struct slice key,
                const void *message, int64_t time_us)
{
    struct effect *e = add(d, kind);
    e->topic = topic;
    e->key = key;
    e->pointer = message;
    e->number = time_us;
}

void stream_publish(struct stream_decision *d, int topic, struct slice key, const void *message,
                    int64_t time_us)
{
    say(d, EFFECT_PUBLISH, topic, key, message, time_us);
}

void stream_forward(struct stream_decision *d, int topic, struct slice key, const void *message,
                    int64_t time_us)
{
    say(d, EFFECT_FORWARD, topic, key, message, time_us);
}

void stream_set_timer(struct stream_decision *d, const char *name, int64_t due_us)
{
    struct effect *e = add(d, EFFECT_TIMER_SET);
    e->name = keep(d, name);
    e->number = due_us;
}

void stream_cancel_timer(struct stream_decision *d, const char *name)
{
    add(d, EFFECT_TIMER_CANCEL)->name = keep(d, name);
}

void stream_reply(struct stream_decision *d, const void *reply)
{
    add(d, EFFECT_REPLY)->pointer = reply;
}

void stream_reply_part(struct stream_decision *d, int status, const char *name, const char *json)
{
    Journey__V1__Reply *reply = arena_alloc(d->arena, sizeof(*reply));
    Journey__V1__ReplyPart *part = arena_alloc(d->arena, sizeof(*part));
    Journey__V1__ReplyPart **parts = arena_alloc(d->arena, sizeof(*parts));
    if (!reply || !part || !parts || !json)
        return;
    journey__v1__reply__init(reply);
    journey__v1__reply_part__init(part);
    part->name = arena_copy(d->arena, name, strlen(name));
    part->json = arena_copy(d->arena, json, strlen(json));
    parts[0] = part;
    reply->status = status;
    reply->parts = parts;
    reply->n_parts = 1;
    stream_reply(d, reply);
}

void stream_reply_problem(struct stream_decision *d, int status, const char *code,
                          const char *detail)
{
    Journey__V1__Problem *problem = arena_alloc(d->arena, sizeof(*problem));
    Journey__V1__Reply *reply = arena_alloc(d->arena, sizeof(*reply));
    if (!problem || !reply)
        return;
    journey__v1__problem__init(problem);
    journey__v1__reply__init(reply);
    problem->status = status;
    problem->code = arena_copy(d->arena, code, strlen(code));
    problem->detail = arena_copy(d->arena, detail, strlen(detail));
    reply->status = status;
    reply->problem = problem;
    stream_reply(d, reply);
}

void stream_ask(struct stream_decision *d, const struct store_lookup *lookup,
                const struct store_value *key, stream_answer_fn answer, struct slice user)
{
    struct effect *e = add(d, EFFECT_ASK);
    e->pointer = lookup;
    e->values = copy_values(d, key, lookup->n_by + lookup->after + lookup->until);
    e->answer = answer;
    e->data = user;
}

void stream_park(struct stream_decision *d, int64_t until_us)
{
    add(d, EFFECT_PARK)->number = until_us;
}

void stream_call(struct stream_decision *d, const char *name, struct slice data)
{
    struct effect *e = add(d, EFFECT_CALL);
    e->name = keep(d, name);
    e->data = data;
}

void stream_reject(struct stream_decision *d, const char *code, const char *reason)
{
    struct effect *e = add(d, EFFECT_REJECT);
    e->name = keep(d, code);
    e->text = keep(d, reason);
}

void stream_stop(struct stream_decision *d, const char *reason)
{
    add(d, EFFECT_STOP)->text = keep(d, reason);
}

void stream_cache(struct stream_decision *d, struct slice key, struct slice value, int64_t seconds)
{
    struct effect *e = add(d, EFFECT_CACHE);
    e->key = key;
    e->data = value;
    e->number = seconds;
}

void stream_count(struct stream_decision *d, unsigned counter, double by)
{
    struct effect *e = add(d, EFFECT_COUNT);
    e->number = counter;
    e->by = by;
}
