#pragma once
/* The kinds of clients: of each its form, how its requests are cut into events, where its key may stand. */
#include "cut.h"

/* GW_CLIENT(id, name in EventBatch.client) */
#define GW_CLIENT_TABLE(CLIENT)                                                                    \
    CLIENT(SEGMENT, "segment")                                                                     \
    CLIENT(API, "api")                                                                             \
    CLIENT(POSTHOG, "posthog")                                                                     \
    CLIENT(JITSU, "jitsu")                                                                         \
    CLIENT(JITSU_CLASSIC, "jitsu_classic")                                                         \
    CLIENT(SNOWPLOW, "snowplow")                                                                   \
    CLIENT(CLOUDEVENTS, "cloudevents")

enum gw_client_id {
#define GW_CLIENT_ENUM(id, name) GW_CLIENT_##id,
    GW_CLIENT_TABLE(GW_CLIENT_ENUM)
#undef GW_CLIENT_ENUM
    GW_CLIENT_COUNT
};

struct gw_client {
    const struct gw_form *form;
    /* where the key may stand beside the Authorization and X-Api-Key headers, and the body; NULL-terminated, or NULL */
    const char *const *key_headers, *const *key_parameters;
};

extern const struct gw_client gw_clients[GW_CLIENT_COUNT];
const char *gw_client_name(enum gw_client_id id);
int gw_client_find(struct slice name); /* -1: none has it */

/* segment.c */
extern const struct gw_form gw_segment_form;
gw_cut_fn gw_cut_segment_one, gw_cut_segment_batch;

/* snowplow.c */
extern const struct gw_form gw_snowplow_form;
gw_cut_fn gw_cut_snowplow_post, gw_cut_snowplow_get;
#define GW_APP_KEY_PREFIX "app:"

/* cloudevents.c: what is no CloudEvent is of our own form. */
extern const struct gw_form gw_cloudevents_form;
gw_cut_fn gw_cut_api_one, gw_cut_api_batch;

/* import.c: events of the form that the query names. */
gw_cut_fn gw_cut_import;

/* posthog.c */
extern const struct gw_form gw_posthog_form;
gw_cut_fn gw_cut_posthog;

/* jitsu.c */
extern const struct gw_form gw_jitsu_classic_form;
gw_cut_fn gw_cut_jitsu_classic;
