#pragma once
/* The gateway's side of Kafka: delivery reports and replies, drained from the loop, each to the exchange that waits. */
#include "gateway.h"

extern const int broker_send_topics[];
extern const unsigned n_broker_send_topics;

int broker_create(struct gateway *gateway, struct err *err) MUST_CHECK;
void broker_destroy(struct gateway *gateway);
/* Takes what is there, at most a budget; true: there may be more. */
bool broker_poll(struct gateway *gateway);
