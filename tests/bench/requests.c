#include "requests.h"
#include "population.h"
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>

#define NO_TIME "1970-01-01T00:00:00.000Z"

enum {
    MESSAGE_DIGITS = 12,
    RUN_DIGITS = 8,
    DEVICE_DIGITS = 10,
    SESSION_WIDTH = POPULATION_ID_SIZE - 1 + 2, /* with its quotes */
    TIME_WIDTH = sizeof(NO_TIME) - 1
};

static bool returns(struct requests *r)
{
    return r->population && random_next(&r->random) % 100 < r->returning;
}

static void visitor_come(struct requests *r, struct visitor *visitor)
{
    visitor->left = r->visit_events;
    visitor->run = r->run;
    if (returns(r)) {
        visitor->run = POPULATION_RUN;
        visitor->number = random_next(&r->random) % r->population;
    } else {
        visitor->number = ++r->next_visitor;
    }
}

int requests_init(struct requests *r)
{
    r->visitors = calloc(r->n_visitors, sizeof(*r->visitors));
    for (unsigned i = 0; r->visitors && i < r->n_visitors; i++) { /* some are about to go */
        visitor_come(r, &r->visitors[i]);
        r->visitors[i].left = 1 + (unsigned)(random_next(&r->random) % r->visit_events);
    }
    return r->visitors ? STATUS_OK : ERR_NO_MEMORY;
}

void requests_deinit(struct requests *r)
{
    free(r->visitors);
    r->visitors = NULL;
}

void request_deinit(struct request *request)
{
    buf_deinit(&request->text);
    free(request->places);
    request->places = NULL;
}

/* Where the text ends with `width` digits or letters that will change, and `after` closing characters. */
static size_t place(const struct buf *text, size_t width, size_t after)
{
    return text->size - width - after;
}

static void add_event(struct requests *r, struct buf *text, struct event_places *places)
{
    unsigned product = (unsigned)(random_next(&r->random) % SHOP_PRODUCTS);
    const char *name = shop_event(random_next(&r->random));
    buf_printf(text, "{\"type\":\"track\",\"event\":\"%s\",\"messageId\":\"m-%08x-%0*d\"", name,
               r->run, MESSAGE_DIGITS, 0);
    places->message = place(text, MESSAGE_DIGITS, 1);
    buf_printf(text, ",\"anonymousId\":\"d-%08x-%0*d\"", r->run, DEVICE_DIGITS, 0);
    places->device = place(text, RUN_DIGITS + 1 + DEVICE_DIGITS, 1);
    if (r->population) {
        buf_printf(text, ",\"sessionId\":%-*s", SESSION_WIDTH, "\"\"");
        places->session = place(text, SESSION_WIDTH, 0);
    }
    buf_append_str(text, ",\"timestamp\":\"" NO_TIME "\"");
    places->time = place(text, TIME_WIDTH, 1);
    buf_append_str(text, ",\"properties\":");
    shop_properties(text, product, r->extras);
    buf_append_str(text, ",\"context\":");
    shop_context(text, product, r->extras);
    buf_append_byte(text, '}');
}

static void add_head(const struct requests *r, struct buf *text, const char *line, const char *key,
                     size_t body)
{
    (void)r;
    buf_printf(text,
               "%s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: "
               "application/json\r\nContent-Length: %zu\r\n\r\n",
               line, key, body);
}

/* The connection's request as it will always be, but for the places. */
static int build_events(struct requests *r, struct request *request)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    unsigned n = r->mode == REQUEST_BATCH ? r->batch : 1;
    request->places = calloc(n, sizeof(*request->places));
    if (!request->places)
        return ERR_NO_MEMORY;
    if (r->mode == REQUEST_BATCH) {
        buf_append_str(&body, "{\"sentAt\":\"" NO_TIME "\",\"batch\":[");
        request->sent_at = sizeof("{\"sentAt\":\"") - 1;
    }
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buf_append_byte(&body, ',');
        add_event(r, &body, &request->places[i]);
    }
    if (r->mode == REQUEST_BATCH)
        buf_append_str(&body, "]}");
    add_head(r, &request->text, r->mode == REQUEST_BATCH ? "POST /v1/batch" : "POST /v1/track",
             r->write_key, body.size);
    size_t head = request->text.size;
    for (unsigned i = 0; i < n; i++) {
        request->places[i].message += head;
        request->places[i].device += head;
        request->places[i].session += request->places[i].session ? head : 0;
        request->places[i].time += head;
    }
    request->sent_at += request->sent_at ? head : 0;
    buf_append_slice(&request->text, buf_slice(&body));
    request->kind = REQUEST_EVENTS;
    request->events = n;
    return request->text.overflow ? ERR_NO_MEMORY : STATUS_OK;
}

