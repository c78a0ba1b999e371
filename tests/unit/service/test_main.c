/* service_main and service_configure as child processes: options, and starting without any server. */
#include "http.h"
#include "service.h"
#include "stream.h"
#include "test.h"
#include "topics.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journey/v1/command.pb-c.h"

static int no_key(const void *body, unsigned index, struct arena *arena, struct stream_key *key,
                  struct err *err)
{
    return ERR_INVALID;
}

static void no_decision(struct stream_decision *decision, const struct stream_message *message) {}

static const struct store_column columns[] = {
    {"tenant_id", STORE_UUID, 0}, {"id", STORE_TEXT, 0}, {"state", STORE_BYTES, 0}};
static const struct store_table table = {
    .name = "things", .columns = columns, .n_columns = 3, .n_key = 2};
static const struct stream_state state_of_things = {
    .name = "thing", .table = &table, .type = &journey__v1__command__descriptor};
static const struct stream_state *const states[] = {&state_of_things};
static const struct stream_counter counters[] = {{"test_things_total", NULL, "things"}};
static struct stream_input inputs[] = {{.topic = TOPIC_TEMPLATE_COMMANDS,
                                        .lane = BUS_LANE_COMMANDS,
                                        .type = &journey__v1__command__descriptor,
                                        .state = &state_of_things,
                                        .key = no_key,
                                        .decide = no_decision}};
static struct stream_service service = {.name = "test",
                                        .schema = "test",
                                        .inputs = inputs,
                                        .n_inputs = 1,
                                        .states = states,
                                        .n_states = 1,
                                        .counters = counters,
                                        .n_counters = 1};

/* Runs service_main in a child with its stdout and stderr in out; returns the pid. */
static pid_t start(char *option, const char *const *env, int *out)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char name[] = "test";
        char *argv[] = {name, option, NULL};
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        clearenv();
        for (; *env; env += 2)
            setenv(env[0], env[1], 1);
        int status = service_main(option ? 2 : 1, argv, &service, NULL);
        (void)fflush(stdout);
        _exit(status);
    }
    close(fds[1]);
    *out = fds[0];
    return pid;
}

static void read_all(int fd, struct buf *text)
{
    char data[4096];
    ssize_t n;
    while ((n = read(fd, data, sizeof(data))) > 0)
        buf_append(text, data, (size_t)n);
    buf_append_byte(text, 0);
    close(fd);
}

/* Reads on until it was said so often. */
static void read_until(int fd, struct buf *text, const char *said, int times)
{
    for (const char *at = NULL; times; times--) {
        size_t from = at ? (size_t)(at - (char *)text->data) + 1 : 0;
        char data[4096];
        ssize_t n = 1;
        buf_append_byte(text, 0);
        while (!(at = strstr((char *)text->data + from, said)) &&
               (n = read(fd, data, sizeof(data))) > 0) {
            text->size--;
            buf_append(text, data, (size_t)n);
            buf_append_byte(text, 0);
        }
        text->size--;
        if (!at)
            fail_msg("not said: %s: %s", said, (char *)text->data);
    }
}

static void options(void **state)
{
    static const char *const good[] = {"DATABASE_URL", "postgresql://u:hidden@h/d", NULL},
                             *const none[] = {NULL},
                             *const bad[] = {"DATABASE_URL", "x", "JOURNEY_PARTITIONS", "0", NULL},
                             *const level[] = {"DATABASE_URL", "x", "JOURNEY_LOG_LEVEL", "x", NULL};
    static const struct {
        const char *option;
        const char *const *env;
        int status;
        const char *want;
    } cases[] = {
        {"-h", none, 0, "KAFKA_BROKERS"},
        {"-c", good, 0, "JOURNEY_PARTITIONS=16"},
        {"-t", good, 0, "good"},
        {"-t", none, 2, "DATABASE_URL"},
        {"-t", bad, 2, "JOURNEY_PARTITIONS"},
        {"-t", level, 2, "JOURNEY_LOG_LEVEL"},
        {"-s", none, 0, "# TYPE test_things_total counter"},
        {"-s", none, 0, "journey_stream_"},
        {"-x", good, 2, "usage:"},
        {"x", good, 2, "usage:"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char option[8];
        int fd, status;
        struct buf text = {0};
        (void)snprintf(option, sizeof(option), "%s", cases[i].option);
        pid_t pid = start(option, cases[i].env, &fd);
        read_all(fd, &text);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != cases[i].status ||
            !strstr((char *)text.data, cases[i].want) || strstr((char *)text.data, "hidden"))
            fail_msg("%s: status %d, wanted %s: %s", cases[i].option, status, cases[i].want,
                     (char *)text.data);
        buf_deinit(&text);
    }
}

