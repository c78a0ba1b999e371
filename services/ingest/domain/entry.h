#pragma once
/* How a session that an event opens began: on which kind of device, and where from. */
#include "base.h"

/* "mobile", "tablet" or "desktop", from the user agent, else from the operating system's name. */
const char *ingest_entry_device(struct slice user_agent, struct slice os);

/*
 * Lower case, at most 100 bytes: the campaign's source, else the name of a referrer that is known
 * (google, tiktok, ...), else "referral" when there is a referrer other than the page's own site,
 * else "direct".
 */
struct slice ingest_entry_source(struct slice campaign_source, struct slice referrer,
                                 struct slice page_url, struct arena *arena);
/* The referrer's host in lower case, when it is of another site than the page; else empty. */
struct slice ingest_entry_referrer(struct slice referrer, struct slice page_url,
                                   struct arena *arena);
/* The name of a referrer that is known, a site or an app (google, tiktok, ...); NULL: none. */
const char *ingest_entry_site(struct slice referrer);
