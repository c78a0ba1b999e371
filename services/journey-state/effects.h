#pragma once
/*
 * What came of a message, as effects: the session's new state, a row and a message per touchpoint, a
 * row per conversion, a message per change of the session, and its idle timer.
 */
#include "domain/session.h"
#include "reading.h"
#include "stream.h"

/* One decision about one session. */
struct turn {
    struct stream_decision *decision;
    const struct session_rules *rules;
    struct session *session;
    Journey__V1__ConsentStamp *consent; /* the session's last */
    bool existed, was_open, was_pseudonymous;
    const uint8_t *
        oldest; /* id of the conversion that the next one drops from those remembered; NULL: none */
    int64_t idle_us; /* as it was */
    struct happening *happening;
    struct session_outcome outcome;
};

/* Reads the state, if there is one, and the tenant's rules; NULL: no memory. */
struct turn *turn_begin(struct stream_decision *decision, const uint8_t tenant[16],
                        struct slice session_id);
/* Puts the session, and says what came of it. */
void turn_end(struct turn *turn);
/* The idle timer was early: when to look again. */
void turn_set_idle(const struct turn *turn);
/* Without consent to analytics: the session is known by its pseudonym only, and its rows do not stay. */
bool turn_pseudonymous(const struct turn *turn);
#define TURN_FORGET_TIMER "forget"
/* The time of such a session may be over: then all of it goes. */
void turn_forget(struct turn *turn);
