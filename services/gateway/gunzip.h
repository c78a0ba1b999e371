#pragma once
/* Bodies that SDKs send compressed, known by their first bytes and not by any header. */
#include "base.h"

bool gunzip_looks_like(struct slice body);
/* ERR_TOO_LARGE: more than limit bytes come out; ERR_INVALID: it is no gzip, or is cut short. */
int gunzip(struct slice *out, struct slice body, size_t limit, struct arena *arena) MUST_CHECK;
