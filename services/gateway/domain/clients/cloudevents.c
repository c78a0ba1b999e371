/*
 * CloudEvents 1.0 over HTTP, told by the request's head: structured (one JSON document), batched (a list of them), or
 * binary, whose attributes are headers and whose body is the data. A binary one is made into the document it would have
 * been, so that all three have one form.
 */
#include "../clients.h"
#include "../event.h"
#include "../query.h"

#include <strings.h>

#define STRUCTURED "application/cloudevents+json"
#define BATCHED    "application/cloudevents-batch+json"
#define ANY        "application/cloudevents"

#define SOURCE      GW_FACT_EXTRA_1
#define SUBJECT     GW_FACT_EXTRA_2
#define DATA_BASE64 GW_FACT_EXTRA_3
#define VERSION     GW_FACT_EXTRA_4

static const struct gw_row rows[] = {
    {GW_FACT_MESSAGE_ID, "id"},
    {SOURCE, "source"},
    {VERSION, "specversion"},
    {GW_FACT_NAME, "type"},
    {GW_FACT_TIMESTAMP, "time"},
    {SUBJECT, "subject"},
    {GW_FACT_ANONYMOUS_ID, "anonymousid"},
    {GW_FACT_USER_ID, "userid"},
    {GW_FACT_SESSION_ID, "sessionid"},
    {GW_FACT_PROPERTIES, "data"},
    {DATA_BASE64, "data_base64"},
};

static bool finish(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena);

const struct gw_form gw_cloudevents_form = {
    .rows = rows,
    .n_rows = ARRAY_SIZE(rows),
    .finish = finish,
};

/* Attributes that travel as headers of a binary event, beside Content-Type. */
static const char *const attributes[] = {
    "id", "source", "specversion", "type", "time", "subject", "anonymousid", "userid", "sessionid"};

/* ---- the event ---- */

/* An id is one of its source's; a source is an URI, so that a space cannot be part of it. */
static void join_id(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena)
{
    struct slice id = json_raw_string(facts->at[GW_FACT_MESSAGE_ID], arena);
    struct slice source = json_raw_string(facts->at[SOURCE], arena);
    _cleanup_(buf_deinit) struct buf text = {0}, json = {0};
    uint8_t hash[32];
    char hex[2 * sizeof(hash) + 1];
    if (!id.size)
        gw_fault_add(faults, "id", "required", "is required");
    if (!source.size)
        gw_fault_add(faults, "source", "required", "is required");
    if (!id.size || !source.size)
        return;
    buf_append_slice(&text, source);
    buf_append_byte(&text, ' ');
    buf_append_slice(&text, id);
    struct json_writer w = json_writer_make(&json);
    if (text.size > GW_MAX_MESSAGE_ID) {
        hash_sha256(hash, buf_slice(&text));
        hex_format(hex, hash, sizeof(hash));
        json_write_str(&w, hex);
    } else {
        json_write_slice(&w, buf_slice(&text));
    }
    facts->at[GW_FACT_MESSAGE_ID] = arena_slice(arena, buf_slice(&json));
}

static struct slice wrapped(const char *name, struct slice raw, struct arena *arena)
{
    return slice_str(
        arena_printf(arena, "{\"%s\":%.*s}", name, (int)raw.size, (const char *)raw.data));
}

/* The decoded bytes, where they are a JSON object. */
static struct slice object_in(struct slice raw, struct gw_faults *faults, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct slice text = json_raw_string(raw, arena), whole;
    if (!text.data || base64_decode(&buf, text) < 0) {
        gw_fault_add(faults, "data_base64", "invalid_base64", "must be base64");
        return slice_make(NULL, 0);
    }
    struct json_reader r = json_reader_make(buf_slice(&buf), NULL);
    bool object = json_reader_type(&r) == JSON_OBJECT && json_reader_value(&r, &whole) >= 0 &&
                  json_reader_done(&r);
    return object ? arena_slice(arena, whole) : slice_make(NULL, 0);
}

/* Properties are an object: data that is none stands in one. */
static void take_data(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena)
{
    struct slice *properties = &facts->at[GW_FACT_PROPERTIES], encoded = facts->at[DATA_BASE64];
    if (!properties->size && encoded.size) {
        *properties = object_in(encoded, faults, arena);
        if (!properties->size)
            *properties = wrapped("data_base64", encoded, arena);
    } else if (properties->size && properties->data[0] != '{') {
        *properties = wrapped("data", *properties, arena);
    }
}

static bool finish(struct gw_facts *facts, struct gw_faults *faults, struct arena *arena)
{
    if (!slice_equal_str(json_raw_string(facts->at[VERSION], arena), "1.0"))
        gw_fault_add(faults, "specversion", facts->at[VERSION].size ? "not_allowed" : "required",
                     "must be 1.0");
    join_id(facts, faults, arena);
    take_data(facts, faults, arena);
    if (!facts->at[GW_FACT_ANONYMOUS_ID].size && !facts->at[GW_FACT_USER_ID].size &&
        !facts->at[GW_FACT_SESSION_ID].size)
        facts->at[GW_FACT_ANONYMOUS_ID] = facts->at[SUBJECT];
    return !arena_overflowed(arena);
}

