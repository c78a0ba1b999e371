#pragma once
/* Shared by reading.c and reading_commands.c. */
#include "json.h"
#include "reading.h"

void reading_clear(struct happening *h);
void reading_columns(struct happening *h, const struct json_node *object, struct arena *arena);
bool reading_money(int64_t *cents, const struct json_node *node, struct arena *arena);
/* The conversion that a happening with value_cents makes. */
void reading_goal(struct happening *h, const char *type, const char *currency,
                  const struct session_rules *rules, struct arena *arena);
