#pragma once
/* What a user agent says of itself: browser, system, device, and whether a program rather than a person is behind it. */
#include "base.h"

#define INGEST_AGENT_BYTES 512 /* of a user agent, which are looked at */

/* Empty: not known. */
struct ingest_agent {
    struct slice browser, browser_version; /* "Chrome", "120" */
    struct slice os, os_version;           /* "iOS", "17.1" */
    struct slice brand, model;             /* of the device: "Apple", "iPhone" */
    bool bot;
};

/*
 * Puts what patterns found in it (*agent; nothing: all empty) right: what they call others or generic is not known, their
 * spiders are bots, and so is what bears a word of such a program.
 */
void ingest_agent_judge(struct ingest_agent *agent, struct slice user_agent);
/* mobile, tablet, desktop, tv, console, watch or car; os: the system's name that the client gave, or empty */
const char *ingest_agent_class(struct slice user_agent, struct slice os);
