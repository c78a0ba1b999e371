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
/* client_start.c: what an SDK asks before it starts. */
void events_settings(struct exchange *exchange);
void events_posthog_config(struct exchange *exchange),
    events_posthog_script(struct exchange *exchange);
/* The route's answer, whatever was asked or sent: nothing is kept of it. */
void events_constant(struct exchange *exchange);
/* A client's further scripts: not found, but said so that another origin's page can hear it. */
void events_absent(struct exchange *exchange);
