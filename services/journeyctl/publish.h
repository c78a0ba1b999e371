#pragma once
/* publish: what operators put into the log, acknowledged before it is called done. */
#include "ctl.h"

/* Sends one message and waits until the log has it. */
int publish_message(struct ctl *ctl, const struct bus_message *message) MUST_CHECK;

/*
 * Settings are published as a whole, under a lock per tenant that spans change and publication: so versions reach the
 * topic in their order. The lock is the connection's, and goes with it.
 */
int publish_settings_lock(struct ctl *ctl, const char *tenant_id) MUST_CHECK;
/* Says the tenant's settings as they stand, and notes the version that was said. CTL_PARTLY: it could not be said;
 * `journeyctl settings publish` says it later. */
int publish_settings(struct ctl *ctl, const char *tenant_id, const char *name) MUST_CHECK;
