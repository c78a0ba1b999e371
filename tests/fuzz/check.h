#pragma once
/* What must hold of what a decoder makes: else the input is a finding. */
#include "json.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(bool holds)
{
    if (!holds)
        abort();
}

static inline void check_json(struct slice json)
{
    struct json_reader r = json_reader_make(json, NULL);
    struct slice raw;
    check(json_reader_value(&r, &raw) >= 0 && json_reader_done(&r));
}

/* Or nothing. */
static inline void check_object(struct slice json)
{
    struct json_reader r = json_reader_make(json, NULL);
    if (!json.size)
        return;
    check(json_reader_type(&r) == JSON_OBJECT);
    check_json(json);
}

/* A byte off the front, for what is to be tried; 0 of nothing. */
static inline unsigned take_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    (*size)--;
    return *(*data)++;
}

/* The next of several texts, each ended by a NUL. */
static inline struct slice take_text(struct slice *rest)
{
    if (!rest->size)
        return slice_make(NULL, 0);
    const uint8_t *end = memchr(rest->data, 0, rest->size);
    size_t size = end ? (size_t)(end - rest->data) : rest->size;
    struct slice text = slice_make(rest->data, size);
    size_t taken = end ? size + 1 : size;
    *rest = slice_make(rest->data + taken, rest->size - taken);
    return text;
}
