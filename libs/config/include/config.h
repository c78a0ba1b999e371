#pragma once
/*
 * config: a module's options and metrics, each one X-macro table.
 *
 * Options: `#define X_OPTIONS(OPTION) OPTION(type, name, "ENV_NAME", default, min, max, "what it is for")`, with types
 * STRING, INT, SECRET (a STRING that is never printed). CONFIG_STRUCT makes the struct, CONFIG_ROW its descriptor.
 * Values come from the environment; a bad one is an error that names the variable, the value's fault and the range.
 *
 *   struct x_config { CONFIG_STRUCT(X_OPTIONS) };
 *   #define ROW(...) CONFIG_ROW(struct x_config, __VA_ARGS__)
 *   static const struct config_option x_options[] = {X_OPTIONS(ROW)};
 *   config_load(&config, x_options, ARRAY_SIZE(x_options), getenv, &err)
 *
 * Metrics: registered once, then plain increments by the one thread that owns them; rendered as Prometheus text.
 */
#include "base.h"

enum config_type {
    CONFIG_STRING,
    CONFIG_INT,
    CONFIG_SECRET
};

struct config_option {
    enum config_type type;
    const char *name, *env;
    const char *fallback; /* text of the default; NULL: required */
    int64_t min, max;     /* of an INT; of a STRING its length */
    const char *help;
    size_t offset;
};

#define CONFIG_FIELD_STRING(name)                               const char *name;
#define CONFIG_FIELD_SECRET(name)                               const char *name;
#define CONFIG_FIELD_INT(name)                                  int64_t name;
#define CONFIG_FIELD(type, name, env, fallback, min, max, help) CONFIG_FIELD_##type(name)
#define CONFIG_STRUCT(TABLE)                                    TABLE(CONFIG_FIELD)
#define CONFIG_ROW(structure, type, name, env, fallback, min, max, help)                           \
    {CONFIG_##type, #name, env, fallback, min, max, help, offsetof(structure, name)},

/* lookup: getenv, or a test's own. Strings are borrowed from it (or the fallback). */
int config_load(void *config, const struct config_option *options, size_t n,
                char *(*lookup)(const char *), struct err *err) MUST_CHECK;
/* `-c`: env=value, secrets as *** */
void config_print(const void *config, const struct config_option *options, size_t n,
                  struct buf *out);
void config_help(const struct config_option *options, size_t n, struct buf *out);

/* ---- metrics ---- */

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM
};

struct metric {
    enum metric_type type;
    const char *name;   /* snake_case, e.g. journey_touchpoint_events_total */
    const char *labels; /* ready text: `topic="x"`, or NULL */
    const char *help;
    double value;         /* counter, gauge */
    const double *bounds; /* histogram: ascending upper bounds, +Inf implied */
    unsigned n_bounds;
    uint64_t *counts; /* n_bounds + 1, owned by the registry */
    double sum;
};

struct metrics; /* a registry */
struct metrics *metrics_create(void);
void metrics_destroy(struct metrics **metrics);
/* The metric lives as long as the registry; name, help and bounds must too; labels are copied. At most 2,000 series: then NULL. */
struct metric *metrics_add(struct metrics *metrics, enum metric_type type, const char *name,
                           const char *labels, const char *help, const double *bounds,
                           unsigned n_bounds);
/* A counter whose labels are known when it counts: made at first sight. At most 200 of a name; what comes beyond them is
 * counted as `other`. */
void metrics_count(struct metrics *metrics, const char *name, const char *help, const char *labels,
                   const char *other, double by);
static inline void metric_inc(struct metric *m, double by)
{
    if (m)
        m->value += by;
}
static inline void metric_set(struct metric *m, double to)
{
    if (m)
        m->value = to;
}
void metric_observe(struct metric *m, double value);
/* linear within a bucket; NAN when empty */
double metric_quantile(const struct metric *m, double q);
/* Prometheus text 0.0.4; HELP and TYPE once per name */
void metrics_render(const struct metrics *metrics, struct buf *out);
extern const double metric_latency_bounds_s[16]; /* 100 us .. 10 s */
