#include "validate.h"

#define MESSAGE_ID_BYTES      200
#define NAME_CHARACTERS       255 /* as the column event_name */
#define SESSION_ID_CHARACTERS 100
#define TIME_END_US           INT64_C(9214646400000000) /* 2262-01-01, as time_parse */

static size_t characters(struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++)
        n += (text.data[i] & 0xc0) != 0x80;
    return n;
}

enum ingest_invalid ingest_validate(const struct ingest_event *event)
{
    if (event->device.size != 16)
        return INGEST_INVALID_DEVICE_MISSING;
    if (event->message_id.size == 0)
        return INGEST_INVALID_MESSAGE_ID_MISSING;
    if (event->message_id.size > MESSAGE_ID_BYTES)
        return INGEST_INVALID_MESSAGE_ID_TOO_LONG;
    if (!utf8_valid(event->message_id) || !utf8_valid(event->name) ||
        !utf8_valid(event->session_id))
        return INGEST_INVALID_TEXT_INVALID;
    if (event->type < INGEST_TYPE_TRACK || event->type > INGEST_TYPE_ALIAS)
        return INGEST_INVALID_TYPE_UNKNOWN;
    if (event->type == INGEST_TYPE_TRACK && event->name.size == 0)
        return INGEST_INVALID_NAME_MISSING;
    if (characters(event->name) > NAME_CHARACTERS)
        return INGEST_INVALID_NAME_TOO_LONG;
    if (characters(event->session_id) > SESSION_ID_CHARACTERS)
        return INGEST_INVALID_SESSION_ID_INVALID;
    if (event->timestamp_us < 0 || event->timestamp_us >= TIME_END_US)
        return INGEST_INVALID_TIMESTAMP_INVALID;
    return INGEST_VALID;
}

static const struct {
    const char *code, *reason;
} invalids[INGEST_INVALID_COUNT] = {[INGEST_VALID] = {"valid", "valid"},
#define INGEST_INVALID_ROW(id, code, reason) [INGEST_INVALID_##id] = {code, reason},
                                    INGEST_INVALID_TABLE(INGEST_INVALID_ROW)
#undef INGEST_INVALID_ROW
};

const char *ingest_invalid_code(enum ingest_invalid invalid)
{
    return invalids[invalid].code;
}

const char *ingest_invalid_reason(enum ingest_invalid invalid)
{
    return invalids[invalid].reason;
}