/* ---- requests ---- */

static bool is_type(const char *header, const char *type)
{
    size_t size = strlen(type);
    return header && strncasecmp(header, type, size) == 0 &&
           (!header[size] || strchr("; \t", header[size]));
}

/* Percent-encoded, and by some clients quoted. */
static struct slice header_text(const char *header, struct arena *arena)
{
    struct slice text = slice_str(header);
    if (text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"') {
        uint8_t *out = arena_alloc(arena, text.size);
        size_t n = 0;
        for (size_t i = 1; out && i + 1 < text.size; i++) {
            if (text.data[i] == '\\' && i + 2 < text.size)
                i++;
            out[n++] = text.data[i];
        }
        text = slice_make(out, n);
    }
    return gw_percent_decode(text, false, arena);
}

static bool is_json(const char *type)
{
    size_t size = type ? strcspn(type, "; \t") : 0;
    return (size == 16 && strncasecmp(type, "application/json", 16) == 0) ||
           (size > 5 && strncasecmp(type + size - 5, "+json", 5) == 0);
}

static bool is_value(struct slice text)
{
    struct json_reader r = json_reader_make(text, NULL);
    struct slice whole;
    return json_reader_value(&r, &whole) >= 0 && json_reader_done(&r);
}

static void write_base64(struct json_writer *w, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    _cleanup_(buf_deinit) struct buf text = {0};
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t n = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;
        bits |= n > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= n > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        for (unsigned d = 0; d < 4; d++)
            buf_append_byte(&text, d <= n ? (uint8_t)digits[bits >> (18 - 6 * d) & 63] : '=');
    }
    json_write_slice(w, buf_slice(&text));
}

static void write_data(struct json_writer *w, const char *type, struct slice body)
{
    bool text = type && strncasecmp(type, "text/", 5) == 0;
    if (!body.size)
        return;
    if (!text && is_value(body)) {
        json_key(w, "data");
        json_write_raw(w, body);
    } else if (utf8_valid(body)) {
        json_key(w, "data");
        json_write_slice(w, body);
    } else {
        json_key(w, "data_base64");
        write_base64(w, body);
    }
}

static struct slice document_of(const struct gw_request *request, const char *type)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    json_begin_object(&w);
    for (unsigned i = 0; i < ARRAY_SIZE(attributes); i++) {
        const char *name = arena_printf(request->arena, "ce-%s", attributes[i]);
        const char *value = name ? request->header(request->handle, name) : NULL;
        if (!value)
            continue;
        json_key(&w, attributes[i]);
        json_write_slice(&w, header_text(value, request->arena));
    }
    write_data(&w, type, request->body);
    json_end_object(&w);
    return arena_slice(request->arena, buf_slice(&buf));
}

/* The whole body is a list. */
/* true: it is a CloudEvent, or several; *cut says whether they could be told. */
static bool cut_cloudevents(const struct gw_request *request, struct gw_cut *cut,
                            struct gw_faults *faults, bool *done)
{
    const char *type = request->header(request->handle, "Content-Type");
    cut->client = GW_CLIENT_CLOUDEVENTS;
    if (is_type(type, BATCHED)) {
        *done = gw_cut_array(request, request->body, cut, faults);
    } else if (is_type(type, STRUCTURED)) {
        *done = gw_cut_single(request, request->body, cut);
    } else if (type && strncasecmp(type, ANY, strlen(ANY)) == 0) {
        gw_fault_add(faults, "content-type", "not_allowed",
                     "CloudEvents are taken as JSON: " STRUCTURED " or " BATCHED);
        *done = false;
    } else if (request->header(request->handle, "ce-specversion")) {
        if (is_json(type) && request->body.size && !is_value(request->body)) {
            gw_fault_add(faults, "data", "invalid_json", "the body is not valid JSON");
            *done = false;
            return true;
        }
        struct slice document = document_of(request, type);
        *done = document.size && gw_cut_single(request, document, cut);
    } else {
        cut->client = GW_CLIENT_API;
        return false;
    }
    return true;
}

bool gw_cut_api_one(const struct gw_request *request, struct gw_cut *cut, struct gw_faults *faults)
{
    bool done;
    return cut_cloudevents(request, cut, faults, &done) ? done
                                                        : gw_cut_segment_one(request, cut, faults);
}

bool gw_cut_api_batch(const struct gw_request *request, struct gw_cut *cut,
                      struct gw_faults *faults)
{
    bool done;
    return cut_cloudevents(request, cut, faults, &done)
               ? done
               : gw_cut_segment_batch(request, cut, faults);
}
