#pragma once
/* Whether an event can be used at all; what cannot is a dead letter with one of these codes. */
#include "base.h"

/* INVALID(id, code, reason) */
#define INGEST_INVALID_TABLE(INVALID)                                                              \
    INVALID(DEVICE_MISSING, "device_missing", "the event names nobody: no device's hash")          \
    INVALID(MESSAGE_ID_MISSING, "message_id_missing", "the message id is missing")                 \
    INVALID(MESSAGE_ID_TOO_LONG, "message_id_too_long", "the message id is over 200 bytes")        \
    INVALID(TYPE_UNKNOWN, "type_unknown", "the type of event is none that is known")               \
    INVALID(NAME_MISSING, "name_missing", "a track event needs a name")                            \
    INVALID(NAME_TOO_LONG, "name_too_long", "the name is over 255 characters")                     \
    INVALID(SESSION_ID_INVALID, "session_id_invalid", "the session id is over 100 characters")     \
    INVALID(TEXT_INVALID, "text_invalid", "message id, name or session id is not UTF-8")           \
    INVALID(TIMESTAMP_INVALID, "timestamp_invalid", "the time lies outside the years 1970 to 2261")

enum ingest_invalid {
    INGEST_VALID,
#define INGEST_INVALID_ENUM(id, ...) INGEST_INVALID_##id,
    INGEST_INVALID_TABLE(INGEST_INVALID_ENUM)
#undef INGEST_INVALID_ENUM
    INGEST_INVALID_COUNT
};

enum ingest_type { /* the numbers of journey.v1.EventType */
    INGEST_TYPE_TRACK = 1,
    INGEST_TYPE_PAGE,
    INGEST_TYPE_SCREEN,
    INGEST_TYPE_IDENTIFY,
    INGEST_TYPE_GROUP,
    INGEST_TYPE_ALIAS,
};

struct ingest_event {
    int type;
    struct slice device, message_id, name, session_id; /* empty: none */
    int64_t timestamp_us;                              /* 0: none */
};

enum ingest_invalid ingest_validate(const struct ingest_event *event);
const char *ingest_invalid_code(enum ingest_invalid invalid);   /* stable */
const char *ingest_invalid_reason(enum ingest_invalid invalid); /* for operators */
