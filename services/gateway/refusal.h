#pragma once
/* REFUSAL(id, "reason"): why a request was refused before it was looked into. */
#define GATEWAY_REFUSAL_TABLE(REFUSAL)                                                             \
    REFUSAL(OPEN_REQUESTS, "open_requests")                                                        \
    REFUSAL(REQUEST_MEMORY, "request_memory") /* before the server's own limit, "memory" */        \
    REFUSAL(KAFKA_BEHIND, "kafka_behind")                                                          \
    REFUSAL(RATE_KEY, "rate_key")                                                                  \
    REFUSAL(RATE_ADDRESS, "rate_address")                                                          \
    REFUSAL(QUESTIONS, "questions") /* to the worker */

enum gateway_refusal {
#define GATEWAY_REFUSAL_ENUM(id, reason) GATEWAY_REFUSED_##id,
    GATEWAY_REFUSAL_TABLE(GATEWAY_REFUSAL_ENUM)
#undef GATEWAY_REFUSAL_ENUM
    GATEWAY_REFUSALS
};
