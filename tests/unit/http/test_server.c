/* The server on a real loopback socket: requests, limits, slow and vanished clients, draining. */
#include "loopback.h"

#define REQUEST_GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* Sends text on a new connection; the first answer must hold want. */
static void exchange(struct loopback *l, const char *text, const char *want)
{
    struct buf got = {0};
    int fd = loopback_connect(l);
    loopback_say(l, fd, text);
    const char *bad = loopback_read(l, fd, &got, want, 1, 3000);
    if (bad)
        fail_msg("%s: wanted %s, got %s", bad, want, got.data ? (char *)got.data : "nothing");
    buf_deinit(&got);
    close(fd);
}

static void requests_and_answers(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {REQUEST_GET("/x?a=1"), "\r\n\r\n1 /x a=1 127.0.0.1"},
        {"OPTIONS /x HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n16 /x"},
        {"PATCH /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "\r\n\r\n64 /x"},
        {"DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n8 /x"},
        {"PUT /echo HTTP/1.1\r\nhost: h\r\ncontent-length:5\r\n\r\nhello", "\r\n\r\nhello"},
        {"\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n", " 200 OK\r\n"},
        {"GET http://h/y?z HTTP/1.1\r\nHost: h\r\n\r\n", "1 /y z"},
        {"GET /empty HTTP/1.1\r\nHost: h\r\n\r\n", " 204 No Content\r\n"},
        {"GET /x HTTP/1.0\r\n\r\n", "Connection: close\r\n"},
        {"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n"},
        {"GET /x HTTP/1.1\r\nHost: h\r\nConnection: TE, close\r\n\r\n", "Connection: close\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n",
         "\r\n\r\nhello world"},
        {"POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
         "HTTP/1.1 100 Continue\r\n\r\n"},
    };
    struct loopback l;
    loopback_start(&l, (struct http_server_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        exchange(&l, cases[i].text, cases[i].want);
    loopback_stop(&l);
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"BREW /x HTTP/1.1\r\nHost: h\r\n\r\n", " 501 "},
        {"GET /x HTTP/2.0\r\nHost: h\r\n\r\n", " 505 "},
        {"GET /x\r\n\r\n", " 400 "},
        {"GET x HTTP/1.1\r\nHost: h\r\n\r\n", " 400 "},
        {"GET /x HTTP/1.1\r\n\r\n", " 400 "},
        {"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " 400 "},
        {"GET /x HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", " 400 "},
        {"GET /x HTTP/1.1\r\nHost: h\r\nA: b\r\n folded\r\n\r\n", " 400 "},
        {"GET /x HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n", " 400 "},
        {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", " 400 "},
        {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", " 400 "},
        {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         " 400 "},
        {"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", " 501 "},
        {"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", " 400 "},
        {"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
         " 413 "},
        {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", " 413 "},
    };
    struct loopback l;
    loopback_start(&l, (struct http_server_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        exchange(&l, cases[i].text, cases[i].want);
    exchange(&l, cases[0].text, "Content-Type: application/problem+json\r\n");
    assert_int_equal(l.handled, 0);
    assert_int_equal(http_server_open_requests(l.server), 0);
    assert_int_equal(http_server_refused(l.server, HTTP_REFUSED_TOO_LARGE), 2);
    assert_true(http_server_refused(l.server, HTTP_REFUSED_MALFORMED) == ARRAY_SIZE(cases) - 1);
    loopback_stop(&l);
}

static void no_header_is_injected(void **state)
{
    struct loopback l;
    struct buf got = {0};
    loopback_start(&l, (struct http_server_options){0});
    int fd = loopback_connect(&l);
    loopback_say(&l, fd, REQUEST_GET("/echo"));
    assert_null(loopback_read(&l, fd, &got, "X-Echo: yes\r\n", 1, 1000));
    assert_null(strstr((char *)got.data, "Injected"));
    buf_deinit(&got);
    close(fd);
    loopback_stop(&l);
}

static void a_body_too_large_is_413_and_the_last(void **state)
{
    struct loopback l;
    struct buf got = {0};
    char *body = calloc(1, 300000);
    memset(body, 'a', 299999);
    loopback_start(&l, (struct http_server_options){.body_limit = 1000});
    int fd = loopback_connect(&l);
    loopback_say(&l, fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 299999\r\n\r\n");
    loopback_say(&l, fd, body); /* what follows is no request */
    loopback_say(&l, fd, REQUEST_GET("/x"));
    shutdown(fd, SHUT_WR);
    assert_null(loopback_read(&l, fd, &got, NULL, 0, 3000));
    assert_non_null(strstr((char *)got.data, "HTTP/1.1 413 "));
    assert_non_null(strstr((char *)got.data, "\"code\":\"too_large\",\"errors\":[]"));
    assert_int_equal(l.handled, 0);
    close(fd);
    buf_reset(&got);
    fd = loopback_connect(&l);
    loopback_say(&l, fd, "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 11; i++)
        loopback_say(&l, fd,
                     "64\r\n0123456789012345678901234567890123456789012345678901234567890123"
                     "456789012345678901234567890123456789\r\n");
    assert_null(loopback_read(&l, fd, &got, "HTTP/1.1 413 ", 1, 3000));
    close(fd);
    exchange(&l, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nfine", "\r\n\r\nfine");
    free(body);
    buf_deinit(&got);
    loopback_stop(&l);
}

static void say_origin(struct http_request *request, void *user)
{
    http_response_header(request, "X-Origin", http_request_header(request, "Origin"));
}

static void what_the_server_refuses_may_get_headers(void **state)
{
    struct loopback l;
    struct buf got = {0};
    loopback_start(&l, (struct http_server_options){.body_limit = 1000, .refused = say_origin});
    int fd = loopback_connect(&l);
    loopback_say(&l, fd,
                 "POST /echo HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\n"
                 "Content-Length: 299999\r\n\r\n");
    assert_null(loopback_read(&l, fd, &got, "X-Origin: https://a.example\r\n", 1, 3000));
    assert_non_null(strstr((char *)got.data, "HTTP/1.1 413 "));
    close(fd);
    buf_deinit(&got);
    loopback_stop(&l);
}

static void a_head_too_large_is_431(void **state)
{
    struct loopback l;
    struct buf text = {0};
    loopback_start(&l, (struct http_server_options){.header_limit = 1024});
    buf_append_str(&text, "GET /x HTTP/1.1\r\nHost: h\r\nA: ");
    for (int i = 0; i < 2000; i++)
        buf_append_byte(&text, 'a');
    exchange(&l, (char *)text.data, "HTTP/1.1 431 "); /* even before it ends */
    buf_append_str(&text, "\r\n\r\n");
    exchange(&l, (char *)text.data, "HTTP/1.1 431 ");
    buf_reset(&text);
    buf_append_str(&text, "GET /x HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 101; i++)
        buf_append_str(&text, "A: b\r\n");
    buf_append_str(&text, "\r\n");
    exchange(&l, (char *)text.data, "HTTP/1.1 431 ");
    buf_deinit(&text);
    loopback_stop(&l);
}

static void slow_clients_are_closed(void **state)
{
    static const struct {
        const char *begin, *want;
    } cases[] = {
        {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 408 "},
        {"GET /x HTT", "HTTP/1.1 408 "},
        {"", NULL}, /* idle: closed without a word */
    };
    struct loopback l;
    loopback_start(&l, (struct http_server_options){.timeout_s = 1});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf got = {0};
        int fd = loopback_connect(&l);
        loopback_say(&l, fd, cases[i].begin);
        for (int k = 0; k < 8 && cases[i].want; k++) { /* bytes that trickle in buy no time */
            loopback_say(&l, fd, "a");
            for (int t = 0; t < 100; t++)
                loopback_turn(&l);
        }
        assert_null(loopback_read(&l, fd, &got, cases[i].want, 1, 2500));
        buf_deinit(&got);
        close(fd);
    }
    assert_int_equal(l.handled, 0);
    loopback_stop(&l);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct loopback l;
    struct buf got = {0};
    loopback_start(&l, (struct http_server_options){0});
    int fd = loopback_connect(&l);
    loopback_say(&l, fd,
                 REQUEST_GET("/1") "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: "
                                   "3\r\n\r\ntwo" REQUEST_GET("/later") REQUEST_GET("/4"));
    assert_null(loopback_read(&l, fd, &got, "HTTP/1.1 200", 2, 1000));
    for (int i = 0; i < 20; i++)
        loopback_turn(&l);
    assert_int_equal(l.handled, 3); /* the fourth waits for the third */
    http_respond(l.held, 200, "text/plain", SLICE_LITERAL("three"));
    assert_null(loopback_read(&l, fd, &got, "1 /4", 1, 1000));
    const char *all = (const char *)got.data, *two = strstr(all, "two"),
               *three = strstr(all, "three");
    assert_true(strstr(all, "1 /1") < two && two < three && three < strstr(all, "1 /4"));
    buf_reset(&got);
    loopback_say(&l, fd, REQUEST_GET("/5")); /* and the connection lives on */
    assert_null(loopback_read(&l, fd, &got, "1 /5", 1, 1000));
    buf_deinit(&got);
    close(fd);
    loopback_stop(&l);
}

static void many_pipelined_requests(void **state)
{
    struct loopback l;
    struct buf text = {0}, got = {0};
    loopback_start(&l, (struct http_server_options){0});
    for (int i = 0; i < 5000; i++)
        buf_append_str(&text, REQUEST_GET("/x"));
    int fd = loopback_connect(&l);
    size_t sent = 0;
    for (int i = 0; i < 20000 && l.handled < 5000; i++) {
        ssize_t n = send(fd, text.data + sent, text.size - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        assert_true(loopback_read(&l, fd, &got, "never", 1, 1) != NULL);
    }
    assert_null(loopback_read(&l, fd, &got, "HTTP/1.1 200", 5000, 3000));
    assert_int_equal(http_server_open_requests(l.server), 0);
    buf_deinit(&text);
    buf_deinit(&got);
    close(fd);
    loopback_stop(&l);
}

static void large_answers_wait_for_the_reader(void **state)
{
    struct loopback l;
    struct buf got = {0};
    loopback_start(&l, (struct http_server_options){0});
    int fd = loopback_connect(&l);
    loopback_say(&l, fd, REQUEST_GET("/big") REQUEST_GET("/after"));
    for (int i = 0; i < 50; i++)
        loopback_turn(&l);
    assert_int_equal(http_server_open_requests(l.server), 1);
    static char data[1 << 20];
    for (int i = 0; i < 3000 && got.size < LOOPBACK_BIG; i++) {
        ssize_t n = recv(fd, data, sizeof(data), 0);
        buf_append(&got, data, n > 0 ? (size_t)n : 0);
        loopback_turn(&l);
    }
    assert_true(got.size >= LOOPBACK_BIG);
    assert_null(loopback_read(&l, fd, &got, "/after", 1, 3000));
    buf_deinit(&got);
    close(fd);
    loopback_stop(&l);
}

static void hold_one(struct loopback *l, int *fd)
{
    *fd = loopback_connect(l);
    loopback_say(l, *fd, REQUEST_GET("/later"));
    for (int i = 0; i < 1000 && !l->held; i++)
        loopback_turn(l);
    assert_non_null(l->held);
}

static void a_client_that_hangs_up_is_noticed(void **state)
{
    struct loopback l;
    int fd;
    loopback_start(&l, (struct http_server_options){0});
    hold_one(&l, &fd);
    struct linger reset = {1, 0};
    for (int how = 0; how < 2; how++) {
        if (how == 1) {
            hold_one(&l, &fd);
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        }
        close(fd);
        for (int i = 0; i < 1000 && l.gone == (unsigned)how; i++)
            loopback_turn(&l);
        assert_int_equal(l.gone, how + 1);
        assert_int_equal(http_server_open_requests(l.server), 1);
        struct http_request *held = l.held;
        l.held = NULL;
        http_respond(held, 200, "text/plain", SLICE_LITERAL("nobody hears it"));
        for (int i = 0; i < 1000 && http_server_connections(l.server); i++)
            loopback_turn(&l);
        assert_int_equal(http_server_open_requests(l.server), 0);
        assert_int_equal(http_server_connections(l.server), 0);
    }
    loopback_stop(&l);
}

static void a_client_that_only_stopped_sending_gets_its_answer(void **state)
{
    struct loopback l;
    struct buf got = {0};
    int fd;
    loopback_start(&l, (struct http_server_options){0});
    hold_one(&l, &fd);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 1000 && !l.gone; i++)
        loopback_turn(&l);
    http_respond(l.held, 200, "text/plain", SLICE_LITERAL("still heard"));
    assert_null(loopback_read(&l, fd, &got, NULL, 0, 1000));
    assert_non_null(strstr((char *)got.data, "still heard"));
    buf_deinit(&got);
    close(fd);
    loopback_stop(&l);
}

static void draining_ends_keep_alive_after_the_answer(void **state)
{
    struct loopback l;
    struct buf got = {0};
    int fd;
    loopback_start(&l, (struct http_server_options){0});
    hold_one(&l, &fd);
    http_server_stop_accepting(l.server);
    assert_int_equal(http_server_open_requests(l.server), 1);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(l.server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int other = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(other, (struct sockaddr *)&to, sizeof(to)), -1);
    close(other);
    http_respond(l.held, 200, "text/plain", SLICE_LITERAL("last"));
    assert_null(loopback_read(&l, fd, &got, NULL, 0, 1000));
    assert_non_null(strstr((char *)got.data, "Connection: close\r\n"));
    assert_non_null(strstr((char *)got.data, "\r\n\r\nlast"));
    assert_int_equal(http_server_open_requests(l.server), 0);
    buf_deinit(&got);
    close(fd);
    loopback_stop(&l);
}

static void connections_over_the_limit_are_closed_and_counted(void **state)
{
    struct loopback l;
    struct buf got = {0};
    loopback_start(&l, (struct http_server_options){.connection_limit = 2});
    int one = loopback_connect(&l), two = loopback_connect(&l), three = loopback_connect(&l);
    assert_null(loopback_read(&l, three, &got, NULL, 0, 1000));
    assert_non_null(strstr((char *)got.data, "HTTP/1.1 503 "));
    assert_int_equal(http_server_refused(l.server, HTTP_REFUSED_CONNECTIONS), 1);
    close(one);
    for (int i = 0; i < 1000 && http_server_connections(l.server) == 2; i++)
        loopback_turn(&l);
    exchange(&l, REQUEST_GET("/x"), " 200 OK");
    buf_deinit(&got);
    close(two);
    close(three);
    loopback_stop(&l);
}

static void one_address_has_a_share_of_the_connections(void **state)
{
    struct loopback l;
    struct buf got = {0};
    loopback_start(&l, (struct http_server_options){.address_connection_limit = 2});
    int one = loopback_connect(&l), two = loopback_connect(&l), three = loopback_connect(&l);
    assert_null(loopback_read(&l, three, &got, NULL, 0, 1000));
    assert_int_equal(http_server_refused(l.server, HTTP_REFUSED_ADDRESS), 1);
    assert_int_equal(http_server_connections(l.server), 2);
    close(one);
    close(two);
    for (int i = 0; i < 1000 && http_server_connections(l.server); i++)
        loopback_turn(&l);
    exchange(&l, REQUEST_GET("/x"), " 200 OK");
    buf_deinit(&got);
    close(three);
    loopback_stop(&l);
}

/* Many send bodies and do not end them: what they hold is bounded, and later ones are served when they are gone. */
static void memory_is_bounded_whatever_is_sent(void **state)
{
    enum {
        CLIENTS = 30,
        PART = 90000,
        LIMIT = 1500000
    };
    struct loopback l;
    struct buf got = {0};
    char *part = malloc(PART);
    int fds[CLIENTS];
    memset(part, 'a', PART);
    loopback_start(&l, (struct http_server_options){
                           .memory_limit = LIMIT, .body_limit = 100000, .header_limit = 1000});
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = loopback_connect(&l);
        loopback_say(&l, fds[i],
                     "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
        loopback_send(&l, fds[i], part, PART);
        for (int k = 0; k < 20; k++)
            loopback_turn(&l);
        assert_true(http_server_bytes(l.server) < LIMIT + 200000);
    }
    assert_true(http_server_refused(l.server, HTTP_REFUSED_MEMORY) >= 5);
    assert_null(loopback_read(&l, fds[CLIENTS - 1], &got, "HTTP/1.1 503 ", 1, 1000));
    assert_non_null(strstr((char *)got.data, "Retry-After: 1\r\n"));
    assert_int_equal(l.handled, 0);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    for (int i = 0; i < 3000 && http_server_connections(l.server); i++)
        loopback_turn(&l);
    assert_true(http_server_bytes(l.server) < LIMIT / 2); /* no more is kept */
    exchange(&l, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nfine", "\r\n\r\nfine");
    free(part);
    buf_deinit(&got);
    loopback_stop(&l);
}

/* An answer that is taken a little at a time buys no more time than one that is not taken at all. */
static void a_slow_reader_is_closed(void **state)
{
    struct loopback l;
    char data[1000];
    loopback_start(&l, (struct http_server_options){.timeout_s = 1});
    int fd = loopback_connect(&l);
    loopback_say(&l, fd, REQUEST_GET("/big"));
    for (int i = 0; i < 5000 && http_server_connections(l.server); i++) {
        if (i % 50 == 0 && recv(fd, data, sizeof(data), 0) < 0)
            assert_int_equal(errno, EAGAIN);
        loopback_turn(&l);
    }
    assert_int_equal(http_server_connections(l.server), 0);
    assert_int_equal(http_server_refused(l.server, HTTP_REFUSED_SLOW), 1);
    close(fd);
    loopback_stop(&l);
}

static void header_lines(void **state)
{
    struct loopback l;
    struct buf got = {0};
    const char *lines[2];
    loopback_start(&l, (struct http_server_options){0});
    int fd = loopback_connect(&l);
    loopback_say(&l, fd, "GET /later HTTP/1.1\r\nHost: h\r\nA: 1\r\na: 2\r\nB: x\r\nA: 3\r\n\r\n");
    for (int i = 0; i < 1000 && !l.held; i++)
        loopback_turn(&l);
    assert_int_equal(http_request_header_lines(l.held, "A", lines, 2), 2);
    assert_string_equal(lines[0], "2");
    assert_string_equal(lines[1], "3");
    assert_int_equal(http_request_header_lines(l.held, "C", lines, 2), 0);
    http_respond(l.held, 200, "text/plain", SLICE_LITERAL(""));
    buf_deinit(&got);
    close(fd);
    loopback_stop(&l);
}

static void a_server_may_end_with_requests_open(void **state)
{
    struct loopback l;
    int fd;
    loopback_start(&l, (struct http_server_options){0});
    hold_one(&l, &fd);
    loopback_stop(&l);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_answers),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(no_header_is_injected),
        cmocka_unit_test(a_body_too_large_is_413_and_the_last),
        cmocka_unit_test(what_the_server_refuses_may_get_headers),
        cmocka_unit_test(a_head_too_large_is_431),
        cmocka_unit_test(slow_clients_are_closed),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(many_pipelined_requests),
        cmocka_unit_test(large_answers_wait_for_the_reader),
        cmocka_unit_test(a_client_that_hangs_up_is_noticed),
        cmocka_unit_test(a_client_that_only_stopped_sending_gets_its_answer),
        cmocka_unit_test(draining_ends_keep_alive_after_the_answer),
        cmocka_unit_test(connections_over_the_limit_are_closed_and_counted),
        cmocka_unit_test(one_address_has_a_share_of_the_connections),
        cmocka_unit_test(memory_is_bounded_whatever_is_sent),
        cmocka_unit_test(a_slow_reader_is_closed),
        cmocka_unit_test(header_lines),
        cmocka_unit_test(a_server_may_end_with_requests_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
