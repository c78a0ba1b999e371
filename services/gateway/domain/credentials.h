#pragma once
/* What a request says about who asks and what it belongs to: keys and trace context, as text from outside. */
#include "base.h"

#define GW_MAX_KEY_TEXT 200

/* The key in `Authorization: Basic base64(key:)`, `Authorization: Bearer key` or `X-Api-Key: key` (headers may be NULL);
 * empty when there is none, or none that can be one. */
struct slice gw_key_text(const char *authorization, const char *x_api_key, struct arena *arena);
/* 1..GW_MAX_KEY_TEXT printable characters without space. */
bool gw_key_plausible(struct slice key);

#define GW_TRACEPARENT_SIZE 56 /* 00-<32>-<16>-<2> and a NUL */
/* The W3C traceparent that came, when it is one, else one made from 24 random bytes. */
void gw_traceparent(char out[GW_TRACEPARENT_SIZE], const char *header, const uint8_t random[24]);
