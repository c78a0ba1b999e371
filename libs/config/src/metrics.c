/*
 * Metrics: a list of series, rendered as Prometheus text. The format wants a name's series together, so a series is put
 * behind the last one of its name when it is added; rendering is then one walk.
 */
#include "config.h"
#include <math.h>
#include <stdlib.h>

#define SERIES_MAX                                                                                 \
    2000 /* a scrape of a few 100 KB at most; labels must never carry unbounded values */

#define FAMILY_MAX 200

struct series {
    struct metric metric; /* first: a struct metric * is its series */
    struct series *next;
};

struct metrics {
    struct series *first;
    unsigned n;
};

const double metric_latency_bounds_s[16] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                            0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                            1,      2.5,     5,      10};

struct metrics *metrics_create(void)
{
    return calloc(1, sizeof(struct metrics));
}

static void series_destroy(struct series **series)
{
    char *labels = NULL;
    if (!*series)
        return;
    memcpy(&labels, &(*series)->metric.labels, sizeof(labels)); /* ours to free, const to others */
    free(labels);
    free((*series)->metric.counts);
    free(*series);
    *series = NULL;
}

void metrics_destroy(struct metrics **metrics)
{
    if (!metrics || !*metrics)
        return;
    for (struct series *series = (*metrics)->first, *next; series; series = next) {
        next = series->next;
        series_destroy(&series);
    }
    free(*metrics);
    *metrics = NULL;
}

static struct series *series_create(enum metric_type type, const char *labels, unsigned n_bounds)
{
    struct series *series = calloc(1, sizeof(*series));
    if (!series)
        return NULL;
    series->metric.labels = labels ? strdup(labels) : NULL;
    if (type == METRIC_HISTOGRAM)
        series->metric.counts = calloc((size_t)n_bounds + 1, sizeof(uint64_t));
    if ((labels && !series->metric.labels) || (type == METRIC_HISTOGRAM && !series->metric.counts))
        series_destroy(&series);
    return series;
}

struct metric *metrics_add(struct metrics *metrics, enum metric_type type, const char *name,
                           const char *labels, const char *help, const double *bounds,
                           unsigned n_bounds)
{
    if (metrics->n == SERIES_MAX)
        return NULL;
    struct series *series = series_create(type, labels, n_bounds);
    if (!series)
        return NULL;
    struct metric *metric = &series->metric;
    metric->type = type;
    metric->name = name;
    metric->help = help;
    metric->bounds = bounds;
    metric->n_bounds = n_bounds;

    struct series **link = &metrics->first, **end_of_name = NULL;
    for (; *link; link = &(*link)->next)
        if (strcmp((*link)->metric.name, name) == 0)
            end_of_name = &(*link)->next;
    if (end_of_name)
        link = end_of_name;
    series->next = *link;
    *link = series;
    metrics->n++;
    return metric;
}

static struct metric *find(struct metrics *metrics, const char *name, const char *labels,
                           unsigned *n)
{
    *n = 0;
    for (struct series *s = metrics->first; s; s = s->next) {
        if (strcmp(s->metric.name, name) != 0)
            continue;
        if (s->metric.labels && strcmp(s->metric.labels, labels) == 0)
            return &s->metric;
        ++*n;
    }
    return NULL;
}

void metrics_count(struct metrics *metrics, const char *name, const char *help, const char *labels,
                   const char *other, double by)
{
    unsigned n;
    if (!metrics)
        return;
    struct metric *metric = find(metrics, name, labels, &n);
    if (!metric && n >= FAMILY_MAX) {
        labels = other;
        metric = find(metrics, name, labels, &n);
    }
    if (!metric)
        metric = metrics_add(metrics, METRIC_COUNTER, name, labels, help, NULL, 0);
    metric_inc(metric, by);
}

void metric_observe(struct metric *m, double value)
{
    if (!m || isnan(value))
        return;
    unsigned i = 0;
    while (i < m->n_bounds && value > m->bounds[i])
        i++;
    m->counts[i]++;
    m->sum += value;
}

double metric_quantile(const struct metric *m, double q)
{
    uint64_t total = 0, below = 0;
    for (unsigned i = 0; m && i <= m->n_bounds; i++)
        total += m->counts[i];
    if (total == 0)
        return NAN;
    double rank = q * (double)total;
    for (unsigned i = 0; i < m->n_bounds; i++) {
        if (m->counts[i] && (double)(below + m->counts[i]) >= rank) {
            double low = i ? m->bounds[i - 1] : fmin(0, m->bounds[0]);
            double part = fmax(0, rank - (double)below) / (double)m->counts[i];
            return low + (m->bounds[i] - low) * part;
        }
        below += m->counts[i];
    }
    return m->n_bounds ? m->bounds[m->n_bounds - 1]
                       : NAN; /* past the last bound: all that is known */
}

/* ---- text ---- */

/* whole numbers exactly, others with the digits that a double has */
static void render_number(struct buf *out, double value)
{
    if (isnan(value))
        buf_append_str(out, "NaN");
    else if (isinf(value))
        buf_append_str(out, value > 0 ? "+Inf" : "-Inf");
    else if (value == trunc(value) && fabs(value) < 0x1p53)
        buf_printf(out, "%lld", (long long)value);
    else
        buf_printf(out, "%.12g", value);
}

static void render_name(struct buf *out, const struct metric *m, const char *suffix)
{
    buf_printf(out, "%s%s", m->name, suffix);
    if (m->labels)
        buf_printf(out, "{%s}", m->labels);
    buf_append_byte(out, ' ');
}

static void render_histogram(struct buf *out, const struct metric *m)
{
    uint64_t count = 0;
    for (unsigned i = 0; i <= m->n_bounds; i++) {
        count += m->counts[i];
        buf_printf(out, "%s_bucket{%s%sle=\"", m->name, m->labels ? m->labels : "",
                   m->labels ? "," : "");
        render_number(out, i < m->n_bounds ? m->bounds[i] : INFINITY);
        buf_printf(out, "\"} %llu\n", (unsigned long long)count);
    }
    render_name(out, m, "_sum");
    render_number(out, m->sum);
    buf_append_byte(out, '\n');
    render_name(out, m, "_count");
    buf_printf(out, "%llu\n", (unsigned long long)count);
}

void metrics_render(const struct metrics *metrics, struct buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const char *name = "";
    for (const struct series *series = metrics->first; series; series = series->next) {
        const struct metric *m = &series->metric;
        if (strcmp(name, m->name) != 0) {
            name = m->name;
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, m->help, name, types[m->type]);
        }
        if (m->type == METRIC_HISTOGRAM) {
            render_histogram(out, m);
        } else {
            render_name(out, m, "");
            render_number(out, m->value);
            buf_append_byte(out, '\n');
        }
    }
}