struct answer {
    int status;
    struct buf body;
};

static void done(const struct http_client_request *request, int status, struct slice body,
                 const struct err *err)
{
    struct answer *answer = request->user;
    answer->status = status ? status : -1;
    buf_reset(&answer->body);
    buf_append_slice(&answer->body, body);
}

static void expect(struct event_base *base, struct http_client *client, const char *url, int status,
                   const char *want)
{
    struct answer answer = {0};
    struct http_client_request request = {
        .method = HTTP_GET, .url = url, .timeout_ms = 1000, .done = done, .user = &answer};
    assert_int_equal(http_client_send(client, &request, NULL), 0);
    while (!answer.status)
        event_base_loop(base, EVLOOP_ONCE);
    buf_append_byte(&answer.body, 0);
    if (answer.status != status || !strstr((char *)answer.body.data, want))
        fail_msg("%s: %d %s", url, answer.status, (char *)answer.body.data);
    buf_deinit(&answer.body);
}

/* kafka: whether something accepts there; missing: what is said */
static void start_without(const char *missing, bool kafka)
{
    struct event_base *base = event_base_new();
    struct http_server *server, *broker;
    struct http_client *client;
    struct http_server_options options = {.address = "127.0.0.1", .connection_limit = 10};
    assert_int_equal(http_server_create(&server, base, &options, NULL), 0);
    assert_int_equal(http_server_create(&broker, base, &options, NULL), 0);
    assert_int_equal(http_client_create(&client, base, 2, NULL), 0);
    char port[8], url[64], brokers[64];
    (void)snprintf(brokers, sizeof(brokers), "127.0.0.1:1,127.0.0.1:%u",
                   kafka ? http_server_port(broker) : 1);
    (void)snprintf(port, sizeof(port), "%u", http_server_port(server));
    http_server_destroy(&server); /* free now, and taken by the child */
    const char *env[] = {"DATABASE_URL",
                         "postgresql://u@127.0.0.1:1/d",
                         "KAFKA_BROKERS",
                         brokers,
                         "JOURNEY_ADMIN_PORT",
                         port,
                         NULL};
    static const char waiting[] = "\"event\":\"waiting\"";
    int fd, status;
    struct buf text = {0};
    pid_t pid = start(NULL, env, &fd);
    read_until(fd, &text, waiting, 1);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%s/livez", port);
    expect(base, client, url, 200, "live");
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%s/readyz", port);
    expect(base, client, url, 503, missing);
    read_until(fd, &text, waiting, 3); /* a few attempts later it still lives */
    expect(base, client, url, 503, missing);
    kill(pid, SIGTERM);
    read_all(fd, &text);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("status %d: %s", status, (char *)text.data);
    assert_non_null(strstr((char *)text.data, "\"event\":\"stopped\""));
    buf_deinit(&text);
    http_server_destroy(&broker);
    http_client_destroy(&client);
    event_base_free(base);
}

static void without_servers_it_lives_and_says_what_is_missing(void **state)
{
    start_without("kafka", false);
    start_without("postgres", true);
}

int main(void)
{
    inputs[0].type = &journey__v1__command__descriptor;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options),
        cmocka_unit_test(without_servers_it_lives_and_says_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
