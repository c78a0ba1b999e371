#pragma once
/* What tests say to ingest on its rig, and what they hear. */
#include "ingest.h"
#include "rig/rig.h"

/* The tenant's basis of analytics, and a setting of it (NULL: none). */
void rig_settings(struct rig *rig, const char *basis, const char *name, const char *value);
/* An event of device number n; fill in the rest. */
Journey__V1__Event *rig_event(struct rig *rig, uint8_t device, const char *message_id,
                              int64_t timestamp_us);
/* One record with these events, received now. */
void rig_send_events(struct rig *rig, int topic, Journey__V1__Event **events, size_t n);
void rig_send_event(struct rig *rig, Journey__V1__Event *event);
Journey__V1__Command *rig_start(struct rig *rig, uint8_t device, const char *session_id);
void rig_send_command(struct rig *rig, Journey__V1__Command *command);
/* What it made of the event; fails when there is none. */
const Journey__V1__Accepted *rig_accepted(struct rig *rig, const char *message_id);
