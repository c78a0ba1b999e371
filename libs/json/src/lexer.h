#pragma once
/* Steps over a JSON text, token by token. Functions that fail fill err and leave at where the fault is. */
#include "base.h"

struct lexer {
    const uint8_t *start, *at, *end;
    struct err *err;
};

/* What stands at `at` where something else is expected, never the text itself. */
int json_lexer_unexpected(struct lexer *l, const char *expected);
/* at is on the opening quote; body is what stands between the quotes */
int json_lexer_string(struct lexer *l, struct slice *body, bool *escaped) MUST_CHECK;
int json_lexer_number(struct lexer *l) MUST_CHECK;
int json_lexer_literal(struct lexer *l, const char *word, size_t size) MUST_CHECK;

static inline void lexer_skip_space(struct lexer *l)
{
    while (l->at < l->end && (*l->at == ' ' || *l->at == '\n' || *l->at == '\t' || *l->at == '\r'))
        l->at++;
}

static inline bool lexer_take(struct lexer *l, uint8_t c)
{
    if (l->at == l->end || *l->at != c)
        return false;
    l->at++;
    return true;
}
