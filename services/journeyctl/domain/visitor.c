#include "visitor.h"

#include <stdio.h>

static const char *const STAGES[] = {"consideration", "decision", "conversion"};

enum {
    BATCHES = 3,
    STEPS_A_STAGE = BATCHES + 1,
    LAST_STAGE_STEP = STEPS_A_STAGE * (int)ARRAY_SIZE(STAGES),
    CONVERSION_STEP,
    END_STEP,
    N_STEPS,
};

void visitor_init(struct visitor *visitor, const char *run, uint64_t number)
{
    *visitor = (struct visitor){0};
    (void)snprintf(visitor->session, sizeof(visitor->session), "load-%.32s-%llu", run,
                   (unsigned long long)number);
}

unsigned visitor_steps(void)
{
    return N_STEPS;
}

static void event_id(const struct visitor_request *request, unsigned i, char out[100])
{
    (void)snprintf(out, 100, "%s.%u", request->key, i);
}

static void request_events(const struct visitor *visitor, struct visitor_request *request)
{
    char id[100];
    request->kind = VISITOR_EVENTS;
    request->weight = VISITOR_EVENTS_A_BATCH;
    buf_append_str(&request->path, "/v1/batch");
    buf_append_str(&request->body, "{\"batch\":[");
    for (unsigned i = 0; i < VISITOR_EVENTS_A_BATCH; i++) {
        event_id(request, i, id);
        buf_printf(&request->body,
                   "%s{\"type\":\"track\",\"event\":\"Load Step\",\"messageId\":\"%s\","
                   "\"anonymousId\":\"%s\",\"context\":{\"session_id\":\"%s\"},"
                   "\"properties\":{\"step\":%u,\"of\":%u}}",
                   i ? "," : "", id, visitor->session, visitor->session, visitor->step, i);
    }
    buf_append_str(&request->body, "]}");
}

static void request_start(const struct visitor *visitor, struct visitor_request *request)
{
    request->kind = VISITOR_START;
    buf_append_str(&request->path, "/api/journey/sessions/start");
    buf_printf(
        &request->body,
        "{\"session_id\":\"%s\",\"anonymous_id\":\"%s\",\"persona\":{\"type\":\"LoadVisitor\"},"
        "\"device_context\":{\"type\":\"mobile\"},\"entry_point\":{\"source\":\"tiktok\"}}",
        visitor->session, visitor->session);
}

static void request_stage(const struct visitor *visitor, struct visitor_request *request)
{
    request->kind = VISITOR_STAGE;
    request->put = true;
    request->secret = true;
    request->stage = STAGES[visitor->step / STEPS_A_STAGE - 1];
    buf_printf(&request->path, "/api/journey/sessions/%s/stage", visitor->session);
    buf_printf(&request->body,
               "{\"new_stage\":\"%s\",\"trigger_event\":\"load\",\"engagement_metrics\":"
               "{\"time_on_page\":45,\"scroll_depth\":0.8,\"interaction_count\":3}}",
               request->stage);
}

static void request_conversion(const struct visitor *visitor, struct visitor_request *request)
{
    request->kind = VISITOR_CONVERSION;
    buf_printf(&request->path, "/api/journey/sessions/%s/conversions", visitor->session);
    buf_printf(&request->body,
               "{\"event_type\":\"purchase\",\"event_value\":19.99,\"order_id\":\"%s\"}",
               visitor->session);
}

static void request_end(const struct visitor *visitor, struct visitor_request *request)
{
    request->kind = VISITOR_END;
    buf_printf(&request->path, "/api/journey/sessions/%s/end", visitor->session);
    buf_append_str(&request->body, "{\"exit_point\":\"load\"}");
}

void visitor_request(const struct visitor *visitor, struct visitor_request *request)
{
    buf_reset(&request->path);
    buf_reset(&request->body);
    request->put = request->secret = false;
    request->weight = 1;
    request->stage = NULL;
    (void)snprintf(request->key, sizeof(request->key), "%s.%u", visitor->session, visitor->step);
    if (visitor->step == 0)
        request_start(visitor, request);
    else if (visitor->step == CONVERSION_STEP)
        request_conversion(visitor, request);
    else if (visitor->step == END_STEP)
        request_end(visitor, request);
    else if (visitor->step % STEPS_A_STAGE == 0)
        request_stage(visitor, request);
    else
        request_events(visitor, request);
}

void visitor_acknowledge(const struct visitor *visitor, const struct visitor_request *request,
                         int status, struct buf *record)
{
    static const char *const names[] = {
        [VISITOR_START] = "start",           [VISITOR_EVENTS] = "event", [VISITOR_STAGE] = "stage",
        [VISITOR_CONVERSION] = "conversion", [VISITOR_END] = "end",
    };
    char id[100];
    unsigned lines = request->kind == VISITOR_EVENTS ? VISITOR_EVENTS_A_BATCH : 1;
    for (unsigned i = 0; i < lines; i++) {
        event_id(request, i, id);
        buf_printf(record, "%s\t%s\t%s\t%d\n", names[request->kind], visitor->session,
                   request->kind == VISITOR_EVENTS  ? id
                   : request->kind == VISITOR_STAGE ? request->stage
                                                    : visitor->session,
                   status);
    }
}
