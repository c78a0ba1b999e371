#pragma once
/*
 * Findings of personal data, for mask.c.
 *
 *   names      whether a member's (a parameter's) name says that its value is personal     pii_name.c
 *   view       text that was escaped, with the way back to where each byte came from       view.c
 *   patterns   findings in a text                                                          pii.c
 *   checks     Luhn, mod 97, check digits: what a pattern alone cannot tell                pii_check.c
 */
#include "mask.h"

/* ---- names ---- */

#define GW_NAME_NONE    (-1)
#define GW_NAME_VERSION (-2) /* its value is a version: 1.2.3.4 is no address */

struct gw_names {
    uint8_t ends[4096];            /* a bit for each three letters that a name ends with */
    uint8_t first[256], next[256]; /* rows of the table by these letters, + 1 */
    uint8_t sizes[256];
};
void gw_names_init(struct gw_names *names);
/* enum gw_personal, or GW_NAME_*. */
int gw_names_find(const struct gw_names *names, struct slice name);
/* Whether a value of a named member says something: not empty, no flag, no mark. */
bool gw_value_tells(struct slice value);

/* ---- texts ---- */

struct gw_view {
    struct slice text;
    const uint32_t *
        from; /* [i]: where text[i] comes from, [size]: the end; NULL: text is the outermost, at `base` */
    uint32_t base;
    int strings; /* how many JSON strings it is inside of; -1: a text that is none */
};
static inline uint32_t gw_view_from(const struct gw_view *view, size_t at)
{
    return view->from ? view->from[at] : view->base + (uint32_t)at;
}
/* Without the escapes of a JSON string; spaces and hyphens beyond ASCII become ' ' and '-'. */
int gw_view_unescape(struct gw_view *out, const struct gw_view *view,
                     struct arena *arena) MUST_CHECK;
/* Without percent-encoding. 0: it has none; 1: out is filled in. */
int gw_view_unquote(struct gw_view *out, const struct gw_view *view,
                    struct arena *arena) MUST_CHECK;

/* ---- patterns ---- */

struct gw_find {
    uint32_t from, to; /* in the text */
    enum gw_personal what;
};
#define GW_FINDS_MAX 128 /* in one text; with more it is personal as a whole */

struct gw_pii;
/* match_limit: of PCRE2, 0: the usual one. */
int gw_pii_create(struct gw_pii **pii, uint32_t match_limit, struct err *err) MUST_CHECK;
void gw_pii_destroy(struct gw_pii **pii);
/* Findings in order, none overlapping. `versions`: dotted quads are versions. Returns how many. */
unsigned gw_pii_find(struct gw_pii *pii, struct slice text, bool versions,
                     struct gw_find finds[GW_FINDS_MAX]);

/* ---- checks: `text` begins where a pattern matched; how many of its bytes are a finding, 0: none ---- */

size_t gw_check_card(struct slice text);
size_t gw_check_iban(struct slice text);
size_t gw_check_tax_de(struct slice text);
size_t gw_check_nir(struct slice text);
size_t gw_check_nif(struct slice text);
size_t gw_check_codice(struct slice text);
size_t gw_check_pesel(struct slice text);
size_t gw_check_bsn(struct slice text);
size_t gw_check_trunk(struct slice text); /* a phone number with its trunk 0, no date */
size_t gw_check_ipv4(struct slice text);
size_t gw_check_ipv6(struct slice text);
