#include "config.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

static int setup(void **state)
{
    *state = metrics_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct metrics *metrics = *state;
    metrics_destroy(&metrics);
    return metrics == NULL ? 0 : -1;
}

static void test_render(void **state)
{
    static const double bounds[] = {0.5, 1, 2.5};
    struct metrics *metrics = *state;
    struct buf out = {0};
    char labels[] = "topic=\"a\"";
    struct metric *a = metrics_add(metrics, METRIC_COUNTER, "x_total", labels, "Things.", NULL, 0);
    struct metric *g = metrics_add(metrics, METRIC_GAUGE, "x_lag", NULL, "Lag.", NULL, 0);
    struct metric *b =
        metrics_add(metrics, METRIC_COUNTER, "x_total", "topic=\"b\"", "Things.", NULL, 0);
    struct metric *h =
        metrics_add(metrics, METRIC_HISTOGRAM, "x_seconds", "r=\"q\"", "Time.", bounds, 3);
    memset(labels, 'z', sizeof(labels) - 1); /* they were copied */
    metric_inc(a, 1);
    metric_inc(a, 2e9);
    metric_inc(b, 1);
    metric_set(g, 0.25);
    metric_observe(h, 0.5);
    metric_observe(h, 0.75);
    metric_observe(h, 100);
    metric_observe(h, NAN);
    metrics_render(metrics, &out);
    assert_string_equal((char *)out.data, "# HELP x_total Things.\n"
                                          "# TYPE x_total counter\n"
                                          "x_total{topic=\"a\"} 2000000001\n"
                                          "x_total{topic=\"b\"} 1\n"
                                          "# HELP x_lag Lag.\n"
                                          "# TYPE x_lag gauge\n"
                                          "x_lag 0.25\n"
                                          "# HELP x_seconds Time.\n"
                                          "# TYPE x_seconds histogram\n"
                                          "x_seconds_bucket{r=\"q\",le=\"0.5\"} 1\n"
                                          "x_seconds_bucket{r=\"q\",le=\"1\"} 2\n"
                                          "x_seconds_bucket{r=\"q\",le=\"2.5\"} 2\n"
                                          "x_seconds_bucket{r=\"q\",le=\"+Inf\"} 3\n"
                                          "x_seconds_sum{r=\"q\"} 101.25\n"
                                          "x_seconds_count{r=\"q\"} 3\n");
    buf_deinit(&out);
}

static void test_render_without_labels(void **state)
{
    static const double bounds[] = {1};
    struct metrics *metrics = *state;
    struct buf out = {0};
    metrics_add(metrics, METRIC_HISTOGRAM, "x", NULL, "X.", bounds, 1);
    metric_set(metrics_add(metrics, METRIC_GAUGE, "y", NULL, "Y.", NULL, 0), -INFINITY);
    metrics_render(metrics, &out);
    assert_string_equal((char *)out.data, "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"1\"} 0\n"
                                          "x_bucket{le=\"+Inf\"} 0\nx_sum 0\nx_count 0\n"
                                          "# HELP y Y.\n# TYPE y gauge\ny -Inf\n");
    buf_deinit(&out);
}

static void test_at_most_2000_series(void **state)
{
    struct metrics *metrics = *state;
    char labels[32];
    for (int i = 0; i < 2000; i++) {
        assert_true(snprintf(labels, sizeof(labels), "n=\"%d\"", i) > 0);
        assert_non_null(metrics_add(metrics, METRIC_COUNTER, "x", labels, "X.", NULL, 0));
    }
    struct metric *none = metrics_add(metrics, METRIC_COUNTER, "x", "n=\"no\"", "X.", NULL, 0);
    assert_null(none);
    metric_inc(none, 1); /* harmless */
    metric_set(none, 1);
    metric_observe(none, 1);
}

static void test_quantile(void **state)
{
    static const double bounds[] = {1, 2, 4};
    struct metric *m = metrics_add(*state, METRIC_HISTOGRAM, "x_seconds", NULL, "X.", bounds, 3);
    assert_true(isnan(metric_quantile(m, 0.5)));
    assert_true(isnan(metric_quantile(NULL, 0.5)));
    for (int i = 0; i < 10; i++) {
        metric_observe(m, 0.5);
        metric_observe(m, 3);
    }
    static const struct {
        double q, value;
    } cases[] = {{0, 0}, {0.25, 0.5}, {0.5, 1}, {0.75, 3}, {1, 4}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_true(fabs(metric_quantile(m, cases[i].q) - cases[i].value) < 1e-9);
    for (int i = 0; i < 1000; i++)
        metric_observe(m, 99);
    assert_true(metric_quantile(m, 0.99) == 4); /* past the last bound: all that is known */
}

static void test_counted_at_first_sight(void **state)
{
    struct metrics *metrics = *state;
    _cleanup_(buf_deinit) struct buf out = {0};
    char labels[40];
    for (int i = 0; i < 300; i++) {
        (void)snprintf(labels, sizeof(labels), "reason=\"r%d\"", i);
        metrics_count(metrics, "x_total", "help", labels, "reason=\"other\"", 1);
    }
    metrics_count(metrics, "x_total", "help", "reason=\"r0\"", "reason=\"other\"", 2);
    metrics_render(metrics, &out);
    assert_non_null(strstr((char *)out.data, "x_total{reason=\"r0\"} 3\n"));
    assert_non_null(strstr((char *)out.data, "x_total{reason=\"r199\"} 1\n"));
    assert_null(strstr((char *)out.data, "x_total{reason=\"r200\"}"));
    assert_non_null(strstr((char *)out.data, "x_total{reason=\"other\"} 100\n"));
}

static void test_latency_bounds_ascend(void **state)
{
    const size_t n = ARRAY_SIZE(metric_latency_bounds_s);
    assert_true(metric_latency_bounds_s[0] == 0.0001 && metric_latency_bounds_s[n - 1] == 10);
    for (size_t i = 1; i < n; i++)
        assert_true(metric_latency_bounds_s[i] > metric_latency_bounds_s[i - 1]);
}

static void test_destroy_takes_null(void **state)
{
    struct metrics *metrics = NULL;
    metrics_destroy(NULL);
    metrics_destroy(&metrics);
}

#define METRICS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        METRICS_TEST(test_render),
        METRICS_TEST(test_render_without_labels),
        METRICS_TEST(test_at_most_2000_series),
        METRICS_TEST(test_quantile),
        METRICS_TEST(test_counted_at_first_sight),
        cmocka_unit_test(test_latency_bounds_ascend),
        cmocka_unit_test(test_destroy_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
