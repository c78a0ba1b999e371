#pragma once

enum gw_event_type { /* the numbers of journey.v1.EventType */
    GW_EVENT_BY_BODY = 0,
    GW_EVENT_TRACK,
    GW_EVENT_PAGE,
    GW_EVENT_SCREEN,
    GW_EVENT_IDENTIFY,
    GW_EVENT_GROUP,
    GW_EVENT_ALIAS,
};
