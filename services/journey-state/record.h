#pragma once
/* The session as it is kept (SessionRecord) and as the domain sees it; and its row. */
#include "domain/session.h"
#include "store.h"

#include "journey/v1/journey.pb-c.h"

/* Texts and bytes stay where they are in both directions. */
void record_read(struct session *session, const Journey__V1__SessionRecord *record);
/* A new record in the arena, NULL on its overflow. consent is the session's last stamp, or NULL. What
 * a later release wrote into `previous` (or NULL) is kept. */
Journey__V1__SessionRecord *record_write(const struct session *session,
                                         Journey__V1__ConsentStamp *consent,
                                         const Journey__V1__SessionRecord *previous,
                                         struct arena *arena);
/* What a state row in a look-up says. NULL: it cannot be read. */
Journey__V1__SessionRecord *record_decode(struct slice state, struct arena *arena);

/* The columns of journey_sessions between session_id and state. */
void record_project(const void *state, int64_t now_us, struct arena *arena,
                    struct store_value *values);
