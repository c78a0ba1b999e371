#pragma once
/*
 * A session, and the only functions that change it. Each takes what happened and says in facts what
 * came of it, in the order in which it is to be told:
 *
 *     an event or command ──► session_...() ──► changed session
 *                                           └─► facts: started, reopened, touchpoint, conversion,
 *                                               moved (itself a touchpoint), ended
 *
 * Lifecycle: open ──end or idleness──► ended ──a later event──► open. A session ended by command
 * refuses commands; one that only fell idle is reopened by them as by events, so that an answer
 * does not depend on how punctual a timer is. What happened before an end by command but arrives
 * after it belongs to the session as it ended.
 *
 * Texts are terminated, never NULL, and live as long as the arena of the decision.
 */
#include "conversion.h"
#include "stage.h"

#define SESSION_ORDERS      32 /* order ids remembered; older repeats are found in the table */
#define SESSION_CONVERSIONS 5  /* conversions shown in the row */

struct session_profile {
    const char *persona_type;
    double persona_confidence;
    const char *device_type, *device_fingerprint, *device_context;
    const char *entry_point, *entry_source, *utm_data, *referrer_data;
    const char *intent_signals, *returning_visitor;
    bool returning;
};

struct session_conversion {
    uint8_t id[16];
    const char *type, *currency;
    int64_t cents, at_us;
};

struct session {
    uint8_t tenant[16];
    const char *session_id;
    uint8_t id[16];
    uint8_t user[16], device[16];
    bool known, placed; /* user, device is set */
    struct session_profile profile;
    bool started; /* by a start, not only by touchpoints */
    enum stage stage;
    const char *path;
    int32_t total_touchpoints;
    int64_t start_us, last_us; /* first and latest sign of life, in event time */
    int64_t last_received_us;  /* of the latest; the idle timer runs on receipt time */
    int64_t end_us;            /* 0: open */
    bool ended_by_command;
    const char *exit_point;
    uint64_t orders[SESSION_ORDERS]; /* newest last */
    unsigned n_orders;
    struct session_conversion recent[SESSION_CONVERSIONS]; /* newest last */
    unsigned n_recent;
    int32_t conversions;
    int64_t converted_us; /* the person's latest conversion to a goal; 0: none known */
    int64_t created_us, idle_us;
    const char *last_item;
};

struct session_rules {
    const struct stage_rules *stages;
    const struct goals *goals;
    int64_t idle_us;      /* default of sessions that no event has told theirs */
    const char *currency; /* of values sent without one */
    int64_t retention_us; /* how long after a conversion a person's sessions start in retention */
};
extern const struct session_rules session_default_rules;

/* Where and when something happened, and what is known of the person from earlier sessions. */
struct session_moment {
    int64_t time_us, received_us;
    const uint8_t *user, *device; /* or NULL: not said */
    bool seen_before;             /* the known person has an earlier session */
    int64_t converted_us;
};

struct session_goal {
    const char *type, *currency;
    int64_t cents;
    const char *order_id; /* empty: none */
    bool counted;         /* the order has a row already */
};

/* ---- what came of it ---- */

enum session_fact_kind {
    SESSION_STARTED,
    SESSION_REOPENED,
    SESSION_TOUCHPOINT,
    SESSION_CONVERTED,
    SESSION_MOVED, /* is a touchpoint of its own */
    SESSION_ENDED,
};

struct session_fact {
    enum session_fact_kind kind;
    enum stage previous, stage; /* stage: after it */
    int32_t sequence;           /* touchpoints so far, its own included */
};

enum session_verdict {
    SESSION_DONE,
    SESSION_SAME,    /* nothing to do: it is so already */
    SESSION_ILLEGAL, /* no such move */
    SESSION_OVER,    /* ended by command */
};

#define SESSION_MAX_FACTS 5
struct session_outcome {
    struct session_fact facts[SESSION_MAX_FACTS];
    unsigned n_facts;
    uint8_t conversion_id[16]; /* of a goal, counted or repeated */
    bool counted;
};

/* A session that was not there. by_start: not by an event. */
void session_open(struct session *session, const struct session_rules *rules,
                  const struct session_profile *profile, const struct session_moment *moment,
                  bool by_start, struct session_outcome *outcome);
/* SESSION_SAME when it was started before: it stays as it stands. */
enum session_verdict session_start(struct session *session, const struct session_rules *rules,
                                   const struct session_profile *profile,
                                   const struct session_moment *moment,
                                   struct session_outcome *outcome);
/* An accepted event: one touchpoint, a conversion when it has a goal, and moves forward. event: its
 * name as sent, empty when it moves nothing. */
void session_event(struct session *session, const struct session_rules *rules, const char *event,
                   const struct session_goal *goal, const struct session_moment *moment,
                   struct session_outcome *outcome);
/* The same by command. */
enum session_verdict session_touch(struct session *session, const struct session_rules *rules,
                                   const char *event, const struct session_moment *moment,
                                   struct session_outcome *outcome);
/* A repeated order changes nothing and is SESSION_SAME. */
enum session_verdict session_convert(struct session *session, const struct session_rules *rules,
                                     const struct session_goal *goal,
                                     const struct session_moment *moment,
                                     struct session_outcome *outcome);
/* SESSION_SAME: the current stage was named, which is an interaction. */
enum session_verdict session_move(struct session *session, enum stage to,
                                  const struct session_moment *moment,
                                  struct session_outcome *outcome);
enum session_verdict session_end(struct session *session, const char *exit_point,
                                 const struct session_moment *moment,
                                 struct session_outcome *outcome);
/* The idle timer came due: ends the session unless a later sign of life moved its time. */
void session_idle(struct session *session, int64_t due_us, struct session_outcome *outcome);
int64_t session_idle_at(const struct session *session); /* when it will have been idle too long */

int32_t session_seconds(const struct session *session); /* last - start */
