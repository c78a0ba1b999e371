/*
 * Findings in a text: a pass over its bytes says which patterns can match at all, each of these is tried, and what it
 * matches is checked.
 *
 *   text ──► shape(): at signs, digits in a row, dotted quads ──► rows[] (PCRE2, JIT) ──► pii_check.c ──► findings
 *
 *   e-mail       local@domain.tld; not logo@2x.png
 *   phone        +49 170 1234567, 0049 170 1234567, (415) 555-2671, 415-555-2671, 06 12 34 56 78, 0170 1234567, 030/123456;
 *                without a separator only mobile numbers of DE, FR, GB, and only beside other text: a value that is nothing
 *                but digits is an order's, a product's or a time's
 *   card         13 to 19 digits of an issuer, with spaces or dashes or not, Luhn; not a barcode (13 digits, EAN)
 *   IBAN         country, its length, mod 97
 *   national id  US SSN with separators, UK NINO, DE tax id, FR NIR, ES DNI and NIE, IT codice fiscale, PL PESEL; NL BSN only
 *                beside its name. 11 digits in a row only beside other words: alone, and in addresses, they are an order's number
 *   address      IPv4 and IPv6 of a host. Four numbers are a version after a letter and a slash (Chrome/120.0.6099.71),
 *                after "v" or "version", or where a name says so; those that end with .0 are a network's
 *
 * A number must begin and end where no letter or digit goes on; dates and times in ISO 8601 and UUIDs are passed over.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pii.h"

#include <pcre2.h>
#include <stdlib.h>

#define MATCH_LIMIT    100000
#define DEPTH_LIMIT    1000
#define HEAP_LIMIT_KIB 256
#define LOCAL_MAX      256

enum shape {
    HAS_AT = 1,
    HAS_GROUPS = 2, /* 9 digits or more with separators between */
    HAS_LONG = 4,   /* digits in a row: 11, or 10 to 12 that begin with 0 */
    HAS_MIXED =
        8, /* a word of letters and 6 digits or more, or such a beginning of an IBAN as DE89 */
    HAS_PLUS = 16, /* + or 00 before a digit */
    HAS_QUAD = 32,
    HAS_COLONS = 64,
    HAS_SIX = 128, /* 12 34 56 */
    HAS_NINE = 256,
    HAS_CARD = 1024, /* 13 digits or more in a row */
    HAS_MANY = 512,  /* 11 digits or more with separators between */
};

struct row {
    enum gw_personal what;
    unsigned needs; /* any of these */
    const char *pattern;
    size_t (*check)(struct slice text); /* NULL: the match is the finding */
    unsigned flags;
};

enum {
    VERSIONS = 1, /* no finding where four numbers are a version */
    BESIDE = 2,   /* no finding when it is all of the text */
};

#define ALONE "(?<![A-Za-z0-9])"
#define ENDS  "(?![A-Za-z0-9])"
/* one order number of 11 digits in forty has a PESEL's check digit and date */
#define IN_WORDS "(?<![A-Za-z0-9=/_.-])"
#define NUMBER   "(?<![\\w.,+-])"
#define SEP      "[ +.-]"
#define DIGITS9  "\\d{9}" ENDS

