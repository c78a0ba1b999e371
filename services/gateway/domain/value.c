/* Members of a body as values: money, texts, times, objects without a member. */
#include "schema.h"

#include <stdio.h>

#define MONEY_MAX_CENTS INT64_C(9999999999) /* decimal(10,2) */

size_t gw_characters(struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++)
        n += (text.data[i] & 0xc0) != 0x80;
    return n;
}

const char *gw_text(const struct json_node *node, struct arena *arena)
{
    return json_is(node, JSON_STRING) ? gw_text_of(json_string(node, arena), arena) : NULL;
}

const char *gw_text_of(struct slice text, struct arena *arena)
{
    size_t nuls = 0;
    for (size_t i = 0; i < text.size; i++)
        nuls += text.data[i] == 0;
    char *out = arena_alloc(arena, text.size + 2 * nuls + 1);
    if (!out)
        return NULL;
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i]) {
            out[size++] = (char)text.data[i];
        } else {
            memcpy(out + size, "\xef\xbf\xbd", 3);
            size += 3;
        }
    }
    return out;
}

int64_t gw_time(const struct json_node *node, int64_t otherwise, struct arena *arena)
{
    int64_t time_us = 0;
    struct slice text = json_string(node, arena);
    return text.data && time_parse(&time_us, NULL, text) >= 0 ? time_us : otherwise;
}

/* Digits with at most one point, no sign, no exponent: cents, exact. */
static int cents_of_decimal(int64_t *cents, struct slice text)
{
    int64_t value = 0;
    int decimals = -1; /* seen after the point */
    unsigned digits = 0;
    bool up = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (c < '0' || c > '9')
            return ERR_INVALID;
        digits++;
        if (decimals == 2)
            up = c >= '5';
        if (decimals < 2)
            value = value * 10 + (c - '0');
        if (decimals >= 0)
            decimals++;
        if (value > MONEY_MAX_CENTS)
            return ERR_INVALID;
    }
    if (digits == 0 || decimals == 0)
        return ERR_INVALID;
    for (int d = decimals < 0 ? 0 : decimals; d < 2; d++)
        value *= 10;
    *cents = value + up;
    return 0;
}

int gw_money(char out[GW_MONEY_SIZE], const struct json_node *node, struct arena *arena)
{
    struct slice text = slice_make(NULL, 0);
    if (json_is(node, JSON_STRING))
        text = json_string(node, arena);
    else if (json_is(node, JSON_NUMBER))
        text = node->raw;
    int64_t cents = 0;
    if (cents_of_decimal(&cents, text) < 0) {
        /* 1e3, -0: as a double, which holds every amount of this range exactly enough */
        double value = 0;
        if (!json_is(node, JSON_NUMBER) || json_double(node, &value) < 0 || value < 0 ||
            value > (double)MONEY_MAX_CENTS / 100)
            return ERR_INVALID;
        cents = (int64_t)(value * 100 + 0.5);
    }
    if (cents > MONEY_MAX_CENTS)
        return ERR_INVALID;
    (void)snprintf(out, GW_MONEY_SIZE, "%lld.%02lld", (long long)(cents / 100),
                   (long long)(cents % 100));
    return 0;
}

static bool key_is(const struct json_node *node, const char *name, struct arena *arena)
{
    if (!node->key_escaped)
        return slice_equal_str(node->key, name);
    /* decoded as the string that it is: the quotes stand around the key in the text */
    struct json_node key = {.type = JSON_STRING,
                            .raw = slice_make(node->key.data - 1, node->key.size + 2),
                            .escaped = true};
    return slice_equal_str(json_string(&key, arena), name);
}

struct slice gw_object_without(const struct json_node *node, const char *member,
                               struct arena *arena)
{
    if (!json_is(node, JSON_OBJECT))
        return slice_make(NULL, 0);
    if (!json_get(node, member))
        return node->raw;
    uint8_t *out = arena_alloc(arena, node->raw.size);
    if (!out)
        return slice_make(NULL, 0);
    size_t size = 0;
    out[size++] = '{';
    for (const struct json_node *child = node->child; child; child = child->next) {
        if (key_is(child, member, arena))
            continue;
        if (size > 1)
            out[size++] = ',';
        out[size++] = '"';
        memcpy(out + size, child->key.data, child->key.size);
        size += child->key.size;
        out[size++] = '"';
        out[size++] = ':';
        memcpy(out + size, child->raw.data, child->raw.size);
        size += child->raw.size;
    }
    out[size++] = '}';
    return slice_make(out, size);
}
