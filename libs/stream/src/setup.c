/* Making and unmaking the runtime; its tables and metrics. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

static const uint8_t key_columns[] = {0, 1}, part_columns[] = {2, 3};

static void set_states(struct stream *s)
{
    const struct stream_service *service = s->service;
    for (unsigned i = 0; i < service->n_states; i++)
        s->states[s->n_states++] = service->states[i];
    s->states[s->n_states++] = &answers_state;
    for (unsigned i = 0; i < s->n_states; i++) {
        const struct stream_state *state = s->states[i];
        s->state_columns[i] = (uint8_t)(state->table->n_columns - 1);
        bool answers = state == &answers_state;
        s->state_lookups[i] = (struct store_lookup){.table = state->table,
                                                    .by = key_columns,
                                                    .n_by = 2,
                                                    .columns = &s->state_columns[i],
                                                    .n_columns = 1,
                                                    .order = answers ? 2 : -1,
                                                    .descending = answers,
                                                    .limit = 1};
        if (state->parts)
            s->part_lookups[i] = (struct store_lookup){.table = state->parts->table,
                                                       .by = key_columns,
                                                       .n_by = 2,
                                                       .columns = part_columns,
                                                       .n_columns = 2,
                                                       .order = 2,
                                                       .after = state->parts->keep_us > 0};
    }
}

static void set_metrics(struct stream *s)
{
    static const double sizes[] = {1, 3, 10, 30, 100, 300, 1000, 3000};
    struct metrics *r = s->options.metrics;
    struct metrics_of_stream *m = &s->m;
    if (!r)
        return;
#define COUNTER(field, name, help)                                                                 \
    m->field = metrics_add(r, METRIC_COUNTER, "journey_stream_" name, NULL, help, NULL, 0)
#define GAUGE(field, name, help)                                                                   \
    m->field = metrics_add(r, METRIC_GAUGE, "journey_stream_" name, NULL, help, NULL, 0)
    COUNTER(messages, "messages_total", "messages decided");
    COUNTER(records, "records_total", "records read");
    COUNTER(repeats, "repeats_total", "records that were read before, by their number");
    COUNTER(gaps, "gaps_total",
            "records ahead of the next number, dropped until they are said again");
    COUNTER(batches, "batches_total", "batches committed");
    m->batch_size = metrics_add(r, METRIC_HISTOGRAM, "journey_stream_batch_size", NULL,
                                "messages in a batch", sizes, ARRAY_SIZE(sizes));
    m->commit_s = metrics_add(r, METRIC_HISTOGRAM, "journey_stream_commit_seconds", NULL,
                              "from submitting a commit to its confirmation",
                              metric_latency_bounds_s, ARRAY_SIZE(metric_latency_bounds_s));
    m->decide_s = metrics_add(r, METRIC_HISTOGRAM, "journey_stream_decide_seconds", NULL,
                              "from gathering a batch to submitting its commit",
                              metric_latency_bounds_s, ARRAY_SIZE(metric_latency_bounds_s));
    COUNTER(published, "published_total", "messages handed to the producer");
    COUNTER(confirmed, "confirmed_total", "messages known to be in the log, in order");
    GAUGE(unconfirmed_bytes, "unconfirmed_bytes",
          "said but not confirmed; reading pauses at 4 MiB");
    GAUGE(outbox_age, "outbox_age_seconds", "age of the oldest row that is not wholly confirmed");
    GAUGE(lag, "lag_seconds", "age of the last record when it was read");
    GAUGE(owned, "partitions_owned", "partitions that this instance owns");
    COUNTER(takeovers, "takeovers_total", "partitions taken over");
    COUNTER(fenced, "fenced_total", "commits refused because another instance owns the partition");
    COUNTER(forgotten, "forgotten_total", "partitions owned anew after a failure");
    for (unsigned i = 0; i < s->service->n_inputs; i++) {
        char labels[BUS_LABELS_SIZE];
        bus_dead_letter_labels(labels, s->service->inputs[i].topic, "undecodable");
        metrics_count(r, BUS_DEAD_LETTERS_METRIC, BUS_DEAD_LETTERS_HELP, labels,
                      BUS_DEAD_LETTERS_OTHER, 0);
    }
    GAUGE(timers, "timers", "timers in memory");
    GAUGE(cache_bytes, "cache_bytes", "hot states in memory");
    GAUGE(cache_hits, "cache_hits", "states found in memory since the start");
    GAUGE(cache_misses, "cache_misses", "states read from the database since the start");
    COUNTER(parked, "parked_total", "messages that waited for their state");
    COUNTER(asks, "questions_total", "questions answered beside the stream");
    COUNTER(heals, "mirror_stale_total", "older values behind newer ones in mirrored topics");
#undef COUNTER
#undef GAUGE
}

static int set_counters(struct stream *s)
{
    const struct stream_service *service = s->service;
    s->m.counters = calloc(service->n_counters + 1, sizeof(*s->m.counters));
    if (!s->m.counters)
        return ERR_NO_MEMORY;
    for (unsigned i = 0; s->options.metrics && i < service->n_counters; i++)
        s->m.counters[i] =
            metrics_add(s->options.metrics, METRIC_COUNTER, service->counters[i].name,
                        service->counters[i].labels, service->counters[i].help, NULL, 0);
    return STATUS_OK;
}

static int set_parts(struct stream *s)
{
    s->n_parts = bus_partitions(s->bus);
    s->parts = calloc((size_t)s->n_parts, sizeof(*s->parts));
    for (int32_t p = 0; s->parts && p < s->n_parts; p++) {
        struct part *part = &s->parts[p];
        part->id = p;
        part->life = ++s->lives;
        part->rows_tail = &part->rows;
        part->horizon_us = INT64_MIN;
        part->dests = calloc((size_t)2 * TOPIC_COUNT * (size_t)s->n_parts, sizeof(*part->dests));
        if (!part->dests)
            return ERR_NO_MEMORY;
    }
    s->mirrors = calloc(s->service->n_mirrors + 1, sizeof(*s->mirrors));
    for (unsigned i = 0; s->mirrors && i < s->service->n_mirrors; i++) {
        s->mirrors[i].spec = &s->service->mirrors[i];
        s->mirrors[i].ends = calloc((size_t)s->n_parts, sizeof(int64_t));
        s->mirrors[i].next = calloc((size_t)s->n_parts, sizeof(int64_t));
        if (!s->mirrors[i].ends || !s->mirrors[i].next)
            return ERR_NO_MEMORY;
    }
    return s->parts && s->mirrors ? STATUS_OK : ERR_NO_MEMORY;
}

int stream_create(struct stream **out, const struct stream_service *service,
                  const struct stream_options *options, struct err *err)
{
    if (check_service(service, err) < 0)
        return ERR_INVALID;
    struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "out of memory");
    s->service = service;
    s->options = *options;
    if (!s->options.batch_limit)
        s->options.batch_limit = 2000;
    if (!s->options.cache_bytes)
        s->options.cache_bytes = 12 << 20;
    s->limits = (struct limits){.batch_bytes = BATCH_BYTES_LIMIT,
                                .unconfirmed = UNCONFIRMED_LIMIT,
                                .parked_bytes = PARKED_BYTES,
                                .parked = PARKED_LIMIT,
                                .timers = TIMERS_LIMIT,
                                .asks = ASKS_LIMIT,
                                .calls = CALLS_LIMIT};
    pace_init(s);
    s->bus = options->bus;
    s->store = options->store;
    s->effects.stream = s;
    (void)snprintf(s->source, sizeof(s->source), "/journey/%s", service->name);
    (void)snprintf(s->producer, sizeof(s->producer), "%s.%s", service->name,
                   options->generation ? options->generation : "1");
    set_states(s);
    set_metrics(s);
    int status = set_parts(s);
    status = status ? status : set_counters(s);
    status = status ? status : cache_init(&s->cache, s->options.cache_bytes);
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches) && !status; b++) {
        s->batches[b].stream = s;
        s->batches[b].asks_tail = &s->batches[b].asks;
        s->batches[b].cached_tail = &s->batches[b].cached;
        s->batches[b].arena = arena_create(BATCH_ARENA_LIMIT);
        status = s->batches[b].arena ? STATUS_OK : ERR_NO_MEMORY;
    }
    if (status) {
        stream_destroy(&s);
        return err_set(err, status, ERR_CLASS_FATAL, "out of memory");
    }
    *out = s;
    return STATUS_OK;
}

void request_add(struct stream *s, struct request *request, struct arena *arena)
{
    *request = (struct request){.next = s->requests, .link = &s->requests, .arena = arena};
    if (s->requests)
        s->requests->link = &request->next;
    s->requests = request;
}

void request_free(struct request *request)
{
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    arena_destroy(&request->arena);
    free(request);
}

static void batch_deinit(struct stream *s, struct batch *batch)
{
    if (batch->arena)
        batch_free(s, batch);
    arena_destroy(&batch->arena);
    free(batch->items);
    free(batch->records);
    free(batch->touched);
    free(batch->rows);
}

/* The store must not call back any more: it is destroyed first, or has nothing under way. */
void stream_destroy(struct stream **stream)
{
    struct stream *s = *stream;
    if (!s)
        return;
    *stream = NULL;
    for (int32_t p = 0; s->parts && p < s->n_parts; p++)
        if (s->parts[p].dests)
            own_give_up(s, &s->parts[p]);
    for (unsigned b = 0; b < ARRAY_SIZE(s->batches); b++)
        batch_deinit(s, &s->batches[b]);
    if (s->aside.held)
        bus_event_release(s->bus, &s->aside.event);
    for (struct request *request = s->requests, *next; request; request = next) {
        next = request->next;
        arena_destroy(&request->arena);
        free(request);
    }
    ask_deinit(s);
    call_deinit(s);
    mirror_deinit(s);
    if (s->cache.buckets)
        cache_deinit(&s->cache);
    for (int32_t p = 0; s->parts && p < s->n_parts; p++)
        free(s->parts[p].dests);
    free(s->parts);
    free(s->slots);
    free(s->effects.list);
    free(s->m.counters);
    free(s->calls);
    buf_deinit(&s->scratch);
    free(s);
}

static unsigned add_table(const struct store_table **tables, unsigned n, unsigned max,
                          const struct store_table *table)
{
    for (unsigned i = 0; i < n; i++)
        if (tables[i] == table)
            return n;
    assert(n < max);
    tables[n] = table;
    return n + 1;
}

unsigned stream_tables(const struct stream_service *service, const struct store_table **tables,
                       unsigned max)
{
    unsigned n = add_table(tables, 0, max, &timers_table);
    n = add_table(tables, n, max, &answers_table);
    for (unsigned i = 0; i < service->n_states; i++) {
        n = add_table(tables, n, max, service->states[i]->table);
        if (service->states[i]->parts)
            n = add_table(tables, n, max, service->states[i]->parts->table);
    }
    for (unsigned i = 0; i < service->n_tables; i++)
        n = add_table(tables, n, max, service->tables[i]);
    return n;
}
