#pragma once
/* What clients of other collectors expect to hear, where it is always the same. */
#include "routes.h"

extern const struct events_answer gw_answer_success; /* Segment's */
extern const struct events_answer
    gw_answer_rudder_source; /* switched on, nothing to be sent elsewhere */
extern const struct events_answer gw_answer_posthog_taken; /* also of what is not kept */
extern const struct events_answer
    gw_answer_posthog_flags; /* of /decide as of /flags: there are none */
extern const struct events_answer
    gw_answer_posthog_lists; /* surveys, experiments, ...: there are none */
extern const struct events_answer gw_answer_jitsu_taken;
extern const struct events_answer gw_answer_jitsu_classic_taken;

/* PostHog's configuration, from behind its token on. Nothing of surveys: a no would be fetched as a script, too. */
#define GW_POSTHOG_CONFIG                                                                          \
    "\"supportedCompression\":[\"gzip\",\"gzip-js\"],\"config\":{\"enable_collect_everything\":"   \
    "true},\"toolbarParams\":{},\"isAuthenticated\":false,\"sessionRecording\":false,"             \
    "\"capturePerformance\":false,\"autocapture_opt_out\":false,\"autocaptureExceptions\":false,"  \
    "\"captureDeadClicks\":false,\"elementsChainAsString\":true,\"defaultIdentifiedOnly\":true,"   \
    "\"heatmaps\":false,\"productTours\":false,\"conversations\":false,"                           \
    "\"siteApps\":[],\"hasFeatureFlags\":true"
