/* What ingest reads, down to the addresses and user agents of an event's context. */
#include "fuzz/decision.h"
#include "ingest.h"

static uint8_t tenant[] = "0123456789abcdef";

static struct slice batch(Journey__V1__Event *event, struct arena *arena)
{
    Journey__V1__EventBatch batch;
    journey__v1__event_batch__init(&batch);
    batch.tenant_id = (ProtobufCBinaryData){16, tenant};
    batch.events = &event;
    batch.n_events = 1;
    return decision_packed(&batch, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return decision_input(&ingest_service, data, size, batch);
}