static const struct row rows[] = {
    {GW_PERSONAL_EMAIL, HAS_AT,
     "[^\\x00-\\x20@<>(){}|\\[\\],;:\"\\\\/?=&#]{1,256}+@(?!\\dx\\.[a-z]{3,4}\\b)"
     "(?:[A-Za-z0-9_\\x80-\\xff](?:[A-Za-z0-9_\\x80-\\xff-]{0,62}+)\\.){1,16}+"
     "(?<=\\.)[A-Za-z\\x80-\\xff][A-Za-z0-9\\x80-\\xff-]{1,62}+",
     NULL, 0},
    {GW_PERSONAL_IBAN, HAS_MIXED, ALONE "[A-Za-z]{2}\\d{2}(?:" SEP "?[A-Za-z0-9]){11,30}" ENDS,
     gw_check_iban, 0},
    {GW_PERSONAL_CARD, HAS_MANY | HAS_CARD, ALONE "[2-6]\\d(?:" SEP "{0,2}\\d){11,17}" ENDS,
     gw_check_card, 0},
    {GW_PERSONAL_NATIONAL_ID, HAS_MANY | HAS_CARD | HAS_MIXED,
     ALONE "[1-478] ?\\d\\d ?\\d\\d ?(?:\\d\\d|2[AaBb]) ?\\d{3} ?\\d{3}[ /-]?\\d\\d" ENDS,
     gw_check_nir, 0},
    {GW_PERSONAL_NATIONAL_ID, HAS_GROUPS,
     ALONE "(?<!-)(?!000|666|9)\\d{3}([ -])(?!00)\\d{2}\\1(?!0000)\\d{4}" ENDS "(?!-)", NULL, 0},
    {GW_PERSONAL_NATIONAL_ID, HAS_MANY, ALONE "\\d{2} \\d{3} \\d{3} \\d{3}" ENDS, gw_check_tax_de,
     0},
    {GW_PERSONAL_NATIONAL_ID, HAS_LONG, IN_WORDS "\\d{11}" ENDS, gw_check_tax_de, BESIDE},
    {GW_PERSONAL_NATIONAL_ID, HAS_LONG, IN_WORDS "\\d{11}" ENDS, gw_check_pesel, BESIDE},
    {GW_PERSONAL_NATIONAL_ID, HAS_MIXED | HAS_SIX,
     ALONE "(?i)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d\\d ?\\d\\d "
           "?\\d\\d ?[A-D]" ENDS,
     NULL, 0},
    {GW_PERSONAL_NATIONAL_ID, HAS_MIXED, ALONE "(?:\\d{8}|[XYZxyz]-?\\d{7})-?[A-Za-z]" ENDS,
     gw_check_nif, 0},
    {GW_PERSONAL_NATIONAL_ID, HAS_MIXED,
     ALONE "[A-Za-z]{6}[0-9L-NP-Vl-np-v]{2}[A-Ea-eHhLlMmPpR-Tr-t][0-9L-NP-Vl-np-v]{2}[A-Za-z][0-9L-"
           "NP-Vl-np-v]{3}[A-Za-z]" ENDS,
     gw_check_codice, 0},
    {GW_PERSONAL_NATIONAL_ID, HAS_NINE,
     "(?i)(?<![a-z])(?:bsn|burgerservicenummer|sofinummer)[^a-z0-9]{1,5}+" DIGITS9, gw_check_bsn,
     0},
    {GW_PERSONAL_ADDRESS, HAS_COLONS,
     "(?<![\\w:.])(?:[0-9A-Fa-f:]{2,30}:\\d{1,3}(?:\\.\\d{1,3}){3}|[0-9A-Fa-f:]{2,39})(?![\\w:]|\\."
     "\\d)",
     gw_check_ipv6, 0},
    {GW_PERSONAL_ADDRESS, HAS_QUAD,
     "(?<![A-Za-z0-9_.])(?<![A-Za-z0-9]/)(?<!version )(?<!Version )(?<!version=)(?<!version:)"
     "(?:0|[1-9]\\d{0,2})(?:\\.(?:0|[1-9]\\d{0,2})){3}(?![\\w]|\\.\\d)",
     gw_check_ipv4, VERSIONS},
    {GW_PERSONAL_PHONE, HAS_PLUS,
     "(?<![\\w+])(?:\\+|00(?=[1-9](?:[ ./()-]{0,3}\\d){10}))[ (]{0,2}[1-9](?:[ "
     "./()-]{0,3}\\d){6,14}" ENDS,
     NULL, 0},
    {GW_PERSONAL_PHONE, HAS_GROUPS,
     NUMBER
     "(?:1[ .-])?(?:\\([2-9]\\d{2}\\) ?|[2-9]\\d{2}[ .-])[2-9]\\d{2}[ .-]\\d{4}(?![\\w-]|\\.\\d)",
     NULL, 0},
    {GW_PERSONAL_PHONE, HAS_GROUPS, NUMBER "0[1-9](?:[ .-]\\d\\d){4}(?![\\w-]|\\.\\d)", NULL, 0},
    {GW_PERSONAL_PHONE, HAS_GROUPS,
     "(?<![\\w.,+/(-])\\(?0[1-9]\\d{0,4}\\)?[ /-]{1,3}\\d{2,}(?:[ "
     "-]\\d{2,}){0,4}(?![\\w]|[-.,]\\d)",
     gw_check_trunk, 0},
    {GW_PERSONAL_PHONE, HAS_LONG, NUMBER "(?:01[567]\\d{8,9}|07[1-9]\\d{8}|0[67]\\d{8})" ENDS, NULL,
     BESIDE},
};

