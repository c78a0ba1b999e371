/* Keys of subjects: one question for all, whoever waits for the same subject gets the same key, 503 when there is none. */
#include "identifiers.h"
#include "privacy.h"
#include "vault.h"
#include "vault_cache.h"
#include "world.h"

#define COMMAND "GET /api/journey/sessions/s1\r\nX-Api-Key: " SECRET_KEY

/* Requests that stay open, as those of events do until they are sealed. */
struct asked {
    int fd;
    struct exchange *exchange;
    struct vault_subject *subjects;
    unsigned n;
    bool ready;
};

static struct asked *ready_next[4];

static void on_ready(struct exchange *exchange)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ready_next); i++)
        if (ready_next[i] && ready_next[i]->exchange == exchange)
            ready_next[i]->ready = true;
}

static int setup(void **state)
{
    static struct world world;
    world_init(&world, 20);
    world.gateway->options.deadline_ms = 60000; /* no exchange ends by itself */
    memset(ready_next, 0, sizeof(ready_next));
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_deinit(*state);
    return 0;
}

static void open_exchange(struct world *world, struct asked *asked, unsigned number)
{
    const struct bus_record *record;
    unsigned at = 0;
    *asked = (struct asked){.fd = world_send(world, COMMAND, SLICE_LITERAL(""))};
    Journey__V1__Command *command = world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record);
    journey__v1__command__free_unpacked(command, NULL);
    for (struct exchange *e; (e = slots_next(world->gateway->exchanges, &at));)
        asked->exchange = e; /* the one opened last has the highest place */
    ready_next[number] = asked;
    assert_non_null(asked->exchange);
}

/* Subjects number from, from + 1, ...: two of each, as of a batch. */
static void find(struct asked *asked, unsigned from, unsigned n)
{
    asked->subjects = arena_alloc(asked->exchange->arena, n * sizeof(*asked->subjects));
    asked->n = n;
    asked->ready = false;
    assert_non_null(asked->subjects);
    for (unsigned i = 0; i < n; i++) {
        unsigned subject = from + i / 2;
        hash_keyed(asked->subjects[i].id, NULL,
                   &(struct slice){(const uint8_t *)&subject, sizeof(subject)}, 1);
    }
    vault_find(asked->exchange, asked->subjects, n, on_ready);
}

static void finish(struct world *world, struct asked *asked)
{
    struct world_answer answer;
    exchange_answer(asked->exchange, 200, SLICE_LITERAL("{}"));
    world_receive(world, asked->fd, &answer);
    assert_int_equal(answer.status, 200);
}

static void test_one_question_for_all(void **state)
{
    struct world *world = *state;
    struct asked a, b;
    open_exchange(world, &a, 0);
    open_exchange(world, &b, 1);
    find(&a, 1, 6);
    assert_false(a.ready);
    world_turn(world);
    assert_true(a.ready);
    for (unsigned i = 0; i < 6; i++)
        assert_non_null(a.subjects[i].key);
    assert_memory_equal(a.subjects[0].key, a.subjects[1].key, 32);
    assert_memory_not_equal(a.subjects[0].key, a.subjects[2].key, 32);
    assert_true(world_metric(world, "gateway_vault_calls_total") == 1);
    assert_true(world_metric(world, "gateway_vault_subjects_total") == 3);
    find(&b, 2, 4); /* from memory */
    assert_true(b.ready);
    assert_memory_equal(b.subjects[0].key, a.subjects[2].key, 32);
    assert_true(world_metric(world, "gateway_vault_calls_total") == 1);
    finish(world, &a);
    finish(world, &b);
}

/* Two calls go at once, what comes meanwhile is collected for the next; nobody asks for what is asked for already. */
static void test_who_waits_for_the_same(void **state)
{
    struct world *world = *state;
    struct asked a, b, c, d;
    open_exchange(world, &a, 0);
    open_exchange(world, &b, 1);
    open_exchange(world, &c, 2);
    open_exchange(world, &d, 3);
    world->store_stuck = true;
    find(&a, 1, 4); /* 1 2 */
    find(&b, 2, 4); /*   2 3 */
    find(&c, 3, 6); /*     3 4 5 */
    find(&d, 1, 10);
    assert_true(world_metric(world, "gateway_vault_calls_total") == 2);
    world->store_stuck = false;
    world_turn(world);
    assert_true(a.ready && b.ready && c.ready && d.ready);
    assert_true(world_metric(world, "gateway_vault_calls_total") == 3);
    assert_true(world_metric(world, "gateway_vault_subjects_total") == 5);
    assert_memory_equal(a.subjects[2].key, b.subjects[0].key, 32);
    assert_memory_equal(b.subjects[2].key, c.subjects[0].key, 32);
    assert_memory_equal(d.subjects[8].key, c.subjects[4].key, 32);
    finish(world, &a);
    finish(world, &b);
    finish(world, &c);
    finish(world, &d);
}

