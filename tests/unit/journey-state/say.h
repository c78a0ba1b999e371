#pragma once
/* What tests say to the service on its rig, and what they hear. */
#include "journey_state.h"
#include "json.h"
#include "rig/rig.h"

#include "journey/v1/event.pb-c.h"
#include "journey/v1/journey.pb-c.h"

extern const uint8_t rig_user[16];

/* An accepted track event; NULL properties: none. */
Journey__V1__Accepted *rig_event(struct rig *rig, const char *session, const char *name,
                                 const char *properties);
void rig_accept(struct rig *rig, const Journey__V1__Accepted *accepted);
void rig_setting(struct rig *rig, const char *key, const char *value);

Journey__V1__Command *rig_start(struct rig *rig, const char *session, const char *device,
                                const char *source);
Journey__V1__Command *rig_stage(struct rig *rig, const char *session, const char *stage);
Journey__V1__Command *rig_touchpoint(struct rig *rig, const char *session, const char *type,
                                     const char *columns);
Journey__V1__Command *rig_conversion(struct rig *rig, const char *session, const char *type,
                                     const char *value, const char *order);
Journey__V1__Command *rig_end(struct rig *rig, const char *session, const char *exit_point);
Journey__V1__Command *rig_get(struct rig *rig, const char *session);
/* Asks for the session; its JSON. */
const char *rig_session(struct rig *rig, const char *session);

/* A member of a part, as text; "(none)". */
const char *rig_member(struct rig *rig, const char *json, const char *dotted);
const char *rig_stage_of(struct rig *rig, const Journey__V1__Reply *reply);

/* What was said, in order per key; the count. */
unsigned rig_touchpoints(struct rig *rig, const Journey__V1__Touchpoint *list[RIG_MAX]);
/* "started,stage_transition,...": the session's changes */
const char *rig_changes(struct rig *rig, const char *session);