struct gw_pii {
    pcre2_code *codes[ARRAY_SIZE(rows)];
    pcre2_match_context *context;
    pcre2_match_data *match;
};

/* ---- shapes ---- */

enum class {
    LETTER = 1,
    DIGIT = 2,
    HEX = 4,   /* also a letter or digit */
    JOINS = 8, /* stands between the digits of a number */
};

/* ASCII, whatever the locale; a look-up a byte is half of what <ctype.h> costs. */
static const uint8_t classes[256] = {
    ['0'] = DIGIT | HEX,  ['1'] = DIGIT | HEX,  ['2'] = DIGIT | HEX,  ['3'] = DIGIT | HEX,
    ['4'] = DIGIT | HEX,  ['5'] = DIGIT | HEX,  ['6'] = DIGIT | HEX,  ['7'] = DIGIT | HEX,
    ['8'] = DIGIT | HEX,  ['9'] = DIGIT | HEX,  ['A'] = LETTER | HEX, ['B'] = LETTER | HEX,
    ['C'] = LETTER | HEX, ['D'] = LETTER | HEX, ['E'] = LETTER | HEX, ['F'] = LETTER | HEX,
    ['a'] = LETTER | HEX, ['b'] = LETTER | HEX, ['c'] = LETTER | HEX, ['d'] = LETTER | HEX,
    ['e'] = LETTER | HEX, ['f'] = LETTER | HEX, ['G'] = LETTER,       ['H'] = LETTER,
    ['I'] = LETTER,       ['J'] = LETTER,       ['K'] = LETTER,       ['L'] = LETTER,
    ['M'] = LETTER,       ['N'] = LETTER,       ['O'] = LETTER,       ['P'] = LETTER,
    ['Q'] = LETTER,       ['R'] = LETTER,       ['S'] = LETTER,       ['T'] = LETTER,
    ['U'] = LETTER,       ['V'] = LETTER,       ['W'] = LETTER,       ['X'] = LETTER,
    ['Y'] = LETTER,       ['Z'] = LETTER,       ['g'] = LETTER,       ['h'] = LETTER,
    ['i'] = LETTER,       ['j'] = LETTER,       ['k'] = LETTER,       ['l'] = LETTER,
    ['m'] = LETTER,       ['n'] = LETTER,       ['o'] = LETTER,       ['p'] = LETTER,
    ['q'] = LETTER,       ['r'] = LETTER,       ['s'] = LETTER,       ['t'] = LETTER,
    ['u'] = LETTER,       ['v'] = LETTER,       ['w'] = LETTER,       ['x'] = LETTER,
    ['y'] = LETTER,       ['z'] = LETTER,       [' '] = JOINS,        ['-'] = JOINS,
    ['.'] = JOINS,        ['/'] = JOINS,        ['('] = JOINS,        [')'] = JOINS,
    ['+'] = JOINS,
};

static inline bool is(uint8_t c, unsigned class)
{
    return classes[c] & class;
}

static bool digits_at(struct slice text, size_t at, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (at + i >= text.size || !is(text.data[at + i], DIGIT))
            return false;
    return true;
}