static void write_key(struct world *world, unsigned subject, bool erased)
{
    uint8_t id[16];
    hash_keyed(id, NULL, &(struct slice){(const uint8_t *)&subject, sizeof(subject)}, 1);
    const struct store_value values[] = {
        {.s = slice_make(world_tenant, 16)},
        {.s = slice_make(id, 16)},
        {.null = erased, .s = SLICE_LITERAL("wrapped by somebody else")}};
    const struct store_row row = {.table = &vault_table, .values = values};
    struct store_commit commit = {.rows = &row, .n_rows = 1};
    world_write(world, &commit);
}

static void test_an_erased_subject_has_no_key(void **state)
{
    struct world *world = *state;
    struct asked a;
    open_exchange(world, &a, 0);
    write_key(world, 1, true);
    for (unsigned round = 0; round < 2; round++) { /* asked, then from memory */
        find(&a, 1, 4);
        world_turn(world);
        assert_true(a.ready);
        assert_null(a.subjects[0].key);
        assert_non_null(a.subjects[2].key);
    }
    finish(world, &a);
}

static void expect_503(struct world *world, struct asked *asked)
{
    struct world_answer answer;
    world_receive(world, asked->fd, &answer);
    assert_int_equal(answer.status, 503);
    assert_non_null(world_header(&answer, "Retry-After"));
    assert_false(asked->ready);
}

static void test_a_key_of_another_master(void **state)
{
    struct world *world = *state;
    struct asked a;
    log_setup("gateway", "test", LOG_ERROR + 1);
    open_exchange(world, &a, 0);
    write_key(world, 1, false);
    find(&a, 1, 4);
    expect_503(world, &a);
    assert_true(world_metric(world, "gateway_vault_faults_total") == 1);
}

static void test_a_vault_that_does_not_answer(void **state)
{
    struct world *world = *state;
    world->gateway->options.deadline_ms = WORLD_DEADLINE_MS;
    struct asked a, b;
    open_exchange(world, &a, 0);
    world->store_stuck = true;
    find(&a, 1, 4);
    expect_503(world, &a);
    world->store_stuck = false; /* the answer comes late, and is kept for the next */
    world_turn(world);
    open_exchange(world, &b, 0);
    find(&b, 1, 4);
    assert_true(b.ready);
    finish(world, &b);
}

static void test_too_many_subjects(void **state)
{
    struct world *world = *state;
    struct asked a, b;
    open_exchange(world, &a, 0);
    open_exchange(world, &b, 1);
    world->store_stuck = true;
    find(&a, 1, 2 * 8192);
    assert_false(a.ready);
    find(&b, 10000, 2 * 8193);
    expect_503(world, &b);
    assert_true(world_metric(world, "gateway_vault_full_total") == 1);
    world->store_stuck = false;
    world_turn(world);
    assert_true(a.ready);
    finish(world, &a);
}

static void test_no_master_key(void **state)
{
    struct world *world = *state;
    struct gateway_options options = world->gateway->options;
    struct gateway_world given = world->gateway->world;
    struct gateway *gateway = NULL;
    struct err err = {0};
    options.master_key = options.master_key_file = "";
    given.metrics = metrics_create();
    assert_int_equal(gateway_create(&gateway, &given, &options, &err), ERR_INVALID);
    assert_non_null(strstr(err.message, "JOURNEY_MASTER_KEY_FILE"));
    metrics_destroy(&given.metrics);
}

static void test_day(void **state)
{
    uint8_t a[16], b[16], c[16];
    vault_day(a, 0);
    vault_day(b, DAY_US - 1);
    vault_day(c, DAY_US);
    assert_memory_equal(a, b, 16);
    assert_memory_not_equal(a, c, 16);
}

static void test_memory_forgets(void **state)
{
    struct vault_cache *cache = vault_cache_create(16, 50);
    uint8_t tenant[16] = {1}, subject[16] = {2}, key[32] = {3}, out[32];
    bool erased = true;
    assert_false(vault_cache_get(cache, tenant, subject, 100, out, &erased));
    vault_cache_put(cache, tenant, subject, 100, key);
    assert_true(vault_cache_get(cache, tenant, subject, 149, out, &erased));
    assert_false(erased);
    assert_memory_equal(out, key, 32);
    assert_false(vault_cache_get(cache, subject, tenant, 149, out, &erased));
    assert_false(vault_cache_get(cache, tenant, subject, 150, out, &erased));
    vault_cache_put(cache, tenant, subject, 120, NULL);
    assert_true(vault_cache_get(cache, tenant, subject, 150, out, &erased));
    assert_true(erased);
    assert_int_equal(vault_cache_sweep(cache, 169), 1);
    assert_int_equal(vault_cache_sweep(cache, 170), 0);
    for (unsigned i = 0; i < 100; i++) {
        subject[1] = (uint8_t)i;
        vault_cache_put(cache, tenant, subject, 200 + i, key);
        assert_true(vault_cache_get(cache, tenant, subject, 200 + i, out, &erased));
    }
    assert_in_range(vault_cache_sweep(cache, 250), 4, 16); /* never more than it was made for */
    vault_cache_destroy(&cache);
}

