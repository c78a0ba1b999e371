/* The chunked form of a body, a byte at a time where it is no data. */
#include "parse.h"

#define CHUNK_OVERHEAD_MAX 16384 /* extensions and trailers nobody reads: bounded like a head */

enum {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the start of a line after the last chunk */
    CHUNK_TRAILER_LINE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
};

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 32;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static int chunk_size_byte(struct http_chunked *c, uint8_t byte)
{
    int digit = hex_digit(byte);
    if (digit >= 0) {
        if (++c->digits > 15)
            return 413;
        c->left = c->left << 4 | (unsigned)digit;
        return 0;
    }
    if (c->digits == 0)
        return 400;
    if (byte == '\r')
        c->state = CHUNK_SIZE_LF;
    else if (byte == ';' || byte == ' ' || byte == '\t')
        c->state = CHUNK_EXTENSION;
    else
        return 400;
    return 0;
}

/* One byte that is no data. Returns 0, 1 at the end, or a status. */
static int chunk_byte(struct http_chunked *c, uint8_t byte)
{
    switch (c->state) {
    case CHUNK_SIZE:
        return chunk_size_byte(c, byte);
    case CHUNK_EXTENSION:
        if (byte == '\r')
            c->state = CHUNK_SIZE_LF;
        return byte == '\n' ? 400 : 0;
    case CHUNK_SIZE_LF:
        c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
        c->digits = 0;
        return byte == '\n' ? 0 : 400;
    case CHUNK_DATA_CR:
        c->state = CHUNK_DATA_LF;
        return byte == '\r' ? 0 : 400;
    case CHUNK_DATA_LF:
        c->state = CHUNK_SIZE;
        return byte == '\n' ? 0 : 400;
    case CHUNK_TRAILER:
        c->state = byte == '\r' ? CHUNK_END_LF : CHUNK_TRAILER_LINE;
        return byte == '\n' ? 400 : 0;
    case CHUNK_TRAILER_LINE:
        if (byte == '\r')
            c->state = CHUNK_TRAILER_LF;
        return byte == '\n' ? 400 : 0;
    case CHUNK_TRAILER_LF:
        c->state = CHUNK_TRAILER;
        return byte == '\n' ? 0 : 400;
    default: /* CHUNK_END_LF */
        return byte == '\n' ? 1 : 400;
    }
}

int http_chunked_take(struct http_chunked *c, struct slice *in, struct buf *body, size_t limit)
{
    while (in->size) {
        if (c->state == CHUNK_DATA) {
            size_t n = c->left < in->size ? (size_t)c->left : in->size;
            buf_append(body, in->data, n);
            *in = slice_make(in->data + n, in->size - n);
            c->left -= n;
            if (c->left)
                return 0;
            c->state = CHUNK_DATA_CR;
            continue;
        }
        int status =
            ++c->overhead > CHUNK_OVERHEAD_MAX + body->size ? 413 : chunk_byte(c, in->data[0]);
        *in = slice_make(in->data + 1, in->size - 1);
        if (status)
            return status;
        if (c->state == CHUNK_DATA && c->left > limit - body->size)
            return 413;
    }
    return 0;
}
