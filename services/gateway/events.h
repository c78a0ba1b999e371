#pragma once
/* Events of the Segment form: one or a batch, into EventBatches by partition; answered when the log has all of them. */
#include "exchange.h"

void events_run(struct exchange *exchange);
/* Metrics of the SDKs themselves: taken and thrown away. */
void events_discard(struct exchange *exchange);
/* What an SDK asks before it starts. */
void events_settings(struct exchange *exchange);
