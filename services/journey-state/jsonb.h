#pragma once
/*
 * JSON from outside, made fit for a jsonb column. Postgres refuses what RFC 8259 allows: \u0000,
 * lone surrogates and numbers beyond numeric's range; one such value would fail the whole commit.
 */
#include "json.h"

/* The value's own bytes when they are fit, else rewritten: NULs and lone surrogates become U+FFFD,
 * numbers of more than 300 places become strings. "" when node is NULL or the arena overflowed. */
const char *jsonb_node(const struct json_node *node, struct arena *arena);
/* Only an object, else "". */
const char *jsonb_object(const struct json_node *node, struct arena *arena);
/* Of a text; "" when it is empty or no JSON. */
const char *jsonb_text(const char *text, struct arena *arena);
const struct json_node *jsonb_parse(const char *text, struct arena *arena); /* or NULL */
/* A string, decoded and cut to max characters; a number as written; else "". */
const char *jsonb_string(const struct json_node *node, size_t max, struct arena *arena);