/* ---- POST /api/v1/identifiers/resolve ---- */

#define RESOLVE "POST /api/v1/identifiers/resolve\r\nX-Api-Key: "

static void test_resolve(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct store_value *rows[4];
    uint8_t hash[2][16];
    char hex[2][33];
    world_ask(world, RESOLVE SECRET_KEY,
              "{\"identifiers\":[{\"kind\":\"user\",\"value\":\"ann@example.com\"},"
              "{\"kind\":\"device\",\"value\":\"d\\u00e4\"}]}",
              &answer);
    assert_int_equal(answer.status, 200);
    privacy_hash(hash[0], world_hash_key, "user", SLICE_LITERAL("ann@example.com"));
    privacy_hash(hash[1], world_hash_key, "device", SLICE_LITERAL("d\xc3\xa4"));
    hex_format(hex[0], hash[0], 16);
    hex_format(hex[1], hash[1], 16);
    assert_string_equal(answer.body,
                        arena_printf(world->arena, "{\"hashes\":[\"%s\",\"%s\"]}", hex[0], hex[1]));
    assert_int_equal(store_mem_rows(world->db, &audit_logs_table, rows, 4), 1);
    assert_memory_equal(rows[0][0].s.data, world_tenant, 16);
    assert_true(slice_equal_str(rows[0][3].s, "identifier.resolve"));
    assert_true(slice_equal_str(rows[0][4].s, "2 identifiers"));
    for (unsigned c = 0; c < 6; c++)
        assert_null(memmem(rows[0][c].s.data ? rows[0][c].s.data : (const uint8_t *)"",
                           rows[0][c].s.size, "ann", 3));
}

static void test_resolve_refuses(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *head, *body;
        int status;
        const char *says;
    } cases[] = {
        {RESOLVE WRITE_KEY, "{}", 403, "forbidden"},
        {RESOLVE SECRET_KEY, "{}", 400, "identifiers"},
        {RESOLVE SECRET_KEY, "{\"identifiers\":[]}", 400, "identifiers"},
        {RESOLVE SECRET_KEY, "{\"identifiers\":[1]}", 400, "identifiers.0"},
        {RESOLVE SECRET_KEY, "{\"identifiers\":[{\"kind\":\"email\",\"value\":\"x\"}]}", 400,
         "identifiers.0.kind"},
        {RESOLVE SECRET_KEY,
         "{\"identifiers\":[{\"kind\":\"user\",\"value\":\"x\"},{\"kind\":\"user\"}]}", 400,
         "identifiers.1.value"},
    };
    const struct store_value *rows[1];
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(world, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].says))
            fail_msg("case %u: %d %s", i, answer.status, answer.body);
    }
    assert_int_equal(store_mem_rows(world->db, &audit_logs_table, rows, 1), 0);
}

/* Nothing is told that was not written down. */
static void test_resolve_without_audit(void **state)
{
    struct world *world = *state;
    world->gateway->options.deadline_ms = WORLD_DEADLINE_MS;
    static const char body[] = "{\"identifiers\":[{\"kind\":\"user\",\"value\":\"x\"}]}";
    struct world_answer answer;
    world_ask(world, RESOLVE SECRET_KEY, body, &answer); /* the key is known now */
    store_mem_fault_next(world->store, STORE_MEM_FAIL_AFTER);
    world_ask(world, RESOLVE SECRET_KEY, body, &answer);
    assert_int_equal(answer.status, 503);
    assert_null(strstr(answer.body, "hashes"));
    world->store_stuck = true;
    world_ask(world, RESOLVE SECRET_KEY, body, &answer);
    assert_int_equal(answer.status, 503);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one_question_for_all),
        TEST(test_who_waits_for_the_same),
        TEST(test_an_erased_subject_has_no_key),
        TEST(test_a_key_of_another_master),
        TEST(test_a_vault_that_does_not_answer),
        TEST(test_too_many_subjects),
        TEST(test_no_master_key),
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_memory_forgets),
        TEST(test_resolve),
        TEST(test_resolve_refuses),
        TEST(test_resolve_without_audit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