/* 2026-01-02, 2026/01/02, with a time or not, at `at`: how long it is. */
static size_t date_size(struct slice text, size_t at)
{
    const uint8_t *c = text.data + at;
    size_t left = text.size - at, n = 10;
    if (left < 10 || (c[0] != '1' && c[0] != '2') || (c[4] != '-' && c[4] != '/') || c[7] != c[4] ||
        c[5] > '1' || c[8] > '3' || !digits_at(text, at, 4) || !digits_at(text, at + 5, 2) ||
        !digits_at(text, at + 8, 2))
        return 0;
    if (left >= 16 && (c[10] == 'T' || c[10] == ' ') && c[13] == ':' &&
        digits_at(text, at + 11, 2) && digits_at(text, at + 14, 2)) {
        n = 16;
        if (left >= 19 && c[16] == ':' && digits_at(text, at + 17, 2)) {
            n = 19;
            if (left > 20 && c[19] == '.' && digits_at(text, at + 20, 1))
                for (n = 20; n < left && n < 29 && is(c[n], DIGIT); n++)
                    ;
        }
    }
    return n < left && is(c[n], DIGIT) ? 0 : n;
}

static size_t uuid_size(struct slice text, size_t at)
{
    const uint8_t *c = text.data + at;
    if (text.size - at < 36 || c[8] != '-' || c[13] != '-' || c[18] != '-' || c[23] != '-')
        return 0;
    for (unsigned i = 0; i < 36; i++)
        if (i != 8 && i != 13 && i != 18 && i != 23 && !is(c[i], HEX))
            return 0;
    return text.size - at > 36 && is(c[36], LETTER | DIGIT) ? 0 : 36;
}

struct word {
    size_t size, digits;
};

/* A word of letters and digits that begins at `at`. */
static inline struct word word_at(struct slice text, size_t at)
{
    struct word word = {0, 0};
    for (size_t i = at; i < text.size && is(text.data[i], LETTER | DIGIT); i++) {
        word.digits += is(text.data[i], DIGIT);
        word.size++;
    }
    return word;
}

/* What a word with digits may be. */
static unsigned shape_of_word(struct slice text, size_t at, struct word word)
{
    const uint8_t *c = text.data + at;
    size_t size = word.size, digits = word.digits, letters = size - digits;
    unsigned has = 0;
    bool iban =
        size >= 4 && is(c[0], LETTER) && is(c[1], LETTER) && is(c[2], DIGIT) && is(c[3], DIGIT);
    /* NINO and NIE have 9, a codice fiscale 16, a NIR of Corsica 15; longer words are hashes */
    bool id = letters && digits >= 6 && (size == 9 || size == 15 || size == 16);
    if (id || (iban && (size == 4 || digits >= 4)))
        has |= HAS_MIXED;
    if ((digits == 8 && at + size + 1 < text.size && c[size] == '-' && is(c[size + 1], LETTER)) ||
        (digits == 7 && letters == 0 && at > 1 && c[-1] == '-' && is(c[-2], LETTER)))
        has |= HAS_MIXED;
    if (letters == 0 && digits >= 10)
        has |= digits >= 13 ? HAS_CARD : digits == 11 || c[0] == '0' ? HAS_LONG : 0;
    if (digits == 9)
        has |= HAS_NINE;
    return has;
}

/* Numbers, as far as nothing but separators stands between them. */
struct numbers {
    unsigned digits, gaps, spaces;
    unsigned quad; /* numbers with a dot between each two, the last one ending where we are */
};

/* Chrome/120.0.6099.71 */
static bool is_version(struct slice text, size_t at)
{
    return at >= 2 && text.data[at - 1] == '/' && is(text.data[at - 2], LETTER | DIGIT);
}

