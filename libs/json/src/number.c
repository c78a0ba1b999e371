/* Numbers: the text as decimal digits and an exponent, and from there to a double or a whole
 * number. */
#include "json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Past this many digits only whether a digit that is not 0 follows can matter to a double (its
 * middle points have 767). */
#define DIGITS_MAX 768

/* digits * 10^exponent, without zeros at either end; no digits: zero */
struct decimal {
    bool negative;
    size_t n;
    int64_t exponent;
    char digits[DIGITS_MAX + 32]; /* room for one more digit and the exponent's text */
};

static int64_t decimal_exponent(const uint8_t *p, const uint8_t *end)
{
    bool negative = p < end && *p == '-';
    int64_t value = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end; p++)
        if (value <
            INT64_C(1000000000000)) /* far past any double; a text has fewer digits than that */
            value = value * 10 + (*p - '0');
    return negative ? -value : value;
}

static void decimal_read(struct decimal *d, struct slice raw)
{
    const uint8_t *p = raw.data, *end = raw.data + raw.size;
    bool fraction = false, rest = false;
    d->n = 0;
    d->exponent = 0;
    d->negative = *p == '-';
    for (p += d->negative; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        bool kept = d->n < DIGITS_MAX;
        if (!kept)
            rest |= *p != '0';
        else if (d->n || *p != '0')
            d->digits[d->n++] = (char)*p;
        d->exponent += (kept ? 0 : 1) - (fraction ? 1 : 0);
    }
    if (rest) {
        d->digits[d->n++] = '1';
        d->exponent--;
    }
    for (; d->n && d->digits[d->n - 1] == '0'; d->n--)
        d->exponent++;
    if (p < end)
        d->exponent += decimal_exponent(p + 1, end);
}

/* of at most 18 digits */
static int64_t decimal_whole(const struct decimal *d)
{
    int64_t value = 0;
    for (size_t i = 0; i < d->n; i++)
        value = value * 10 + (d->digits[i] - '0');
    return value;
}

int json_double(const struct json_node *node, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (!json_is(node, JSON_NUMBER))
        return ERR_INVALID;
    struct decimal d;
    decimal_read(&d, node->raw);
    double value;
    if (d.n <= 15 && d.exponent >= -22 && d.exponent <= 22) {
        /* both sides are exact doubles, so one operation rounds right (Clinger) */
        value = (double)decimal_whole(&d);
        value = d.exponent < 0 ? value / powers[-d.exponent] : value * powers[d.exponent];
    } else if (d.n == 0) {
        value = 0;
    } else {
        long long exponent = max_i64(min_i64(d.exponent, 99999), -99999);
        (void)snprintf(d.digits + d.n, sizeof(d.digits) - d.n, "e%lld", exponent);
        value = strtod(d.digits, NULL);
    }
    if (!isfinite(value))
        return ERR_INVALID;
    *out = d.negative ? -value : value;
    return STATUS_OK;
}

int json_int(const struct json_node *node, int64_t *out)
{
    if (!json_is(node, JSON_NUMBER))
        return ERR_INVALID;
    struct decimal d;
    decimal_read(&d, node->raw);
    if (d.n && (d.exponent < 0 || (int64_t)d.n + d.exponent > 16)) /* 2^53 has 16 digits */
        return ERR_INVALID;
    int64_t value = decimal_whole(&d);
    for (int64_t i = 0; d.n && i < d.exponent; i++)
        value *= 10;
    if (value > INT64_C(1) << 53)
        return ERR_INVALID;
    *out = d.negative ? -value : value;
    return STATUS_OK;
}
