#pragma once
/* What stands percent-encoded in queries and headers. */
#include "base.h"

/* Wrong escapes stay as they are. The result is the text itself, or in the arena. */
struct slice gw_percent_decode(struct slice text, bool plus_is_space, struct arena *arena);
/* Takes the next parameter off the query, decoded; false: there is none. */
bool gw_query_next(struct slice *query, struct slice *name, struct slice *value,
                   struct arena *arena);
/* The parameters as a JSON object of strings; of a name given twice the last counts. Empty: the arena is full. */
struct slice gw_query_object(struct slice query, struct arena *arena);
