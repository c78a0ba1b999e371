/* What SDKs ask before they start, answered so that they go on. */
#include "client_answers.h"
#include "events.h"

/* Where the SDK then sends to: here, under the name by which it found us. */
static void write_api_host(struct exchange *exchange, struct json_writer *w)
{
    const char *host = http_request_header(exchange->request, "Host");
    size_t size =
        host ? strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")
             : 0;
    if (size == 0 || host[size])
        return;
    json_key(w, "apiHost");
    json_write_str(w, arena_printf(exchange->arena, "%s/v1", host));
}

void events_settings(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    struct json_writer w = json_writer_make(&body);
    json_begin_object(&w);
    json_key(&w, "integrations");
    json_begin_object(&w);
    json_key(&w, "Segment.io");
    json_begin_object(&w);
    json_key(&w, "apiKey");
    json_write_slice(&w, exchange->parameters[0]);
    write_api_host(exchange, &w);
    json_key(&w, "unbundledIntegrations");
    json_write_raw(&w, SLICE_LITERAL("[]"));
    json_key(&w, "addBundledMetadata");
    json_write_bool(&w, true);
    json_key(&w, "maybeBundledConfigIds");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "versionSettings");
    json_write_raw(&w, SLICE_LITERAL("{\"version\":\"4.4.7\",\"componentTypes\":[\"browser\"]}"));
    json_end_object(&w);
    json_end_object(&w);
    json_key(&w, "plan");
    json_write_raw(&w, SLICE_LITERAL("{\"track\":{\"__default\":{\"enabled\":true}},\"identify\":{"
                                     "\"__default\":{\"enabled\":true}},\"group\":{\"__default\":{"
                                     "\"enabled\":true}}}"));
    json_key(&w, "edgeFunction");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "analyticsNextEnabled");
    json_write_bool(&w, true);
    json_key(&w, "middlewareSettings");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "enabledMiddleware");
    json_write_raw(&w, SLICE_LITERAL("{}"));
    json_key(&w, "metrics");
    json_write_raw(&w, SLICE_LITERAL("{\"sampleRate\":0}"));
    json_key(&w, "remotePlugins");
    json_write_raw(&w, SLICE_LITERAL("[]"));
    json_end_object(&w);
    exchange_answer(exchange, 200, buf_slice(&body));
}

void events_constant(struct exchange *exchange)
{
    const struct events_answer *answer = exchange->route->taken;
    exchange_answer_as(exchange, 200, answer->content_type, answer->body);
}

void events_absent(struct exchange *exchange)
{
    exchange_problem(exchange, GW_PROBLEM_NOT_FOUND, NULL, NULL);
}

/* {"token": ..., what every tenant's says} */
static void write_posthog_config(struct buf *out, struct slice token)
{
    struct json_writer w = json_writer_make(out);
    buf_append_str(out, "{\"token\":");
    json_write_slice(&w, token);
    buf_append_str(out, "," GW_POSTHOG_CONFIG "}");
}

void events_posthog_config(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    write_posthog_config(&body, exchange->parameters[0]);
    exchange_answer(exchange, 200, buf_slice(&body));
}

/* The same as a script: its clients look for it under their token. */
void events_posthog_script(struct exchange *exchange)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    struct json_writer w = json_writer_make(&body);
    buf_append_str(&body, "(function(){var all=window._POSTHOG_REMOTE_CONFIG="
                          "window._POSTHOG_REMOTE_CONFIG||{};all[");
    json_write_slice(&w, exchange->parameters[0]);
    buf_append_str(&body, "]={config:");
    write_posthog_config(&body, exchange->parameters[0]);
    buf_append_str(&body, ",siteApps:[]}})();");
    exchange_answer_as(exchange, 200, "application/javascript", buf_slice(&body));
}
