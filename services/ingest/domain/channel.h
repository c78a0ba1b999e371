#pragma once
/*
 * How a visitor was led here, in the words that marketing uses: the default channel groups of Google Analytics 4, by
 * source, medium and campaign, in that order of rules; the first that holds decides.
 */
#include "base.h"

struct
    ingest_click; /* an id that an advertiser's or network's links carry: whose, and whether it was paid for */

/* Of the parameter's name ("gclid"); NULL: it is none. */
const struct ingest_click *ingest_click_of(struct slice parameter);

struct ingest_arrival {
    struct slice source, medium, campaign; /* of the campaign, as sent */
    const struct ingest_click *click;      /* in the page's address, or NULL */
    struct slice referrer;                 /* of another site, and its host in lower case */
    struct slice referrer_host;
};

/* "Paid Search", "Referral", ..., "Unassigned"; empty: neither campaign nor click id nor a referrer of another site. */
const char *ingest_channel(const struct ingest_arrival *arrival, struct arena *arena);

#define INGEST_CHANNEL_DIRECT "Direct" /* of a session that came by nothing */
