#pragma once
/* The bodies of the command routes as tables. */
#include "schema.h"

extern const struct gw_schema gw_start_body, gw_stage_body, gw_touchpoint_body, gw_conversion_body,
    gw_end_body, gw_consent_body;

#define GW_MAX_SESSION_ID 100 /* characters */
/* 1..100 characters of UTF-8 without NUL. */
bool gw_session_id_valid(struct slice id);
