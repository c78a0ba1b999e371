/*
 * Any bytes as gzip; and compressed, as one member or two, whole or cut short: what went in comes out, or an error. First
 * byte: which of these.
 */
#include "fuzz/check.h"
#include "gunzip.h"

#include <zlib.h>

#define LIMIT ((size_t)64 << 10)

static struct arena *arena;

static void any(struct slice body)
{
    struct slice text = {NULL, 0};
    int r = gunzip(&text, body, LIMIT, arena);
    check(r == 0 || r == ERR_INVALID || r == ERR_TOO_LARGE);
    check(r < 0 || text.size <= LIMIT);
    check(r < 0 || gunzip_looks_like(body));
}

static void compress_to(struct buf *out, struct slice text)
{
    static z_stream z;
    if (!z.state)
        check(deflateInit2(&z, 1, Z_DEFLATED, 16 + 9, 1, Z_DEFAULT_STRATEGY) == Z_OK);
    check(deflateReset(&z) == Z_OK);
    z.next_in = (z_const Bytef *)(uintptr_t)text.data;
    z.avail_in = (uInt)text.size;
    int r = Z_OK;
    while (r == Z_OK) {
        uint8_t piece[4096];
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        r = deflate(&z, Z_FINISH);
        buf_append(out, piece, sizeof(piece) - z.avail_out);
    }
    check(r == Z_STREAM_END);
}

static void round_trip(struct slice text, unsigned half)
{
    _cleanup_(buf_deinit) struct buf body = {0};
    struct slice out = {NULL, 0};
    size_t first = half ? text.size / 2 : text.size;
    compress_to(&body, slice_make(text.data, first));
    if (half)
        compress_to(&body, slice_make(text.data + first, text.size - first));
    check(gunzip(&out, buf_slice(&body), text.size, arena) == 0 && slice_equal(out, text));
    if (text.size)
        check(gunzip(&out, buf_slice(&body), text.size - 1, arena) == ERR_TOO_LARGE);
    check(gunzip(&out, slice_make(body.data, body.size - 1), LIMIT, arena) == ERR_INVALID);
    buf_append_byte(&body, 'x');
    check(gunzip(&out, buf_slice(&body), LIMIT, arena) == ERR_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned how = take_byte(&data, &size);
    if (!arena)
        arena = arena_create((size_t)1 << 20);
    arena_reset(arena);
    if (how < 240) /* making gzip is slow */
        any(slice_make(data, size));
    else
        round_trip(slice_make(data, size), how % 2);
    return 0;
}
