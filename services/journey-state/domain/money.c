#include "money.h"

#include <stdio.h>

/* Digits beyond this place before the point do not fit, beyond it after the point do not count. */
#define PLACES   8
#define EXPONENT 1000000

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static struct slice trim(struct slice s)
{
    while (s.size && s.data[0] == ' ')
        s = slice_make(s.data + 1, s.size - 1);
    while (s.size && s.data[s.size - 1] == ' ')
        s.size--;
    return s;
}

/* e-3 at the end of text, from its e on; false: malformed */
static bool read_exponent(struct slice s, int64_t *exponent)
{
    size_t at = 1;
    bool negative = at < s.size && s.data[at] == '-';
    if (at < s.size && (s.data[at] == '-' || s.data[at] == '+'))
        at++;
    if (at == s.size)
        return false;
    for (*exponent = 0; at < s.size; at++) {
        if (!is_digit(s.data[at]))
            return false;
        *exponent = min_i64(*exponent * 10 + (s.data[at] - '0'), EXPONENT);
    }
    if (negative)
        *exponent = -*exponent;
    return true;
}

/* Digits with at most one point: how many stand before the point, and where they end. */
static bool read_shape(struct slice s, size_t *end, int64_t *before)
{
    size_t digits = 0, point = SIZE_MAX, at = 0;
    for (; at < s.size && (is_digit(s.data[at]) || s.data[at] == '.'); at++) {
        if (s.data[at] != '.')
            digits++;
        else if (point == SIZE_MAX)
            point = digits;
        else
            return false;
    }
    *end = at;
    *before = (int64_t)(point == SIZE_MAX ? digits : point);
    return digits > 0 && (at == s.size || s.data[at] == 'e' || s.data[at] == 'E');
}

int money_parse(int64_t *cents, struct slice text)
{
    static const int64_t tens[] = {1,      10,      100,      1000,      10000,
                                   100000, 1000000, 10000000, 100000000, 1000000000};
    struct slice s = trim(text);
    bool negative = s.size && s.data[0] == '-';
    if (s.size && (s.data[0] == '-' || s.data[0] == '+'))
        s = slice_make(s.data + 1, s.size - 1);
    size_t end;
    int64_t place, exponent = 0, value = 0;
    if (!read_shape(s, &end, &place))
        return ERR_INVALID;
    if (end < s.size && !read_exponent(slice_make(s.data + end, s.size - end), &exponent))
        return ERR_INVALID;
    place += exponent; /* 1: the ones stand next */
    for (size_t at = 0; at < end; at++) {
        if (s.data[at] == '.')
            continue;
        int digit = s.data[at] - '0';
        place--;
        if (digit && place >= PLACES)
            return ERR_TOO_LARGE;
        if (digit && place >= -2)
            value += digit * tens[place + 2];
        else if (place == -3 && digit >= 5)
            value++;
    }
    if (value > MONEY_MAX)
        return ERR_TOO_LARGE;
    *cents = negative ? -value : value;
    return STATUS_OK;
}

void money_format(char out[MONEY_TEXT_SIZE], int64_t cents)
{
    int64_t size = cents < 0 ? -cents : cents;
    (void)snprintf(out, MONEY_TEXT_SIZE, "%s%lld.%02lld", cents < 0 ? "-" : "",
                   (long long)(size / 100), (long long)(size % 100));
}
