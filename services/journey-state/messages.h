#pragma once
/* The messages that this service says about a session; NULL when the arena overflowed. */
#include "effects.h"

#include "journey/v1/journey.pb-c.h"

Journey__V1__SessionState *message_state(const struct turn *turn, const struct session_fact *fact);
Journey__V1__Touchpoint *message_touchpoint(const struct turn *turn,
                                            const struct session_fact *fact);
/* A move is a touchpoint of its own: what it says, and its message. */
struct happening *message_transition(const struct turn *turn, const struct session_fact *fact);
Journey__V1__Touchpoint *message_moved(const struct turn *turn, const struct session_fact *fact,
                                       const struct happening *transition);
