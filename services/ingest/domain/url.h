#pragma once
/* Addresses of pages, as browsers send them: parts of the text, nothing is checked. */
#include "base.h"

/* The host without port and user, as it stands; empty: none. */
struct slice ingest_url_host(struct slice url);
/* From the first slash after the host to query or fragment; "/" of a URL that has none, empty of what is no URL. */
struct slice ingest_url_path(struct slice url);
struct slice ingest_url_query(struct slice url); /* between '?' and '#' */
/* Takes the next parameter off the query; its value as it stands. */
bool ingest_url_parameter(struct slice *query, struct slice *name, struct slice *value);
struct slice ingest_url_decoded(struct slice value, struct arena *arena);
struct slice ingest_host_without_www(struct slice host);

/* In ASCII lower case, cut between characters to at most limit bytes. */
struct slice ingest_text_lower(struct slice text, size_t limit, struct arena *arena);
/* Cut between characters, and before what is not UTF-8. */
struct slice ingest_text_cut(struct slice text, size_t limit);
/* Up to the first of the bytes in ends. */
struct slice ingest_text_until(struct slice text, const char *ends);
/* Whether the word stands anywhere in the text, in whatever case. */
bool ingest_text_contains(struct slice text, const char *word);
bool ingest_text_equals(struct slice text, const char *word); /* in whatever case */
