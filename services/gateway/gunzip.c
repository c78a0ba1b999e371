#include "gunzip.h"

#include <zlib.h>

#define GZIP_ONLY (16 + MAX_WBITS)
/* One after the other is one text (RFC 1952, 2.2); each costs even when it holds nothing. */
#define MEMBERS_MAX 1000

bool gunzip_looks_like(struct slice body)
{
    return body.size >= 2 && body.data[0] == 0x1f && body.data[1] == 0x8b;
}

/* One member, as long as the text stays within its limit. Z_STREAM_END: it is whole. */
static int inflate_member(z_stream *z, struct buf *text, size_t limit)
{
    int r = Z_OK;
    do {
        uint8_t piece[16384];
        z->next_out = piece;
        z->avail_out = sizeof(piece);
        r = inflate(z, Z_NO_FLUSH);
        buf_append(text, piece, sizeof(piece) - z->avail_out);
    } while (r == Z_OK && text->size <= limit);
    return r;
}

int gunzip(struct slice *out, struct slice body, size_t limit, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf text = {0};
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)body.data, .avail_in = (uInt)body.size};
    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return ERR_NO_MEMORY;
    int r = inflate_member(&z, &text, limit);
    for (int n = 1; r == Z_STREAM_END && z.avail_in > 0 && text.size <= limit; n++) {
        r = n < MEMBERS_MAX ? inflateReset(&z) : Z_DATA_ERROR;
        if (r == Z_OK)
            r = inflate_member(&z, &text, limit); /* bytes that are no member are an error */
    }
    (void)inflateEnd(&z);
    if (text.size > limit)
        return ERR_TOO_LARGE;
    if (r != Z_STREAM_END)
        return ERR_INVALID;
    *out = arena_slice(arena, buf_slice(&text));
    return out->data || !text.size ? 0 : ERR_TOO_LARGE;
}
