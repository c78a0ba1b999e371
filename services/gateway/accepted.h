#pragma once
/* What ingest decided about an event, for people: its session and time, and what was changed of it. */
#include "journey/v1/event.pb-c.h"
#include "json.h"

enum accepted_status { /* bits: a question says which it is about */
    EVENT_ACCEPTED = 1,
    EVENT_CHANGED = 2,
    EVENT_REFUSED = 4
};

/* One object; EVENT_ACCEPTED, or EVENT_CHANGED when something of it was. */
enum accepted_status accepted_write(struct json_writer *w, const Journey__V1__Accepted *a);
