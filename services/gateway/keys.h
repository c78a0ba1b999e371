#pragma once
/* Whose key it is: the cache first, else the database; the request waits, or goes on at once with what is known. */
#include "exchange.h"

/* Goes on in serve_authorised(), now or later; or answers 503. */
void keys_find(struct exchange *exchange, struct slice key);
/* Give up what is under way: the store is gone. */
void keys_destroy(struct gateway *gateway);

extern const struct store_table keys_table, organizations_table, settings_table;
#define KEYS_SCHEMA "accounts"
#define KEYS_ROLE   "journey_accounts"
