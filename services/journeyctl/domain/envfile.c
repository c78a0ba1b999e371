#include "envfile.h"

struct reader {
    const uint8_t *at, *end;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';';
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (is_blank(*r->at) || *r->at == '#')) {
        if (*r->at == '#')
            while (r->at < r->end && *r->at != '\n')
                r->at++;
        else
            r->at++;
    }
}

/* One word, its quotes resolved. */
static void take_word(struct reader *r, struct buf *word)
{
    uint8_t quote = 0;
    for (; r->at < r->end && (quote || !is_blank(*r->at)); r->at++) {
        uint8_t c = *r->at;
        if (quote ? c == quote : c == '\'' || c == '"')
            quote = quote ? 0 : c;
        else if (c == '\\' && quote != '\'' && r->at + 1 < r->end)
            buf_append_byte(word, *++r->at);
        else if (c != '$' || quote || r->at + 1 == r->end || r->at[1] != '\'')
            buf_append_byte(word, c);
    }
}

bool envfile_get(struct slice text, const char *name, struct buf *out)
{
    struct reader r = {text.data, text.data + text.size};
    size_t size = strlen(name);
    bool found = false;
    _cleanup_(buf_deinit) struct buf word = {0};
    for (skip_blanks(&r); r.at < r.end; skip_blanks(&r)) {
        buf_reset(&word);
        take_word(&r, &word);
        if (word.size <= size || word.data[size] != '=' || memcmp(word.data, name, size) != 0)
            continue;
        buf_reset(out);
        buf_append(out, word.data + size + 1, word.size - size - 1);
        buf_append_str(out, "");
        found = true;
    }
    return found;
}
