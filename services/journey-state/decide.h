#pragma once
/* What decisions take from look-ups. */
#include "effects.h"

/* What is known of the person from earlier sessions, into the moment. need: index of the look-up. */
void decide_person(const struct turn *turn, unsigned need);
/* Whether a conversion of this type has a row for the order already. */
bool decide_counted(const struct stream_decision *decision, unsigned need, const char *type);
