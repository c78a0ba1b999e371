#include "credentials.h"

#include <strings.h>

bool gw_key_plausible(struct slice key)
{
    for (size_t i = 0; i < key.size; i++)
        if (key.data[i] <= ' ' || key.data[i] >= 127)
            return false;
    return key.size >= 1 && key.size <= GW_MAX_KEY_TEXT;
}

static struct slice trimmed(const char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return slice_make(text, size);
}

/* The user name of user:password; SDKs put the key there and leave the password empty. */
static struct slice basic_user(struct slice encoded, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {.limit = 1024};
    if (encoded.size > 1024 || base64_decode(&buf, encoded) < 0 || buf.size == 0)
        return slice_make(NULL, 0);
    const uint8_t *colon = buf.data[buf.size - 1] == ':' /* a key may hold one */
                               ? buf.data + buf.size - 1
                               : memchr(buf.data, ':', buf.size);
    size_t size = colon ? (size_t)(colon - buf.data) : buf.size;
    return arena_slice(arena, slice_make(buf.data, size));
}

struct slice gw_key_text(const char *authorization, const char *x_api_key, struct arena *arena)
{
    struct slice key = slice_make(NULL, 0);
    if (authorization && strncasecmp(authorization, "Basic ", 6) == 0)
        key = basic_user(trimmed(authorization + 6), arena);
    else if (authorization && strncasecmp(authorization, "Bearer ", 7) == 0)
        key = trimmed(authorization + 7);
    if (!gw_key_plausible(key) && x_api_key)
        key = trimmed(x_api_key);
    return gw_key_plausible(key) ? key : slice_make(NULL, 0);
}

static bool lower_hex(const char *text, size_t size)
{
    bool zero = true;
    for (size_t i = 0; i < size; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
        zero = zero && text[i] == '0';
    }
    return !zero; /* all zeros is no id */
}

static bool traceparent_valid(const char *text)
{
    return text && strlen(text) == GW_TRACEPARENT_SIZE - 1 && strncmp(text, "00-", 3) == 0 &&
           lower_hex(text + 3, 32) && text[35] == '-' && lower_hex(text + 36, 16) &&
           text[52] == '-' && strspn(text + 53, "0123456789abcdef") == 2;
}

void gw_traceparent(char out[GW_TRACEPARENT_SIZE], const char *header, const uint8_t random[24])
{
    if (traceparent_valid(header)) {
        memcpy(out, header, GW_TRACEPARENT_SIZE);
        return;
    }
    memcpy(out, "00-", 3);
    hex_format(out + 3, random, 16);
    out[35] = '-';
    hex_format(out + 36, random + 16, 8);
    memcpy(out + 52, "-01", 4);
}
