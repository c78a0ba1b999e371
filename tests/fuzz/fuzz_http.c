/* Any bytes as a request's head and as a chunked body: refused or understood, never beyond their end. */
#include "parse.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_head(struct slice in)
{
    static struct http_head head;
    size_t scanned = 0, used = http_head_size(in, &scanned);
    if (used == 0)
        return;
    char *text = malloc(used + 1);
    if (!text)
        abort();
    memcpy(text, in.data, used);
    text[used] = 0;
    if (http_head_parse(&head, text, used) == 0) {
        if (head.path.size == 0 || (head.chunked && head.length) ||
            head.n_headers > HTTP_MAX_HEADERS)
            abort();
        for (unsigned i = 0; i < head.n_headers; i++) {
            if (!http_head_get(&head, head.headers[i].name) ||
                strpbrk(head.headers[i].value, "\r\n"))
                abort();
        }
    }
    free(text);
}

/* A body that comes in two pieces is the same as one that comes at once. */
static void parse_chunked(struct slice in)
{
    struct buf whole = {.limit = 2048}, parts = {.limit = 2048};
    struct http_chunked one = {0}, two = {0};
    struct slice all = in, first = slice_make(in.data, in.size / 2),
                 second = slice_make(in.data + in.size / 2, in.size - in.size / 2);
    int a = http_chunked_take(&one, &all, &whole, 1024);
    int b = http_chunked_take(&two, &first, &parts, 1024);
    if (b == 0)
        b = http_chunked_take(&two, &second, &parts, 1024);
    if (a != b || whole.size > 1024 || !slice_equal(buf_slice(&whole), buf_slice(&parts)))
        abort();
    buf_deinit(&whole);
    buf_deinit(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    parse_head(slice_make(data, size));
    parse_chunked(slice_make(data, size));
    return 0;
}
