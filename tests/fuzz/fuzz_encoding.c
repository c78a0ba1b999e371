/* Any bytes as base64, hex, a UUID, varints, UTF-8: what is taken is written the same again. */
#include "fuzz/check.h"

#include <strings.h>

static void read_base64(struct slice text)
{
    _cleanup_(buf_deinit) struct buf out = {0};
    buf_append_byte(&out, 'x');
    if (base64_decode(&out, text) < 0)
        check(out.size == 1);
    else
        check(out.size - 1 <= text.size / 4 * 3 + 2);
}

static void read_ids(struct slice text)
{
    struct uuid uuid, again;
    char out[2 * 16 + 1], shown[UUID_TEXT_SIZE];
    uint8_t bytes[16];
    if (uuid_parse(&uuid, text) == 0) {
        uuid_format(shown, uuid.bytes);
        check(uuid_parse(&again, slice_str(shown)) == 0 &&
              memcmp(&again, &uuid, sizeof(uuid)) == 0);
    }
    if (hex_parse(bytes, sizeof(bytes), text) == 0) {
        hex_format(out, bytes, sizeof(bytes));
        check(strncasecmp(out, (const char *)text.data, 2 * sizeof(bytes)) == 0);
    }
}

static void read_varints(struct slice text)
{
    _cleanup_(buf_deinit) struct buf out = {0};
    struct slice rest = text, bytes;
    uint64_t value, again;
    while (rest.size && slice_take_varint(&rest, &value) == 0) {
        buf_reset(&out);
        buf_append_varint(&out, value);
        struct slice written = buf_slice(&out);
        check(slice_take_varint(&written, &again) == 0 && again == value && written.size == 0);
        size_t left = rest.size;
        if (slice_take_bytes(&rest, &bytes) == 0)
            check(bytes.size < left && rest.size + bytes.size < left);
        else
            break;
    }
}

static void read_utf8(struct slice text)
{
    size_t at = 0, n = 1;
    while (at < text.size && n > 0 && text.data[at]) {
        n = utf8_sequence(text.data + at, text.size - at);
        check(n <= text.size - at && utf8_run(text.data + at, text.size - at) <= text.size - at);
        at += n;
    }
    check(utf8_valid(text) == (at == text.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make(data, size);
    read_base64(text);
    read_ids(text);
    read_varints(text);
    read_utf8(text);
    return 0;
}
