#pragma once
/* uap-core's regexes.yaml: three lists of patterns, the first that matches decides. */
#include "base.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum agents_section {
    AGENTS_BROWSERS, /* family, major, minor */
    AGENTS_SYSTEMS,  /* family, major, minor */
    AGENTS_DEVICES,  /* family, brand, model */
    AGENTS_SECTIONS
};
#define AGENTS_FIELDS   3
#define AGENTS_PATTERNS 4096 /* of a list; what comes after is refused */

struct agents_pattern {
    pcre2_code *code;
    char *replacements[AGENTS_FIELDS]; /* NULL: none */
};

struct agents_list {
    struct agents_pattern *patterns;
    unsigned n, room;
};

struct agents_patterns {
    struct agents_list lists[AGENTS_SECTIONS];
};

int agents_patterns_read(struct agents_patterns **patterns, const char *path,
                         struct err *err) MUST_CHECK;
void agents_patterns_destroy(struct agents_patterns **patterns);
