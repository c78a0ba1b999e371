/* The writer: appends to a buf and sets commas by itself; it does not check that brackets match. */
#include "json.h"
#include "scan.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void write_comma(struct json_writer *w)
{
    if (w->comma)
        buf_append_byte(w->buf, ',');
    w->comma = true;
}

static void write_token(struct json_writer *w, const char *text)
{
    write_comma(w);
    buf_append_str(w->buf, text);
}

static void write_open(struct json_writer *w, uint8_t bracket)
{
    write_comma(w);
    buf_append_byte(w->buf, bracket);
    w->comma = false;
}

static void write_close(struct json_writer *w, uint8_t bracket)
{
    buf_append_byte(w->buf, bracket);
    w->comma = true;
}

void json_begin_object(struct json_writer *w)
{
    write_open(w, '{');
}

void json_end_object(struct json_writer *w)
{
    write_close(w, '}');
}

void json_begin_array(struct json_writer *w)
{
    write_open(w, '[');
}

void json_end_array(struct json_writer *w)
{
    write_close(w, ']');
}

static void write_escaped(struct buf *buf, uint8_t c)
{
    static const char shorts[128] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                     ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    static const char hex[16] = "0123456789abcdef";
    if (shorts[c]) {
        const char pair[2] = {'\\', shorts[c]};
        buf_append(buf, pair, sizeof(pair));
    } else {
        const char unicode[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        buf_append(buf, unicode, sizeof(unicode));
    }
}

static void write_string(struct buf *buf, struct slice text)
{
    buf_append_byte(buf, '"');
    const uint8_t *at = text.data, *end = text.size ? text.data + text.size : text.data;
    while (at < end && !buf->overflow) {
        const uint8_t *plain = at;
        at = scan_plain(at, end);
        if (at < end && *at >= 0x80) /* goes out as it is, with the plain text before it */
            at += utf8_run(at, (size_t)(end - at));
        buf_append(buf, plain, (size_t)(at - plain));
        if (at == end || !scan_special(*at))
            continue;
        if (*at < 0x80) {
            write_escaped(buf, *at++);
        } else { /* no run: not UTF-8 */
            buf_append_str(buf, "\xef\xbf\xbd");
            at++;
        }
    }
    buf_append_byte(buf, '"');
}

void json_key(struct json_writer *w, const char *key)
{
    write_comma(w);
    write_string(w->buf, slice_str(key));
    buf_append_byte(w->buf, ':');
    w->comma = false;
}

void json_write_slice(struct json_writer *w, struct slice text)
{
    write_comma(w);
    write_string(w->buf, text);
}

void json_write_str(struct json_writer *w, const char *text)
{
    if (text)
        json_write_slice(w, slice_str(text));
    else
        json_write_null(w);
}

void json_write_int(struct json_writer *w, int64_t value)
{
    write_comma(w);
    buf_printf(w->buf, "%lld", (long long)value);
}

/* printf's 1e+05 and 1e-07 as 1e5 and 1e-7 */
static void shorten_exponent(char *text)
{
    char *to = strchr(text, 'e');
    if (!to)
        return;
    const char *from = ++to;
    if (*from == '-')
        *to++ = *from;
    from++;
    while (*from == '0')
        from++;
    memmove(to, from, strlen(from) + 1);
}

void json_write_double(struct json_writer *w, double value)
{
    char text[40];
    if (!isfinite(value)) {
        json_write_null(w);
        return;
    }
    if (fabs(value) <= 0x1p53 && value == trunc(value) && !(value == 0 && signbit(value))) {
        json_write_int(w, (int64_t)value);
        return;
    }
    /* any text of 15 digits survives a double, so fewer need not be tried, except where doubles
     * thin out */
    int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG;
    do {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
    } while (digits++ < DBL_DECIMAL_DIG && strtod(text, NULL) != value);
    shorten_exponent(text);
    write_token(w, text);
}

void json_write_bool(struct json_writer *w, bool value)
{
    write_token(w, value ? "true" : "false");
}

void json_write_null(struct json_writer *w)
{
    write_token(w, "null");
}

void json_write_raw(struct json_writer *w, struct slice json)
{
    if (json.size == 0) {
        json_write_null(w);
        return;
    }
    write_comma(w);
    buf_append_slice(w->buf, json);
}

void json_write_time(struct json_writer *w, int64_t time_us)
{
    if (time_us == TIME_NONE) {
        json_write_null(w);
        return;
    }
    char text[TIME_TEXT_SIZE];
    time_format(text, time_us);
    json_write_str(w, text);
}
