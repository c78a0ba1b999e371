#pragma once
/*
 * Dead letters that are sent back, or dropped.
 *
 *   read them ──► map again what was raw ──► note "replaying" ──► into the log ──► note "replayed"
 *    thread            loop                     thread              loop             thread
 *
 * The note comes first, so that a letter never goes twice by accident: one that stays at "replaying" may have gone. What a
 * service refused goes back to its topic as it was; what the gateway could not map is mapped again, as its client's route
 * would do it, and stays open with its faults where that still fails.
 */
#include "exchange.h"
#include "letters.h"

#define LETTERS_AT_ONCE 1000

void letters_act_on_one(struct exchange *exchange, const struct letter *letter, bool drop);
/* At most LETTERS_AT_ONCE open ones behind `after` (NULL: from the oldest); the answer says whether there are more. */
void letters_act_on_many(struct exchange *exchange, const struct letters_filter *filter,
                         const struct letter *after, bool drop);
