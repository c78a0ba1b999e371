/*
 * What each step of the front door costs per event, in one process without network, log or clock: CPU nanoseconds, the least of
 * several turns. The same events as the load generator's, and the same with personal data in them.
 */
#include "domain/clients.h"
#include "domain/wire.h"
#include "privacy.h"
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    EVENTS = 100,
    ROUNDS = 50, /* batches in a turn */
    TURNS = 20
};

struct steps {
    struct arena *arena, *tables;
    struct gw_masker *masker;
    struct gw_event_source source;
    struct buf body;
    struct gw_cut cut;
    struct gw_event events[EVENTS];
    struct slice sealed[EVENTS];
    uint64_t bytes; /* of what was made: nothing is left out by the compiler */
};

static void add_event(struct buf *body, unsigned number, unsigned extras)
{
    unsigned product = number * 977 % SHOP_PRODUCTS;
    buf_printf(body,
               "%s{\"type\":\"track\",\"event\":\"%s\",\"messageId\":\"m-5eed0001-%012u\","
               "\"anonymousId\":\"d-5eed0001-%010u\",\"timestamp\":\"2026-01-02T03:04:05.678Z\","
               "\"properties\":",
               number ? "," : "", shop_event(number), number, number);
    shop_properties(body, product, extras);
    buf_append_str(body, ",\"context\":");
    shop_context(body, product, extras);
    buf_append_byte(body, '}');
}

static void build(struct steps *s, unsigned extras)
{
    buf_reset(&s->body);
    buf_append_str(&s->body, "{\"sentAt\":\"2026-01-02T03:04:06.000Z\",\"batch\":[");
    for (unsigned i = 0; i < EVENTS; i++)
        add_event(&s->body, i, extras);
    buf_append_str(&s->body, "]}");
}

/* ---- the steps, each on what the ones before have made ---- */

static void cut(struct steps *s)
{
    struct gw_faults faults = {.n = 0};
    const struct gw_request request = {.body = buf_slice(&s->body),
                                       .form = s->source.form,
                                       .max_events = GW_MAX_BATCH_EVENTS,
                                       .arena = s->arena};
    s->cut = (struct gw_cut){.client = GW_CLIENT_SEGMENT};
    if (!gw_cut_segment_batch(&request, &s->cut, &faults) || s->cut.n != EVENTS)
        abort();
}

static void read_form(struct steps *s)
{
    for (unsigned i = 0; i < EVENTS; i++) {
        struct gw_faults faults = {.n = 0};
        struct gw_facts facts;
        if (!gw_form_read(s->source.form, s->cut.events[i], &facts, &faults, s->arena))
            abort();
        s->bytes += facts.at[GW_FACT_PROPERTIES].size;
    }
}

static void map(struct steps *s)
{
    for (unsigned i = 0; i < EVENTS; i++) {
        struct gw_faults faults = {.n = 0};
        gw_event_map(&s->events[i], s->cut.events[i], &s->source, &faults, s->arena);
        if (faults.n)
            abort();
    }
}

static void hash(struct steps *s)
{
    for (unsigned i = 0; i < EVENTS; i++)
        privacy_hash(s->events[i].device, s->source.hash_key, "device",
                     slice_str(s->events[i].message_id));
}

static void mask(struct steps *s)
{
    struct gw_masked masked;
    for (unsigned i = 0; i < EVENTS; i++) {
        const struct slice parts[] = {s->events[i].properties, s->events[i].context};
        for (unsigned p = 0; p < ARRAY_SIZE(parts); p++) {
            if (gw_mask_json(s->masker, parts[p], slice_make(NULL, 0), &masked, s->arena) < 0)
                abort();
            s->bytes += masked.json.size;
        }
    }
}

static void seal(struct steps *s)
{
    static const uint8_t key[PRIVACY_KEY_SIZE], tenant[16], nonce[PRIVACY_NONCE_SIZE];
    for (unsigned i = 0; i < EVENTS; i++) {
        struct slice plain = s->events[i].personal;
        uint8_t *out =
            plain.size ? arena_alloc(s->arena, plain.size + PRIVACY_SEAL_OVERHEAD) : NULL;
        s->sealed[i] = slice_make(out, out ? plain.size + PRIVACY_SEAL_OVERHEAD : 0);
        if (out)
            privacy_seal(out, key, tenant, s->events[i].device, nonce, plain);
    }
}

static void write_wire(struct steps *s)
{
    for (unsigned i = 0; i < EVENTS; i++)
        s->bytes += gw_wire_event(&s->events[i], s->sealed[i], s->arena).size;
}

static const struct {
    const char *name;
    void (*run)(struct steps *s);
} steps[] = {
    {"cut a batch into its events", cut},
    {"map: check, find the members, hash, mask", map},
    {"  of it: check and find the members", read_form},
    {"  of it: hash an identifier", hash},
    {"  of it: mask what has no personal data any more", mask},
    {"seal", seal},
    {"write protobuf", write_wire},
};

static double cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure(struct steps *s, unsigned extras, double least[ARRAY_SIZE(steps)])
{
    build(s, extras);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        double took[ARRAY_SIZE(steps)] = {0};
        for (unsigned round = 0; round < ROUNDS; round++) {
            arena_reset(s->arena);
            for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
                double begin = cpu_ns();
                steps[i].run(s);
                took[i] += cpu_ns() - begin;
            }
        }
        for (unsigned i = 0; i < ARRAY_SIZE(steps); i++)
            if (turn == 0 || took[i] / ROUNDS / EVENTS < least[i])
                least[i] = took[i] / ROUNDS / EVENTS;
    }
}

int main(void)
{
    static struct steps s;
    static const uint8_t key[32] = {1};
    double plain[ARRAY_SIZE(steps)], personal[ARRAY_SIZE(steps)];
    s.arena = arena_create(64 << 20);
    s.tables = arena_create(1 << 20);
    if (!s.arena || !s.tables || gw_masker_create(&s.masker, NULL) < 0)
        abort();
    s.source = (struct gw_event_source){
        .hash_key = key,
        .form = gw_form_index(gw_clients[GW_CLIENT_SEGMENT].form, s.tables),
        .masker = s.masker};
    measure(&s, 0, plain);
    size_t size = s.body.size / EVENTS;
    measure(&s, SHOP_PERSONAL, personal);
    printf("{\"bytes\":[%zu,%zu],\"ns\":[", size, s.body.size / EVENTS);
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++)
        printf("%s\n {\"step\":\"%s\",\"plain\":%.0f,\"personal\":%.0f}", i ? "," : "",
               steps[i].name, plain[i], personal[i]);
    printf("]}\n");
    buf_deinit(&s.body);
    gw_masker_destroy(&s.masker);
    arena_destroy(&s.tables);
    arena_destroy(&s.arena);
    return 0;
}