static void put_digits(uint8_t *at, unsigned width, uint64_t number)
{
    for (unsigned i = width; i-- > 0; number /= 10)
        at[i] = (uint8_t)('0' + number % 10);
}

static void put_device(uint8_t *at, const struct visitor *visitor)
{
    char run[RUN_DIGITS + 1];
    (void)snprintf(run, sizeof(run), "%08x", visitor->run);
    memcpy(at, run, RUN_DIGITS);
    put_digits(at + RUN_DIGITS + 1, DEVICE_DIGITS, visitor->number);
}

/* An empty text names none. */
static void put_session(uint8_t *at, const struct visitor *visitor)
{
    char id[POPULATION_ID_SIZE], text[SESSION_WIDTH + 1];
    bool names = visitor->run == POPULATION_RUN && visitor->number % 2 == 0;
    if (names)
        population_session(id, visitor->number);
    (void)snprintf(text, sizeof(text), names ? "\"%s\"" : "\"\"%32s", names ? id : "");
    memcpy(at, text, SESSION_WIDTH);
}

static void patch_events(struct requests *r, struct request *request, int64_t now_us)
{
    char time[TIME_TEXT_SIZE];
    uint8_t *text = request->text.data;
    time_format(time, now_us / 1000 * 1000);
    if (request->sent_at)
        memcpy(text + request->sent_at, time, TIME_WIDTH);
    for (unsigned i = 0; i < request->events; i++) {
        const struct event_places *places = &request->places[i];
        struct visitor *visitor = &r->visitors[random_next(&r->random) % r->n_visitors];
        if (visitor->left == 0)
            visitor_come(r, visitor);
        visitor->left--;
        memcpy(text + places->time, time, TIME_WIDTH);
        put_digits(text + places->message, MESSAGE_DIGITS, ++r->next_message);
        put_device(text + places->device, visitor);
        if (places->session)
            put_session(text + places->session, visitor);
    }
}

/* A start and a stage in turn; until sessions are old enough, starts alone. */
static void write_command(struct requests *r, struct request *request)
{
    char line[160], body[500];
    int size;
    buf_reset(&request->text);
    if (r->next_start < r->next_stage + r->lag) {
        size =
            snprintf(body, sizeof(body),
                     "{\"session_id\":\"s-%08x-%llu\",\"persona\":{\"type\":\"TechEarlyAdopter\","
                     "\"confidence\":0.85},\"device_context\":{\"type\":\"mobile\",\"screen_size\":"
                     "\"375x812\",\"user_agent\":\"" SHOP_AGENT
                     "\"},\"entry_point\":{\"source\":\"tiktok\"}}",
                     r->run, (unsigned long long)r->next_start++);
        request->kind = REQUEST_START;
        add_head(r, &request->text, "POST /api/journey/sessions/start", r->write_key, (size_t)size);
    } else {
        size = snprintf(body, sizeof(body),
                        "{\"new_stage\":\"consideration\",\"trigger_event\":"
                        "\"product_gallery_viewed\"}");
        char id[POPULATION_ID_SIZE];
        (void)snprintf(id, sizeof(id), "s-%08x-%llu", r->run, (unsigned long long)r->next_stage++);
        if (returns(r)) /* one that is open */
            population_session(id, random_next(&r->random) % (r->population / POPULATION_OPEN) *
                                       POPULATION_OPEN);
        (void)snprintf(line, sizeof(line), "PUT /api/journey/sessions/%s/stage", id);
        request->kind = REQUEST_STAGE;
        add_head(r, &request->text, line, r->secret_key, (size_t)size);
    }
    buf_append(&request->text, body, (size_t)size);
    request->events = 1;
}

int requests_next(struct requests *r, struct request *request, int64_t now_us)
{
    if (r->mode == REQUEST_COMMANDS) {
        write_command(r, request);
        return request->text.overflow ? ERR_NO_MEMORY : STATUS_OK;
    }
    int status = request->places ? STATUS_OK : build_events(r, request);
    if (!status)
        patch_events(r, request, now_us);
    return status;
}
