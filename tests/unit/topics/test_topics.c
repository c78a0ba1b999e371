#include "topics.h"

#include "test.h"

static void test_names(void **state)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        const char *name = topic_name(topic);
        size_t size = strlen(name);
        /* what topic_find takes off for the short name */
        assert_case(name, strncmp(name, "journey.", 8) == 0 && size > 11);
        assert_case(name, strcmp(name + size - 3, ".v1") == 0);
        assert_case(name, topic_find(name) == topic);
        const char *dlq = topic_name(topic_dlq(topic));
        assert_case(dlq, strncmp(dlq, name, size) == 0 && strcmp(dlq + size, ".dlq") == 0);
        assert_case(dlq, topic_find(dlq) == topic_dlq(topic));
        assert_ptr_equal(topic_info(topic), topic_info(topic_dlq(topic)));
        assert_case(name, topic_info(topic)->retention_hours > 0);
    }
}

static void test_find(void **state)
{
    static const struct {
        const char *name;
        int topic;
    } cases[] = {
        {"touchpoints", TOPIC_TOUCHPOINTS},
        {"touchpoints.dlq", TOPIC_TOUCHPOINTS | TOPIC_DLQ},
        {"commands.journey-state", TOPIC_COMMANDS_JOURNEY_STATE},
        {"journey.touchpoints.v1", TOPIC_TOUCHPOINTS},
        {"journey.touchpoints", -1},
        {"touchpoints.v1", -1},
        {"touchpoint", -1},
        {".dlq", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].name, topic_find(cases[i].name) == cases[i].topic);
    assert_int_equal(topic_find(NULL), -1);
}

/* As Kafka's JVM clients: org.apache.kafka.common.utils.UtilsTest.testMurmur2 */
static void test_partition(void **state)
{
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].key, topic_partition(slice_str(cases[i].key), 16) ==
                                      (cases[i].hash & 0x7fffffff) % 16);
}

static void test_key(void **state)
{
    const uint8_t tenant[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    struct arena *arena = arena_create(4096);
    assert_true(slice_equal_str(topic_key(tenant, SLICE_LITERAL("device-1"), arena),
                                "01234567-89ab-cdef-0123-456789abcdef/device-1"));
    assert_true(slice_equal_str(topic_key(tenant, SLICE_LITERAL(""), arena),
                                "01234567-89ab-cdef-0123-456789abcdef/"));
    char *large = arena_alloc(arena, 4000);
    assert_non_null(large);
    assert_null(topic_key(tenant, slice_make(large, 4000), arena).data);
    assert_true(arena_overflowed(arena));
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_key),
    };
    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
