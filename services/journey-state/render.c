#include "render.h"

#include "domain/money.h"
#include "json.h"
#include "tables.h"

#include <stdio.h>

#define PAGE_BYTES 700000 /* a reply is one record, of at most 900 kB */

static const char *finish(struct buf *buf, struct arena *arena)
{
    const char *text = buf->overflow ? NULL : arena_str(arena, buf_slice(buf));
    buf_deinit(buf);
    return text ? text : "null";
}

static void write_value(struct json_writer *w, enum store_type type, const struct store_value *v)
{
    char uuid[UUID_TEXT_SIZE];
    if (v->null) {
        json_write_null(w);
        return;
    }
    switch (type) {
    case STORE_INT:
    case STORE_BIGINT:
        json_write_int(w, v->i);
        return;
    case STORE_FLOAT:
        json_write_double(w, v->f);
        return;
    case STORE_BOOL:
        json_write_bool(w, v->i != 0);
        return;
    case STORE_TIME:
        json_write_time(w, v->i);
        return;
    case STORE_UUID:
        uuid_format(uuid, v->s.data);
        json_write_str(w, uuid);
        return;
    case STORE_JSON:
    case STORE_DECIMAL:
        json_write_raw(w, v->s);
        return;
    default:
        json_write_slice(w, v->s);
    }
}

/* Every column but the encoded state, as members. */
static void write_columns(struct json_writer *w, const struct store_table *table,
                          const struct store_value *values)
{
    for (unsigned i = 0; i < table->n_columns; i++) {
        if (table->columns[i].type == STORE_BYTES)
            continue;
        json_key(w, table->columns[i].name);
        write_value(w, table->columns[i].type, &values[i]);
    }
}

static void write_journey_state(struct json_writer *w, const struct session *s)
{
    json_begin_object(w);
    json_key(w, "current_stage");
    json_write_str(w, stage_name(s->stage));
    json_key(w, "personalized_path");
    json_write_str(w, s->path);
    json_key(w, "conversion_probability");
    json_write_null(w);
    json_key(w, "next_optimal_touchpoint");
    json_write_null(w);
    json_end_object(w);
}

const char *render_journey_state(const struct session *s, struct arena *arena)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    write_journey_state(&w, s);
    return finish(&buf, arena);
}

static void write_device_context(struct json_writer *w, const struct session_profile *p)
{
    json_key(w, "device_context");
    if (p->device_context[0]) {
        json_write_raw(w, slice_str(p->device_context));
        return;
    }
    json_begin_object(w);
    json_key(w, "type");
    json_write_str(w, p->device_type);
    json_end_object(w);
}

const char *render_session(const struct session *s, const struct store_value *values,
                           struct arena *arena)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_object(&w);
    write_columns(&w, &sessions_table, values);
    json_key(&w, "persona");
    json_begin_object(&w);
    json_key(&w, "type");
    json_write_str(&w, s->profile.persona_type);
    json_key(&w, "confidence");
    json_write_double(&w, s->profile.persona_confidence);
    json_end_object(&w);
    write_device_context(&w, &s->profile);
    json_key(&w, "journey_state");
    write_journey_state(&w, s);
    json_key(&w, "optimizations");
    json_write_raw(&w, SLICE_LITERAL("[]"));
    json_end_object(&w);
    return finish(&buf, arena);
}

const char *render_touchpoint(const uint8_t id[16], int32_t sequence, struct arena *arena)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    char uuid[UUID_TEXT_SIZE];
    uuid_format(uuid, id);
    json_begin_object(&w);
    json_key(&w, "id");
    json_write_str(&w, uuid);
    json_key(&w, "touchpoint_sequence");
    json_write_int(&w, sequence);
    json_end_object(&w);
    return finish(&buf, arena);
}

const char *render_conversion(const uint8_t id[16], int64_t cents, struct arena *arena)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    char uuid[UUID_TEXT_SIZE], money[MONEY_TEXT_SIZE];
    uuid_format(uuid, id);
    money_format(money, cents);
    json_begin_object(&w);
    json_key(&w, "id");
    json_write_str(&w, uuid);
    json_key(&w, "revenue_attributed");
    json_write_raw(&w, slice_str(money));
    json_key(&w, "commission_earned");
    json_write_raw(&w, SLICE_LITERAL("0.00"));
    json_key(&w, "lifetime_value_prediction");
    json_write_null(&w);
    json_end_object(&w);
    return finish(&buf, arena);
}

const char *render_page(const struct store_found *found, unsigned n_found, int64_t until,
                        int64_t total, struct arena *arena)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_object(&w);
    json_key(&w, "data");
    json_begin_array(&w);
    for (unsigned i = 0; i < n_found && buf.size <= PAGE_BYTES; i++) {
        json_begin_object(&w);
        write_columns(&w, &touchpoints_table, found[i].values);
        json_end_object(&w);
        if (buf.size > PAGE_BYTES) /* the rest is the next page's */
            until = found[i].values[TOUCHPOINTS_SEQUENCE].i;
    }
    json_end_array(&w);
    json_key(&w, "next_cursor");
    if (until < total) {
        char cursor[24];
        (void)snprintf(cursor, sizeof(cursor), "%lld", (long long)until);
        json_write_str(&w, cursor);
    } else {
        json_write_null(&w);
    }
    json_end_object(&w);
    return finish(&buf, arena);
}

const char *render_time(int64_t time_us, struct arena *arena)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_write_time(&w, time_us);
    return finish(&buf, arena);
}

const char *render_int(int64_t number, struct arena *arena)
{
    struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_write_int(&w, number);
    return finish(&buf, arena);
}
