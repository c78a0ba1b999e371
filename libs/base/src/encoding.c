/* Texts for bytes: UUIDs, hex, base64; and the check for UTF-8. */
#include "base.h"

static const char hex_digits[16] = "0123456789abcdef";

/* 0..15, or -1 */
static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void hex_format(char *out, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *out++ = hex_digits[data[i] >> 4];
        *out++ = hex_digits[data[i] & 15];
    }
    *out = '\0';
}

int hex_parse(uint8_t *out, size_t size, struct slice text)
{
    if (text.size % 2 || text.size / 2 != size)
        return ERR_INVALID;
    for (size_t i = 0; i < text.size; i++)
        if (hex_value(text.data[i]) < 0)
            return ERR_INVALID;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_value(text.data[2 * i]) * 16 + hex_value(text.data[2 * i + 1]));
    return STATUS_OK;
}

/* ---- UUIDs ---- */

static bool uuid_dash_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int uuid_parse(struct uuid *uuid, struct slice text)
{
    struct uuid result;
    if (text.size != UUID_TEXT_SIZE - 1)
        return ERR_INVALID;
    const uint8_t *p = text.data;
    for (size_t i = 0; i < sizeof(result.bytes); i++) {
        if (uuid_dash_before(i) && *p++ != '-')
            return ERR_INVALID;
        int high = hex_value(p[0]), low = hex_value(p[1]);
        if (high < 0 || low < 0)
            return ERR_INVALID;
        result.bytes[i] = (uint8_t)(high * 16 + low);
        p += 2;
    }
    *uuid = result;
    return STATUS_OK;
}

void uuid_format(char out[UUID_TEXT_SIZE], const uint8_t bytes[16])
{
    for (size_t i = 0; i < 16; i++) {
        if (uuid_dash_before(i))
            *out++ = '-';
        *out++ = hex_digits[bytes[i] >> 4];
        *out++ = hex_digits[bytes[i] & 15];
    }
    *out = '\0';
}

void uuid_from_hash(struct uuid *uuid, const uint8_t hash[16])
{
    memcpy(uuid->bytes, hash, sizeof(uuid->bytes));
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0f) | 0x80); /* version 8 */
    uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
}

void uuid_from_time(struct uuid *uuid, int64_t time_us, const uint8_t hash[16])
{
    int64_t ms = max_i64(time_us, 0) / 1000;
    uuid_from_hash(uuid, hash);
    for (unsigned i = 0; i < 6; i++)
        uuid->bytes[i] = (uint8_t)(ms >> (8 * (5 - i)));
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0f) | 0x70);
}

/* ---- base64 ---- */

/* 0..63, or -1 */
static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Only the one canonical spelling of some bytes is taken: bits left over at the end must be zero.
 */
int base64_decode(struct buf *out, struct slice text)
{
    size_t size = text.size;
    if (size && size % 4 == 0 && text.data[size - 1] == '=')
        size -= text.data[size - 2] == '=' ? 2 : 1;
    if (size % 4 == 1)
        return ERR_INVALID;
    for (size_t i = 0; i < size; i++)
        if (base64_value(text.data[i]) < 0)
            return ERR_INVALID;
    static const int loose_bits[4] = {0, 0, 15, 3};
    if (size && (base64_value(text.data[size - 1]) & loose_bits[size % 4]))
        return ERR_INVALID;
    uint8_t *to = buf_extend(out, size / 4 * 3 + size % 4 * 3 / 4);
    if (!to)
        return ERR_NO_MEMORY;
    uint32_t bits = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text.data[i]);
        if (i % 4) /* each character after the first of a group completes a byte */
            *to++ = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return STATUS_OK;
}

/* ---- UTF-8 ---- */

size_t utf8_sequence(const uint8_t *p, size_t size)
{
    if (size == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    /* The second byte's range is where overlong forms, surrogates and what is past U+10FFFF are
     * refused. */
    uint8_t low = 0x80, high = 0xbf;
    size_t length;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        length = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        length = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        length = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (size < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

size_t utf8_run(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size && data[at] >= 0x80) {
        size_t length = utf8_sequence(data + at, size - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

/* Eight bytes at once: none is zero, none has its high bit set. */
static bool plain_ascii8(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_valid(struct slice s)
{
    size_t at = 0;
    while (at < s.size) {
        while (s.size - at >= 8 && plain_ascii8(s.data + at))
            at += 8;
        if (at == s.size)
            break;
        size_t length = s.data[at] ? utf8_sequence(s.data + at, s.size - at) : 0;
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}
