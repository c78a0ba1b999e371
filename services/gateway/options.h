#pragma once
/* The gateway's own options, beside those that every process has. */
#include "config.h"

#define GATEWAY_OPTIONS(OPTION)                                                                    \
    OPTION(STRING, http_address, "JOURNEY_HTTP_ADDRESS", "127.0.0.1", 1, 64,                       \
           "where HTTP is served")                                                                 \
    OPTION(INT, http_port, "JOURNEY_HTTP_PORT", "8000", 0, 65535,                                  \
           "its port; 0: a free one, in the log")                                                  \
    OPTION(INT, http_connections, "JOURNEY_HTTP_CONNECTIONS", "8192", 1, 1000000,                  \
           "open connections; beyond them 503")                                                    \
    OPTION(INT, http_address_connections, "JOURNEY_HTTP_CONNECTIONS_PER_ADDRESS", "2048", 1,       \
           1000000, "the same of one address; not with JOURNEY_TRUSTED_PROXIES")                   \
    OPTION(INT, trusted_proxies, "JOURNEY_TRUSTED_PROXIES", "0", 0, 16,                            \
           "proxies in front that add to X-Forwarded-For; 0: it is ignored")                       \
    OPTION(INT, http_timeout_s, "JOURNEY_HTTP_TIMEOUT_S", "60", 1, 3600,                           \
           "how long a head, a body, taking an answer and idling may take")                        \
    OPTION(INT, open_requests, "JOURNEY_OPEN_REQUESTS", "4096", 1, 65536,                          \
           "requests under way; beyond them 503")                                                  \
    OPTION(INT, request_mb, "JOURNEY_REQUEST_MB", "96", 4, 65536,                                  \
           "memory of connections and requests under way; beyond it 503")                          \
    OPTION(INT, send_queue_mb, "JOURNEY_SEND_QUEUE_MB", "32", 1, 2047,                             \
           "what waits for Kafka; at three quarters of it 503, until one quarter is left")         \
    OPTION(INT, deadline_ms, "JOURNEY_COMMAND_DEADLINE_MS", "5000", 10, 60000,                     \
           "how long an answer's essential parts are waited for")                                  \
    OPTION(INT, delivery_ms, "JOURNEY_DELIVERY_TIMEOUT_MS", "3000", 10, 60000,                     \
           "how long Kafka may take to confirm; then 503")                                         \
    OPTION(INT, linger_ms, "JOURNEY_LINGER_MS", "1", 0, 100,                                       \
           "how long events wait for company on their way to Kafka")                               \
    OPTION(SECRET, master_key, "JOURNEY_MASTER_KEY", "", 0, 64,                                    \
           "wraps the keys of subjects: 64 hex digits")                                            \
    OPTION(STRING, master_key_file, "JOURNEY_MASTER_KEY_FILE", "", 0, 1024,                        \
           "a file that holds it instead")

struct gateway_options {
    CONFIG_STRUCT(GATEWAY_OPTIONS)
};
