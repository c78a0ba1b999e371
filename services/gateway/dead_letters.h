#pragma once
/* Dead letters for people: list, look at, send back, drop; of the key's tenant alone. */
#include "exchange.h"

void dead_letters_list(struct exchange *exchange);
void dead_letters_show(struct exchange *exchange);
void dead_letters_drop(struct exchange *exchange);      /* one */
void dead_letters_drop_many(struct exchange *exchange); /* by reason */
void dead_letters_replay(struct exchange *exchange);
void dead_letters_replay_many(struct exchange *exchange);
