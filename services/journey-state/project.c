/* A session's row, from its record. */
#include "domain/money.h"
#include "json.h"
#include "record.h"
#include "tables.h"

/* [{"id","event_type","event_value","event_currency","conversion_timestamp"}], newest last */
static struct store_value conversions_json(const struct session *s, struct arena *arena)
{
    if (s->n_recent == 0)
        return (struct store_value){.s = SLICE_LITERAL("[]")};
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_array(&w);
    for (unsigned i = 0; i < s->n_recent; i++) {
        const struct session_conversion *c = &s->recent[i];
        char id[UUID_TEXT_SIZE], money[MONEY_TEXT_SIZE];
        uuid_format(id, c->id);
        money_format(money, c->cents);
        json_begin_object(&w);
        json_key(&w, "id");
        json_write_str(&w, id);
        json_key(&w, "event_type");
        json_write_str(&w, c->type);
        json_key(&w, "event_value");
        json_write_raw(&w, slice_str(money));
        json_key(&w, "event_currency");
        json_write_str(&w, c->currency);
        json_key(&w, "conversion_timestamp");
        json_write_time(&w, c->at_us);
        json_end_object(&w);
    }
    json_end_array(&w);
    return (struct store_value){.s = arena_slice(arena, buf_slice(&buf))};
}

void record_project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values)
{
    struct session *s = arena_alloc(arena, sizeof(*s));
    if (!state || !s)
        return;
    const Journey__V1__SessionRecord *record = state;
    record_read(s, record);
    const struct session_profile *p = &s->profile;
    values[SESSIONS_ID] = value_bytes(arena_copy(arena, s->id, 16), 16);
    values[SESSIONS_USER_ID] =
        s->known ? value_bytes(arena_copy(arena, s->user, 16), 16) : value_null();
    values[SESSIONS_PERSONA_TYPE] = value_text(p->persona_type);
    values[SESSIONS_PERSONA_CONFIDENCE] = value_share(p->persona_confidence);
    values[SESSIONS_DEVICE_TYPE] = value_text(p->device_type);
    values[SESSIONS_DEVICE_FINGERPRINT] = value_text(p->device_fingerprint);
    values[SESSIONS_START_TIMESTAMP] = value_int(s->start_us);
    values[SESSIONS_END_TIMESTAMP] = s->end_us ? value_int(s->end_us) : value_null();
    values[SESSIONS_CURRENT_STAGE] = value_text(stage_name(s->stage));
    values[SESSIONS_JOURNEY_PATH] = value_text(s->path);
    values[SESSIONS_CONVERSION_PROBABILITY] = value_null();
    values[SESSIONS_TOTAL_TOUCHPOINTS] = value_int(s->total_touchpoints);
    values[SESSIONS_TOTAL_SESSION_TIME] = value_int(session_seconds(s));
    values[SESSIONS_ENTRY_POINT] = value_text(p->entry_point);
    values[SESSIONS_UTM_DATA] = value_text(p->utm_data);
    values[SESSIONS_REFERRER_DATA] = value_text(p->referrer_data);
    values[SESSIONS_EXIT_POINT] = value_text(s->exit_point);
    values[SESSIONS_CONVERSION_EVENTS] = conversions_json(s, arena);
    values[SESSIONS_UX_INTELLIGENCE_CONTEXT] = value_null();
    values[SESSIONS_METADATA] = (struct store_value){.s = SLICE_LITERAL("{}")};
    values[SESSIONS_CREATED_AT] = value_int(s->created_us);
    values[SESSIONS_UPDATED_AT] = value_int(record->updated_us > 0 ? record->updated_us : now_us);
}
