#pragma once
/* The gateway's metrics. */
#include "gateway.h"

struct route;

int stats_create(struct gateway *gateway, struct err *err) MUST_CHECK;
void stats_destroy(struct gateway *gateway);
/* One was handed to the log. */
void stats_dead_letter(struct gateway *gateway, int topic, const char *code);
void stats_answer(struct gateway *gateway, const struct route *route, int status,
                  int64_t duration_us);
void stats_refused(struct gateway *gateway, enum gateway_refusal refusal);
/* Copies what others count: once a second is enough. */
void stats_refresh(struct gateway *gateway);
