#pragma once
/* JSON of the answers; "null" when there is no memory for it. */
#include "domain/session.h"
#include "store.h"

/* {"current_stage","personalized_path","conversion_probability","next_optimal_touchpoint"} */
const char *render_journey_state(const struct session *session, struct arena *arena);
/* The session's row, with persona, device_context, journey_state and optimizations. values: every
 * column of journey_sessions. */
const char *render_session(const struct session *session, const struct store_value *values,
                           struct arena *arena);
const char *render_touchpoint(const uint8_t id[16], int32_t sequence, struct arena *arena);
const char *render_conversion(const uint8_t id[16], int64_t cents, struct arena *arena);
/* {"data":[rows],"next_cursor"}: total is the session's last sequence when it was asked, until the
 * last that was asked for; a page of large rows ends earlier. */
const char *render_page(const struct store_found *found, unsigned n_found, int64_t until,
                        int64_t total, struct arena *arena);
const char *render_time(int64_t time_us, struct arena *arena);
const char *render_int(int64_t number, struct arena *arena);
