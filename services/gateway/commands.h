#pragma once
/* Requests that ask a service for something: body → Command, and the wait for what its answer is made of. */
#include "exchange.h"
#include "journey/v1/command.pb-c.h"

struct command_build {
    struct exchange *exchange;
    const struct json_node *body; /* checked; NULL: the route has none */
    struct arena *arena;
    int64_t now_us;
    Journey__V1__Command *command; /* to be filled; subject is set when the path names it */
    struct slice key_id; /* what the record's key is made of; the subject when left alone */
    struct gw_faults *faults;
    const char *forbidden; /* set: why this key may not ask for that */
};

/* A route's run(). */
void command_run(struct exchange *exchange);
/* A reply for an open exchange; its bytes are the caller's. */
void command_reply(struct exchange *exchange, struct slice reply);

/* Rows' build(). */
void build_start(struct command_build *build);
void build_stage(struct command_build *build);
void build_touchpoint(struct command_build *build);
void build_conversion(struct command_build *build);
void build_end(struct command_build *build);
void build_get(struct command_build *build);
void build_list(struct command_build *build);
void build_set_consent(struct command_build *build);
void build_get_consents(struct command_build *build);
