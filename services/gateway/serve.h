#pragma once
/* From a request to its route: path, method, browser preflight, body limits, key; then the row's run(). */
#include "exchange.h"

void serve_request(struct http_request *request, void *user); /* user: the gateway */
/* What the server refuses by itself: a page must be able to read why. */
void serve_refused(struct http_request *request, void *user);
/* Parses the body once; false: it is no JSON, which has been answered. No body is an empty object. */
bool serve_parse(struct exchange *exchange);
/* Whose request it is, behind the proxies that are trusted: an address as text, borrowed from the request. */
struct slice request_address(struct gateway *gateway, struct http_request *request);
/* keys.c: the key was looked up. */
void serve_authorised(struct exchange *exchange, const struct gw_key *key);
