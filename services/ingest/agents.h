#pragma once
/*
 * User agents by the patterns of uap-core (https://github.com/ua-parser/uap-core), a YAML file, read once. Hundreds of
 * patterns are tried one after the other, so what was found in the latest user agents is remembered; that is never seen
 * in what comes out.
 */
#include "domain/agent.h"

#define AGENTS_REMEMBERED 2048

struct agents;

/* path NULL: without patterns, by words alone. */
int agents_create(struct agents **agents, const char *path, struct err *err) MUST_CHECK;
void agents_destroy(struct agents **agents);

struct agents_found {
    struct ingest_agent agent; /* its texts live until the next call */
    bool remembered;
    bool limited; /* a pattern took too many steps, and counts as one that does not match */
};
struct agents_found agents_find(struct agents *agents, struct slice user_agent);
