#pragma once
/*
 * The events of one request on their way to the log: grouped by partition, in the order sent, as EventBatches of at most
 * so many bytes; what is no event goes to the dead letters,
 * sealed. Lives in the exchange's arena.
 */
#include "domain/event.h"
#include "vault.h"

struct event_batch;
struct event_batch *event_batch_make(struct exchange *exchange, unsigned max_events);
/* Of a dead letter that is mapped again: whose form it has, and when it came. */
void event_batch_came(struct event_batch *batch, enum gw_client_id client, int64_t received_us);
void event_batch_add(struct event_batch *batch, const struct gw_event *event);
/* raw: the event as it came; fault: why it is none. */
void event_batch_add_dead(struct event_batch *batch, const struct gw_event *event, struct slice raw,
                          const struct gw_fault *fault);
/* Whose keys are needed before it can be sent; *n 0: nobody's. */
struct vault_subject *event_batch_subjects(struct event_batch *batch, unsigned *n);
/* Seals what is to be sealed and sends all of it; then delivered() of the exchange comes, or it is answered 503. Nothing to send: delivered() at once. */
void event_batch_send(struct event_batch *batch);
