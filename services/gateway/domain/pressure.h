#pragma once
/*
 * Whether Kafka keeps up, told from what was sent and is not confirmed yet. While it is behind nothing is let in, so
 * that answers are quick, memory stays bounded and what was let in gets its turn.
 *
 *            bytes ≥ high, or nothing confirmed for stall_us while something waits
 *    ┌─ keeps up ───────────────────────────────────────────────────────────► behind ─┐
 *    └─────────◄─────────────────────────────────────────────────────────────────────┘
 *            something was confirmed since, and bytes < low
 *
 * Behind and with nothing left that waits, one is let in: what becomes of it tells whether Kafka is back.
 */
#include "base.h"

struct gw_pressure_limits {
    size_t high, low; /* bytes */
    int64_t stall_us;
};

struct gw_pressure {
    bool behind, confirmed;
    int64_t moved_us; /* of the last confirmation, or when last nothing waited */
};

void gw_pressure_confirmed(struct gw_pressure *pressure, int64_t now_us);
/* messages, bytes: sent and not confirmed. true: let the request in. */
bool gw_pressure_admit(struct gw_pressure *pressure, const struct gw_pressure_limits *limits,
                       size_t messages, size_t bytes, int64_t now_us);
