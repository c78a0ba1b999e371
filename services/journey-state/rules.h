#pragma once
/*
 * A tenant's rules: the defaults, with what its settings say otherwise.
 *
 *   session_idle_seconds    of sessions that no event has told theirs
 *   retention_days          after a conversion, that a person's sessions start in retention
 *   currency                of values sent without one
 *   stage_events            {"Product Viewed":"consideration", ...} instead of the default table
 *   goal_events             {"Quote Requested":"quote", ...} besides Order Completed
 *   goal_types              "purchase,consultation_booking": bring a session to conversion
 *
 * A value that cannot be read leaves the default.
 */
#include "domain/session.h"

#include "journey/v1/settings.pb-c.h"

#define RULES_MAX 100 /* entries of each table */

/* settings may be NULL. The result lives in the arena, or for ever. */
const struct session_rules *rules_make(const Journey__V1__TenantSettings *settings,
                                       struct arena *arena);
