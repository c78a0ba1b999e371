/* A process: what its admin server says, draining at a signal, its exit status. */
#include "http.h"
#include "service.h"
#include "test.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct world {
    struct service_process *process;
    struct http_client *client;
    const char *path;
    bool ready;
    int drains, asked, drained_after, status;
    struct buf body;
};

static bool ready(void *user, const char **why)
{
    struct world *w = user;
    *why = "the moon is \"full\"";
    return w->ready;
}

static void drain(void *user)
{
    struct world *w = user;
    w->drains++;
}

static bool drained(void *user)
{
    struct world *w = user;
    return ++w->asked > w->drained_after;
}

static void done(const struct http_client_request *request, int status, struct slice body,
                 const struct err *err)
{
    struct world *w = request->user;
    w->status = status;
    buf_append_slice(&w->body, body);
    assert_int_equal(raise(SIGTERM), 0);
}

static void setup(struct world *w, const char *port)
{
    static struct service_config config;
    config = (struct service_config){.admin_address = "127.0.0.1",
                                     .admin_port = strtol(port, NULL, 10),
                                     .instance = "1",
                                     .log_level = "error"};
    struct service_hooks hooks = {.user = w, .ready = ready, .drain = drain, .drained = drained};
    struct err err = {0};
    if (service_process_create(&w->process, "test", &config, &hooks, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(http_client_create(&w->client, service_process_base(w->process), 2, NULL), 0);
}

/* A port that is free now. */
static void free_port(char out[8])
{
    struct event_base *base = event_base_new();
    struct http_server *server;
    struct http_server_options options = {.address = "127.0.0.1"};
    assert_int_equal(http_server_create(&server, base, &options, NULL), 0);
    (void)snprintf(out, 8, "%u", http_server_port(server));
    http_server_destroy(&server);
    event_base_free(base);
}

static void ask(struct world *w, const char *path)
{
    char port[8], url[100];
    free_port(port);
    setup(w, port);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%s%s", port, path);
    struct http_client_request request = {
        .method = HTTP_GET, .url = url, .timeout_ms = 3000, .done = done, .user = w};
    assert_int_equal(http_client_send(w->client, &request, NULL), 0);
    assert_int_equal(service_process_run(w->process), 0);
    buf_append_byte(&w->body, 0);
    http_client_destroy(&w->client);
    service_process_destroy(&w->process);
}

static void the_admin_server_answers(void **state)
{
    static const struct {
        const char *path;
        bool ready;
        int status;
        const char *want;
    } cases[] = {
        {"/livez", false, 200, "live"},
        {"/readyz", true, 200, "ready"},
        {"/readyz", false, 503, "the moon is \\\"full\\\""},
        {"/metrics", false, 200, "\nprocess_resident_memory_bytes "},
        {"/metrics", false, 200, "# TYPE process_cpu_seconds_total counter"},
        {"/metrics", false, 200, "\nprocess_open_fds "},
        {"/nothing", false, 404, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world w = {.ready = cases[i].ready};
        ask(&w, cases[i].path);
        assert_int_equal(w.status, cases[i].status);
        if (!strstr((char *)w.body.data, cases[i].want))
            fail_msg("%s: no %s in %s", cases[i].path, cases[i].want, (char *)w.body.data);
        buf_deinit(&w.body);
    }
}

static void a_signal_drains_first(void **state)
{
    struct world w = {.drained_after = 5};
    ask(&w, "/livez");
    assert_int_equal(w.drains, 1);
    assert_int_equal(w.asked, 6);
    buf_deinit(&w.body);
}

static bool never(void *user)
{
    return raise(SIGTERM) != 0; /* the second one does not wait */
}

static void a_second_signal_stops_at_once(void **state)
{
    struct service_config config = {
        .admin_address = "127.0.0.1", .instance = "1", .log_level = "error"};
    struct service_hooks hooks = {.drained = never};
    struct service_process *process;
    assert_int_equal(service_process_create(&process, "test", &config, &hooks, NULL), 0);
    assert_int_equal(raise(SIGTERM), 0);
    log_setup("test", "1", LOG_ERROR + 1);
    assert_int_equal(service_process_run(process), 1);
    service_process_destroy(&process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_admin_server_answers),
        cmocka_unit_test(a_signal_drains_first),
        cmocka_unit_test(a_second_signal_stops_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
