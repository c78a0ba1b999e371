#pragma once
/* The rules of the template service: counts go up, never past a limit, and are forgotten in the end. Pure. */
#include "base.h"

#define COUNT_LIMIT INT64_C(1000000000)

/* *value + by; ERR_INVALID when by is not 1..1000 or the limit would be passed. */
int count_up(int64_t *value, int64_t by, struct err *err) MUST_CHECK;

/* Until when a counter is kept that last went up then: 30 days. */
int64_t count_kept_until(int64_t last_us);