static unsigned take_number(struct numbers *n, struct slice text, size_t at, size_t size)
{
    unsigned has = 0;
    n->digits += (unsigned)size;
    if (text.data[at] == '0' && size >= 2 && text.data[at + 1] == '0')
        has |= HAS_PLUS;
    if (n->digits >= 9 && n->gaps)
        has |= n->digits >= 11 ? HAS_GROUPS | HAS_MANY : HAS_GROUPS;
    if (n->digits == 6 && n->spaces == 2)
        has |= HAS_SIX;
    if (n->quad && at > 0 && text.data[at - 1] == '.')
        n->quad++;
    else
        n->quad = !is_version(text, at);
    return n->quad >= 4 ? has | HAS_QUAD : has;
}

static unsigned shape(struct slice text)
{
    unsigned has = 0, colons = 0;
    struct numbers numbers = {0};
    for (size_t i = 0; i < text.size;) {
        uint8_t c = text.data[i];
        if (is(c, LETTER | DIGIT)) {
            size_t skip = is(c, DIGIT) ? date_size(text, i) : 0;
            if (!skip && is(c, HEX))
                skip = uuid_size(text, i);
            struct word word = {skip, 0};
            if (!skip)
                word = word_at(text, i);
            if (word.digits)
                has |= shape_of_word(text, i, word);
            if (word.digits == word.size)
                has |= take_number(&numbers, text, i, word.size);
            else
                numbers = (struct numbers){0};
            i += word.size;
            continue;
        }
        if (c == '@')
            has |= HAS_AT;
        else if (c == '+' && i + 1 < text.size && is(text.data[i + 1], DIGIT | JOINS))
            has |= HAS_PLUS;
        colons += c == ':';
        numbers.gaps += is(c, JOINS) && numbers.digits;
        numbers.spaces += c == ' ' && numbers.digits;
        if (!is(c, JOINS))
            numbers = (struct numbers){0};
        i++;
    }
    return colons >= 2 ? has | HAS_COLONS : has;
}

/* ---- patterns ---- */

int gw_pii_create(struct gw_pii **out, uint32_t match_limit, struct err *err)
{
    struct gw_pii *pii = calloc(1, sizeof(*pii));
    if (!pii)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for patterns");
    pii->context = pcre2_match_context_create(NULL);
    pii->match = pcre2_match_data_create(4, NULL);
    bool made = pii->context && pii->match;
    for (unsigned r = 0; made && r < ARRAY_SIZE(rows); r++) {
        int code = 0;
        PCRE2_SIZE at = 0;
        pii->codes[r] =
            pcre2_compile((PCRE2_SPTR)rows[r].pattern, PCRE2_ZERO_TERMINATED, 0, &code, &at, NULL);
        if (!pii->codes[r]) {
            gw_pii_destroy(&pii);
            return err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL, "pattern %u: error %d at %zu", r,
                           code, at);
        }
        /* without it (a kernel that allows no executable memory) the same patterns are interpreted */
        (void)pcre2_jit_compile(pii->codes[r], PCRE2_JIT_COMPLETE);
    }
    if (!made) {
        gw_pii_destroy(&pii);
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for patterns");
    }
    (void)pcre2_set_match_limit(pii->context, match_limit ? match_limit : MATCH_LIMIT);
    (void)pcre2_set_depth_limit(pii->context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(pii->context, HEAP_LIMIT_KIB);
    *out = pii;
    return 0;
}

void gw_pii_destroy(struct gw_pii **out)
{
    struct gw_pii *pii = *out;
    if (!pii)
        return;
    for (unsigned r = 0; r < ARRAY_SIZE(rows); r++)
        pcre2_code_free(pii->codes[r]);
    pcre2_match_data_free(pii->match);
    pcre2_match_context_free(pii->context);
    free(pii);
    *out = NULL;
}

/* ---- finding ---- */

struct search {
    struct gw_pii *pii;
    struct slice text;
    struct gw_find *finds; /* in order */
    unsigned n;
    bool whole; /* it is too much: all of the text is personal */
    enum gw_personal whole_what;
};

static void give_up(struct search *s, enum gw_personal what)
{
    s->whole = true;
    s->whole_what = what;
}

