#pragma once
/* Events of any client's form: one or a batch, into EventBatches by partition; answered when the log has all of them. */
#include "exchange.h"

void events_run(struct exchange *exchange);
struct event_batch;
/* A dead letter of the gateway as its client's route would map it now; NULL: the faults say what is still wrong with it (none:
 * the request's memory is full). */
struct event_batch *events_map_again(struct exchange *exchange, const struct bus_record *letter,
                                     struct gw_faults *faults);
/* Which events the request holds, once; false: they cannot be told, which has been answered. */
bool events_cut(struct exchange *exchange);
/* Metrics of the SDKs themselves: taken and thrown away. */
void events_discard(struct exchange *exchange);
/* client_start.c: what an SDK asks before it starts. */
void events_settings(struct exchange *exchange);
