/* redis://[[user]:password@]host[:port][/database], user and password percent-encoded. */
#include "url.h"
#include <stdlib.h>

static int bad(struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                   "redis: %s; a URL is redis://[[user]:password@]host[:port][/database]", what);
}

static int copy(char *out, size_t size, struct slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '%' && i + 2 < text.size &&
            hex_parse(&c, 1, slice_make(&text.data[i + 1], 2)) == 0)
            i += 2;
        if (n + 1 >= size || c == 0)
            return ERR_TOO_LARGE;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return STATUS_OK;
}

/* Splits *text at the first (or last) mark: returns what is before it, *text becomes what is after.
 * Without the mark: nothing before (false). */
static bool split(struct slice *text, char mark, bool last, struct slice *before)
{
    const uint8_t *at = !text->size ? NULL
                        : last      ? memrchr(text->data, mark, text->size)
                                    : memchr(text->data, mark, text->size);
    if (!at)
        return false;
    size_t n = (size_t)(at - text->data);
    *before = slice_make(text->data, n);
    *text = slice_make(at + 1, text->size - n - 1);
    return true;
}

static int number(struct slice text, int max, int *out)
{
    int value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || value > max / 10)
            return ERR_INVALID;
        value = value * 10 + (text.data[i] - '0');
    }
    if (text.size == 0 || value > max)
        return ERR_INVALID;
    *out = value;
    return STATUS_OK;
}

static int parse_credentials(struct redis_url *url, struct slice credentials)
{
    struct slice user = slice_make("", 0);
    (void)split(&credentials, ':', false, &user);
    return copy(url->user, sizeof(url->user), user) < 0 ||
                   copy(url->password, sizeof(url->password), credentials) < 0
               ? ERR_INVALID
               : STATUS_OK;
}

int redis_url_parse(struct redis_url *out, const char *text, struct err *err)
{
    struct redis_url url = {.port = 6379};
    struct slice rest = slice_str(text), credentials, host, path;
    if (strncmp(text, "redis://", 8) != 0)
        return bad(err, strncmp(text, "rediss://", 9) == 0 ? "TLS is not spoken here"
                                                           : "the scheme is not redis");
    rest = slice_make(rest.data + 8, rest.size - 8);
    if (split(&rest, '@', true, &credentials) && parse_credentials(&url, credentials) < 0)
        return bad(err, "user or password is too long");
    path = rest;
    host = rest;
    if (!split(&path, '/', false, &host))
        path = slice_make("", 0);
    if (path.size && number(path, 1 << 20, &url.database) < 0)
        return bad(err, "the database is no number");
    struct slice port = host, name = host;
    if (split(&port, ':', true, &name) && (number(port, 65535, &url.port) < 0 || url.port == 0))
        return bad(err, "the port is none");
    if (name.size == 0 || copy(url.host, sizeof(url.host), name) < 0)
        return bad(err, "the host is missing or too long");
    *out = url;
    return STATUS_OK;
}
