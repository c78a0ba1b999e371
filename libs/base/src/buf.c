/* Growable bytes with a cap, and reading back what they hold. */
#include "base.h"
#include <stdio.h>
#include <stdlib.h>

#define BUF_LIMIT_DEFAULT ((size_t)64 << 20)
#define BUF_CAPACITY_MIN  ((size_t)256)
#define VARINT_MAX        10 /* 64 bits in groups of 7 */

void buf_deinit(struct buf *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
    buf->overflow = false;
}

void buf_reset(struct buf *buf)
{
    buf->size = 0;
    buf->overflow = false;
    if (buf->data)
        buf->data[0] = '\0';
}

/* Room for size bytes more and a NUL, not counted yet. */
static bool buf_reserve(struct buf *buf, size_t size)
{
    size_t limit = buf->limit ? buf->limit : BUF_LIMIT_DEFAULT;
    if (buf->overflow || buf->size > limit || size > limit - buf->size) {
        buf->overflow = true;
        return false;
    }
    size_t needed = buf->size + size + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : BUF_CAPACITY_MIN;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *data = realloc(buf->data, capacity);
    if (!data) {
        buf->overflow = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void *buf_extend(struct buf *buf, size_t size)
{
    if (!buf_reserve(buf, size))
        return NULL;
    uint8_t *at = buf->data + buf->size;
    buf->size += size;
    buf->data[buf->size] = '\0';
    return at;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
    void *at = buf_extend(buf, size);
    if (at && size)
        memcpy(at, data, size);
}

void buf_append_str(struct buf *buf, const char *s)
{
    buf_append(buf, s, strlen(s));
}

void buf_append_slice(struct buf *buf, struct slice s)
{
    buf_append(buf, s.data, s.size);
}

void buf_append_byte(struct buf *buf, uint8_t byte)
{
    if (!buf_reserve(buf, 1))
        return;
    buf->data[buf->size++] = byte;
    buf->data[buf->size] = '\0';
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char text[256]; /* most texts are short: formatted once */
    int size = vsnprintf(text, sizeof(text), format, args);
    if (size >= 0 && (size_t)size < sizeof(text)) {
        buf_append(buf, text, (size_t)size);
    } else if (size >= 0) {
        char *at = buf_extend(buf, (size_t)size);
        if (at && vsnprintf(at, (size_t)size + 1, format, again) != size)
            buf->overflow = true;
    }
    va_end(again);
    va_end(args);
}

void buf_append_varint(struct buf *buf, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    buf_append(buf, bytes, n);
}

void buf_append_bytes(struct buf *buf, struct slice s)
{
    buf_append_varint(buf, s.size);
    buf_append_slice(buf, s);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

int slice_take_varint(struct slice *s, uint64_t *value)
{
    uint64_t result = 0;
    for (size_t i = 0; i < s->size && i < VARINT_MAX; i++) {
        uint8_t byte = s->data[i];
        if (i == VARINT_MAX - 1 && byte > 1) /* the tenth byte has one bit left */
            return ERR_INVALID;
        result |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            s->data += i + 1;
            s->size -= i + 1;
            *value = result;
            return STATUS_OK;
        }
    }
    return ERR_INVALID;
}

int slice_take(struct slice *s, size_t size, struct slice *bytes)
{
    if (size > s->size)
        return ERR_INVALID;
    *bytes = slice_make(s->data, size);
    if (size) /* NULL + 0 is undefined to sanitizers */
        s->data += size;
    s->size -= size;
    return STATUS_OK;
}

int slice_take_bytes(struct slice *s, struct slice *bytes)
{
    struct slice rest = *s;
    uint64_t size;
    if (slice_take_varint(&rest, &size) < 0 || size > rest.size)
        return ERR_INVALID;
    *s = rest;
    return slice_take(s, (size_t)size, bytes);
}