static void add(struct search *s, unsigned before, uint32_t from, uint32_t to,
                enum gw_personal what)
{
    if (s->n == GW_FINDS_MAX) {
        give_up(s, what);
        return;
    }
    memmove(s->finds + before + 1, s->finds + before, (s->n - before) * sizeof(*s->finds));
    s->finds[before] = (struct gw_find){from, to, what};
    s->n++;
}

/* Before "@", the part that a name may be made of; a pattern would look for it from every byte. */
static size_t local_start(struct slice gap, size_t at)
{
    static const char stops[] = "@<>(){}|[],;:\"\\/?=&#";
    size_t i = at;
    while (i > 0 && at - i < LOCAL_MAX && gap.data[i - 1] > ' ' && !strchr(stops, gap.data[i - 1]))
        i--;
    return i;
}

/* The next match at or after `at`; false: none. */
static bool next_match(struct search *s, unsigned row, struct slice gap, size_t at, size_t *from,
                       size_t *to)
{
    const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(s->pii->match);
    for (;;) {
        uint32_t options = 0;
        size_t sign = 0;
        if (rows[row].what == GW_PERSONAL_EMAIL) {
            const uint8_t *found = at < gap.size ? memchr(gap.data + at, '@', gap.size - at) : NULL;
            if (!found)
                return false;
            sign = (size_t)(found - gap.data);
            size_t start = local_start(gap, sign);
            at = start > at ? start : at;
            options = PCRE2_ANCHORED;
        }
        int rc = pcre2_match(s->pii->codes[row], gap.data, gap.size, at, options, s->pii->match,
                             s->pii->context);
        if (rc == PCRE2_ERROR_NOMATCH && options) {
            at = sign + 1;
            continue;
        }
        if (rc < 0) {
            if (rc != PCRE2_ERROR_NOMATCH)
                give_up(s, rows[row].what);
            return false;
        }
        *from = ovector[0];
        *to = ovector[1];
        return true;
    }
}

/* One row in the bytes between two findings, as if nothing stood around them. */
static void search_gap(struct search *s, unsigned row, unsigned before, uint32_t from, uint32_t to,
                       bool whole)
{
    struct slice gap = slice_make(s->text.data + from, to - from);
    size_t at = 0, begin = 0, end = 0;
    while (!s->whole && at < gap.size && next_match(s, row, gap, at, &begin, &end)) {
        struct slice match = slice_make(gap.data + begin, end - begin);
        size_t size = rows[row].check ? rows[row].check(match) : match.size;
        bool all = whole && begin == 0 && size == gap.size;
        if (size == 0 || (all && (rows[row].flags & BESIDE))) {
            at = begin + 1;
            continue;
        }
        add(s, before++, from + (uint32_t)begin, from + (uint32_t)(begin + size), rows[row].what);
        at = begin + size;
    }
}

static void search_row(struct search *s, unsigned row)
{
    uint32_t from = 0;
    for (unsigned g = 0; !s->whole && g <= s->n; g++) {
        unsigned n = s->n;
        uint32_t to = g < n ? s->finds[g].from : (uint32_t)s->text.size;
        if (to > from)
            search_gap(s, row, g, from, to, n == 0);
        g += s->n - n;
        from = g < s->n ? s->finds[g].to : to;
    }
}

unsigned gw_pii_find(struct gw_pii *pii, struct slice text, bool versions,
                     struct gw_find finds[GW_FINDS_MAX])
{
    struct search s = {.pii = pii, .text = text, .finds = finds};
    unsigned has = shape(text);
    for (unsigned r = 0; r < ARRAY_SIZE(rows) && !s.whole; r++)
        if ((rows[r].needs & has) && !(versions && (rows[r].flags & VERSIONS)))
            search_row(&s, r);
    if (!s.whole)
        return s.n;
    finds[0] = (struct gw_find){0, (uint32_t)text.size, s.whole_what};
    return 1;
}
