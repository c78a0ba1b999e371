#pragma once
/*
 * The parts of the service, from message to effects:
 *
 *   journey.v1.Accepted ─► decide.c   ─┐ reading.c: what it says   ─┐
 *   journey.v1.Command  ─► commands.c ─┤ record.c:  state ⇄ session ├─► domain/session.c ─► facts ─► effects.c
 *   idle timer          ─► decide.c   ─┘ rules.c:   tenant's rules ─┘                         └───► answers.c
 */
#include "stream.h"

extern const struct stream_service journey_state_service;

enum {
    JOURNEY_MIRROR_SETTINGS
};
enum {
    JOURNEY_COUNT_TOUCHPOINTS,
    JOURNEY_COUNT_CONVERSIONS,
    JOURNEY_COUNT_TRANSITIONS,
    JOURNEY_COUNT_FORGOTTEN,
    JOURNEY_COUNTERS
};

extern const struct stream_state journey_sessions_state;

/* decide.c: accepted events, and timers */
int journey_event_key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
                      struct err *err);
unsigned journey_event_needs(const void *body, unsigned index, struct arena *arena,
                             struct stream_need *needs);
void journey_event_decide(struct stream_decision *decision, const struct stream_message *message);
void journey_due(struct stream_decision *decision, const struct stream_message *message);

/* commands.c */
int journey_command_key(const void *body, unsigned index, struct arena *arena,
                        struct stream_key *key, struct err *err);
unsigned journey_command_needs(const void *body, unsigned index, struct arena *arena,
                               struct stream_need *needs);
void journey_command_decide(struct stream_decision *decision, const struct stream_message *message);
