/* The client against the real server: methods, bodies, headers, errors, time-outs, limits. */
#include "loopback.h"

struct result {
    int calls, status;
    int64_t retry_after_s;
    struct buf body;
    enum status code;
};

static void done(const struct http_client_request *request, int status, struct slice body,
                 const struct err *err)
{
    struct result *result = request->user;
    result->calls++;
    result->status = status;
    result->retry_after_s = request->retry_after_s;
    result->code = err ? err->code : STATUS_OK;
    buf_append_slice(&result->body, body);
}

static void wait_for(struct loopback *l, const struct result *result)
{
    for (int i = 0; i < 5000 && !result->calls; i++)
        loopback_turn(l);
    assert_int_equal(result->calls, 1);
}

static void answers_and_errors(void **state)
{
    struct loopback l;
    struct http_client *client;
    loopback_start(&l, (struct http_server_options){0});
    assert_int_equal(http_client_create(&client, l.base, 4, NULL), 0);
    const char *const headers[] = {"X-A: b", NULL};
    static const struct {
        enum http_method method;
        const char *path, *body, *want;
        int status, retry_after_s;
    } cases[] = {
        {HTTP_POST, "/echo", "hello", "hello", 200, 0},
        {HTTP_PUT, "/echo", "x", "x", 200, 0},
        {HTTP_GET, "/a?b", "", "1 /a b", 200, 0},
        {HTTP_DELETE, "/a", "", "8 /a", 200, 0},
        {HTTP_PATCH, "/a", "z", "64 /a", 200, 0},
        {HTTP_HEAD, "/a", "", "", 200, 0},
        {HTTP_GET, "/empty", "", "", 204, 0},
        {HTTP_POST, "/echo", "", "", 200, 0},
        {HTTP_GET, "/busy", "", "", 503, 7},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char url[100];
        struct result result = {0};
        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(l.server),
                       cases[i].path);
        struct http_client_request request = {.method = cases[i].method,
                                              .url = url,
                                              .headers = headers,
                                              .body = slice_str(cases[i].body),
                                              .timeout_ms = 3000,
                                              .done = done,
                                              .user = &result};
        assert_int_equal(http_client_send(client, &request, NULL), 0);
        assert_int_equal(result.calls, 0);
        wait_for(&l, &result);
        assert_int_equal(result.status, cases[i].status);
        assert_int_equal(result.retry_after_s, cases[i].retry_after_s);
        assert_memory_equal(result.body.data ? (char *)result.body.data : "", cases[i].want,
                            strlen(cases[i].want));
        buf_deinit(&result.body);
    }
    http_client_destroy(&client);
    loopback_stop(&l);
}

static void no_answer_is_a_transient_error(void **state)
{
    struct loopback l;
    struct http_client *client;
    struct result late = {0}, refused = {0};
    char url[100];
    loopback_start(&l, (struct http_server_options){0});
    assert_int_equal(http_client_create(&client, l.base, 4, NULL), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/later", http_server_port(l.server));
    struct http_client_request request = {
        .method = HTTP_GET, .url = url, .timeout_ms = 200, .done = done, .user = &late};
    assert_int_equal(http_client_send(client, &request, NULL), 0);
    request.url = "http://127.0.0.1:1/";
    request.user = &refused;
    assert_int_equal(http_client_send(client, &request, NULL), 0);
    wait_for(&l, &late);
    wait_for(&l, &refused);
    assert_int_equal(late.status, 0);
    assert_int_equal(late.code, ERR_UNAVAILABLE);
    assert_int_equal(refused.code, ERR_UNAVAILABLE);
    for (int i = 0; i < 1000 && !l.gone; i++)
        loopback_turn(&l);
    assert_int_equal(l.gone, 1); /* the server saw the client leave */
    http_respond(l.held, 200, "text/plain", SLICE_LITERAL("late"));
    buf_deinit(&late.body);
    buf_deinit(&refused.body);
    http_client_destroy(&client);
    loopback_stop(&l);
}

static void requests_are_bounded_and_may_be_left(void **state)
{
    struct loopback l;
    struct http_client *client;
    struct result result = {0};
    char url[100];
    loopback_start(&l, (struct http_server_options){0});
    assert_int_equal(http_client_create(&client, l.base, 1, NULL), 0);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/later", http_server_port(l.server));
    struct http_client_request request = {
        .method = HTTP_GET, .url = url, .timeout_ms = 2000, .done = done, .user = &result};
    int sent = 0;
    while (http_client_send(client, &request, NULL) == 0)
        sent++;
    assert_int_equal(sent, 16);
    assert_int_equal(http_client_open(client), 16);
    assert_int_equal(http_client_send(client, &request, NULL), ERR_FULL);
    for (int i = 0; i < 20; i++)
        loopback_turn(&l);
    http_client_destroy(&client);
    assert_int_equal(result.calls, 0);
    loopback_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_errors),
        cmocka_unit_test(no_answer_is_a_transient_error),
        cmocka_unit_test(requests_are_bounded_and_may_be_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
