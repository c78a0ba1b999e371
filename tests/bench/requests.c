#include "requests.h"

#include <stdio.h>
#include <stdlib.h>

#define AGENT                                                                                      \
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "             \
    "Chrome/126.0.0.0 Mobile Safari/537.36"
#define NO_TIME "1970-01-01T00:00:00.000Z"

enum {
    MESSAGE_DIGITS = 12,
    DEVICE_DIGITS = 10,
    TIME_WIDTH = sizeof(NO_TIME) - 1
};

static const char *const names[] = {"Product Viewed", "Product List Viewed", "Product Clicked",
                                    "Products Searched", "Product Added"};

int requests_init(struct requests *r)
{
    r->visitors = calloc(r->n_visitors, sizeof(*r->visitors));
    for (unsigned i = 0; r->visitors && i < r->n_visitors; i++) /* some are about to go */
        r->visitors[i] =
            (struct visitor){.number = ++r->next_visitor,
                             .left = 1 + (unsigned)(random_next(&r->random) % r->visit_events)};
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
    unsigned product = (unsigned)(random_next(&r->random) % 100000);
    const char *name = names[random_next(&r->random) % ARRAY_SIZE(names)];
    buf_printf(text, "{\"type\":\"track\",\"event\":\"%s\",\"messageId\":\"m-%08x-%0*d\"", name,
               r->run, MESSAGE_DIGITS, 0);
    places->message = place(text, MESSAGE_DIGITS, 1);
    buf_printf(text, ",\"anonymousId\":\"d-%08x-%0*d\"", r->run, DEVICE_DIGITS, 0);
    places->device = place(text, DEVICE_DIGITS, 1);
    buf_append_str(text, ",\"timestamp\":\"" NO_TIME "\"");
    places->time = place(text, TIME_WIDTH, 1);
    buf_printf(
        text,
        ",\"properties\":{\"product_id\":\"p-%05u\",\"name\":\"Product number %05u\",\"brand\":"
        "\"Brand %u\",\"category\":\"category-%u\",\"price\":%u.%02u,\"currency\":\"EUR\","
        "\"quantity\":1},\"context\":{\"page\":{\"url\":\"https://shop.example/products/%05u\","
        "\"path\":\"/products/%05u\",\"title\":\"Product number %05u\",\"referrer\":\"\"},"
        "\"userAgent\":\"" AGENT "\",\"locale\":\"en-GB\"}}",
        product, product, product % 90, product % 40, product % 300, product % 100, product,
        product, product);
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
            *visitor = (struct visitor){.number = ++r->next_visitor, .left = r->visit_events};
        visitor->left--;
        memcpy(text + places->time, time, TIME_WIDTH);
        put_digits(text + places->message, MESSAGE_DIGITS, ++r->next_message);
        put_digits(text + places->device, DEVICE_DIGITS, visitor->number);
    }
}

/* A start and a stage in turn; until sessions are old enough, starts alone. */
static void write_command(struct requests *r, struct request *request)
{
    char line[160], body[500];
    int size;
    buf_reset(&request->text);
    if (r->next_start < r->next_stage + r->lag) {
        size = snprintf(
            body, sizeof(body),
            "{\"session_id\":\"s-%08x-%llu\",\"persona\":{\"type\":\"TechEarlyAdopter\","
            "\"confidence\":0.85},\"device_context\":{\"type\":\"mobile\",\"screen_size\":"
            "\"375x812\",\"user_agent\":\"" AGENT "\"},\"entry_point\":{\"source\":\"tiktok\"}}",
            r->run, (unsigned long long)r->next_start++);
        request->kind = REQUEST_START;
        add_head(r, &request->text, "POST /api/journey/sessions/start", r->write_key, (size_t)size);
    } else {
        size = snprintf(body, sizeof(body),
                        "{\"new_stage\":\"consideration\",\"trigger_event\":"
                        "\"product_gallery_viewed\"}");
        (void)snprintf(line, sizeof(line), "PUT /api/journey/sessions/s-%08x-%llu/stage", r->run,
                       (unsigned long long)r->next_stage++);
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
