/* Tokens of the reader: strings, numbers and literals, checked and stepped over, never converted. */
#include "lexer.h"
#include "scan.h"

/* ---- errors: what was found, never the text itself ---- */

static const char *found(const struct lexer *l)
{
    static const char marks[] = "{}[],:\"";
    static const char *const names[] = {"'{'", "'}'", "'['", "']'", "','", "':'", "a quote"};
    if (l->at >= l->end)
        return "end of text";
    uint8_t c = *l->at;
    if (c < 0x20)
        return c ? "a control character" : "a NUL byte";
    if (c >= 0x80)
        return "a byte beyond ASCII";
    if (c >= '0' && c <= '9')
        return "a digit";
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
        return "a letter";
    const char *mark = strchr(marks, c);
    return mark ? names[mark - marks] : "a symbol";
}

int json_lexer_unexpected(struct lexer *l, const char *expected)
{
    return err_set(l->err, ERR_INVALID, ERR_CLASS_PERMANENT,
                   "json: %s where %s belongs, at byte %zu", found(l), expected,
                   (size_t)(l->at - l->start));
}

/* ---- tokens ---- */

static inline bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_hex(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* at is on a backslash */
static int lexer_escape(struct lexer *l)
{
    l->at++;
    if (l->at == l->end)
        return json_lexer_unexpected(l, "an escape");
    switch (*l->at) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        l->at++;
        return STATUS_OK;
    case 'u':
        l->at++;
        for (int i = 0; i < 4; i++, l->at++)
            if (l->at == l->end || !is_hex(*l->at))
                return json_lexer_unexpected(l, "a hexadecimal digit");
        return STATUS_OK;
    default:
        return json_lexer_unexpected(l, "an escape");
    }
}

int json_lexer_string(struct lexer *l, struct slice *body, bool *escaped)
{
    const uint8_t *start = ++l->at;
    *escaped = false;
    for (;;) {
        l->at = scan_plain(l->at, l->end);
        if (l->at == l->end)
            return json_lexer_unexpected(l, "a closing quote");
        if (*l->at == '"') {
            *body = slice_make(start, (size_t)(l->at - start));
            l->at++;
            return STATUS_OK;
        }
        if (*l->at == '\\') {
            *escaped = true;
            int rc = lexer_escape(l);
            if (rc < 0)
                return rc;
            continue;
        }
        size_t run = utf8_run(l->at, (size_t)(l->end - l->at));
        if (run == 0)
            return json_lexer_unexpected(l, "valid UTF-8 text");
        l->at += run;
    }
}

static int lexer_digits(struct lexer *l)
{
    const uint8_t *start = l->at;
    while (l->at < l->end && is_digit(*l->at))
        l->at++;
    return l->at == start ? json_lexer_unexpected(l, "a digit") : STATUS_OK;
}

int json_lexer_number(struct lexer *l)
{
    int rc = STATUS_OK;
    lexer_take(l, '-');
    if (!lexer_take(l, '0'))
        rc = lexer_digits(l);
    if (rc == STATUS_OK && lexer_take(l, '.'))
        rc = lexer_digits(l);
    if (rc == STATUS_OK && (lexer_take(l, 'e') || lexer_take(l, 'E'))) {
        if (!lexer_take(l, '+'))
            lexer_take(l, '-');
        rc = lexer_digits(l);
    }
    return rc;
}

int json_lexer_literal(struct lexer *l, const char *word, size_t size)
{
    if ((size_t)(l->end - l->at) < size || memcmp(l->at, word, size) != 0)
        return json_lexer_unexpected(l, "a value");
    l->at += size;
    return STATUS_OK;
}
