/* What journey-state reads: accepted events and commands, with what their JSON holds. */
#include "fuzz/decision.h"
#include "journey_state.h"

static uint8_t tenant[] = "0123456789abcdef";

static struct slice accepted(Journey__V1__Event *event, struct arena *arena)
{
    Journey__V1__Accepted accepted;
    Journey__V1__SessionStart start;
    journey__v1__accepted__init(&accepted);
    journey__v1__session_start__init(&start);
    accepted.tenant_id = (ProtobufCBinaryData){16, tenant};
    accepted.session_id = event->session_id[0] ? event->session_id : arena_printf(arena, "s");
    accepted.event = event;
    accepted.opens = &start;
    accepted.time_us = accepted.received_us = event->timestamp_us;
    return decision_packed(&accepted, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return decision_input(&journey_state_service, data, size, accepted);
}
