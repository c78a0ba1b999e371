#pragma once
/*
 * The stages of a journey, in their order, and how a session moves between them: by command along
 * a table of legal moves, by behaviour only forward.
 */
#include "base.h"

#define STAGE_TABLE(STAGE)                                                                         \
    STAGE(AWARENESS, "awareness")                                                                  \
    STAGE(CONSIDERATION, "consideration")                                                          \
    STAGE(DECISION, "decision")                                                                    \
    STAGE(CONVERSION, "conversion")                                                                \
    STAGE(RETENTION, "retention")

enum stage {
    STAGE_NONE = -1,
#define STAGE_ENUM(id, name) STAGE_##id,
    STAGE_TABLE(STAGE_ENUM)
#undef STAGE_ENUM
    STAGE_COUNT
};

const char *stage_name(enum stage stage);
enum stage stage_parse(const char *name); /* STAGE_NONE when unknown */

/* Whether a command may move a session so. Naming the current stage is no move: false. */
bool stage_move_legal(enum stage from, enum stage to);

/* What moves a session by behaviour: the name of an event, as sent. */
struct stage_rule {
    const char *event;
    enum stage stage;
};
struct stage_rules {
    const struct stage_rule *rules;
    size_t n;
};
extern const struct stage_rules stage_default_rules;
enum stage stage_by_event(const struct stage_rules *rules, const char *event); /* or STAGE_NONE */
