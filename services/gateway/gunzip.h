#pragma once
/* Bodies that SDKs send compressed, known by their first bytes and not by any header. */
#include "base.h"

bool gunzip_looks_like(struct slice body);
/* Members one after the other are one text. ERR_TOO_LARGE: more than limit bytes come out, of which hardly more than limit
 * are made; ERR_INVALID: it is no gzip, is cut short, or something else follows. */
int gunzip(struct slice *out, struct slice body, size_t limit, struct arena *arena) MUST_CHECK;
