/* Read as events of the YAML parser: a mapping of lists of mappings of texts; other keys are passed over. */
#include "agents_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

static const char *const sections[AGENTS_SECTIONS] = {"user_agent_parsers", "os_parsers",
                                                      "device_parsers"};
static const char *const fields[AGENTS_SECTIONS][AGENTS_FIELDS] = {
    {"family_replacement", "v1_replacement", "v2_replacement"},
    {"os_replacement", "os_v1_replacement", "os_v2_replacement"},
    {"device_replacement", "brand_replacement", "model_replacement"},
};

struct reader {
    struct agents_patterns *patterns;
    int depth;   /* of mappings and lists */
    int section; /* that is being read; -1: another */
    char key[40];
    bool has_key;
    char *regex; /* of the pattern in hand */
    bool any_case;
    char *replacements[AGENTS_FIELDS];
};

#define DEPTH_SECTION 1 /* within the outermost mapping */
#define DEPTH_PATTERN 3 /* within a pattern of a section's list */

static void forget_pattern(struct reader *r)
{
    free(r->regex);
    r->regex = NULL;
    r->any_case = false;
    for (unsigned i = 0; i < AGENTS_FIELDS; i++) {
        free(r->replacements[i]);
        r->replacements[i] = NULL;
    }
}

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for patterns");
}

static int make_room(struct agents_list *list, struct err *err)
{
    if (list->n < list->room)
        return STATUS_OK;
    if (list->n == AGENTS_PATTERNS)
        return err_set(err, ERR_TOO_LARGE, ERR_CLASS_PERMANENT, "a list of over %d patterns",
                       AGENTS_PATTERNS);
    unsigned room = list->room ? 2 * list->room : 256;
    void *grown = reallocarray(list->patterns, room, sizeof(*list->patterns));
    if (!grown)
        return no_memory(err);
    list->patterns = grown;
    list->room = room;
    return STATUS_OK;
}

static int add_pattern(struct reader *r, struct err *err)
{
    struct agents_list *list = &r->patterns->lists[r->section];
    int fault;
    PCRE2_SIZE at;
    if (!r->regex)
        return STATUS_OK;
    int status = make_room(list, err);
    if (status)
        return status;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)r->regex, PCRE2_ZERO_TERMINATED,
                                     r->any_case ? PCRE2_CASELESS : 0, &fault, &at, NULL);
    if (!code)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT,
                       "%s: pattern %u is wrong at character %zu", sections[r->section],
                       list->n + 1, at);
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without: slower */
    struct agents_pattern *pattern = &list->patterns[list->n++];
    pattern->code = code;
    memcpy(pattern->replacements, r->replacements, sizeof(pattern->replacements));
    memset(r->replacements, 0, sizeof(r->replacements));
    return STATUS_OK;
}

static int take_value(struct reader *r, const char *value, struct err *err)
{
    char **to = NULL;
    if (strcmp(r->key, "regex") == 0)
        to = &r->regex;
    for (unsigned i = 0; i < AGENTS_FIELDS; i++) {
        if (strcmp(r->key, fields[r->section][i]) == 0)
            to = &r->replacements[i];
    }
    if (strcmp(r->key, "regex_flag") == 0)
        r->any_case = strchr(value, 'i') != NULL;
    if (!to)
        return STATUS_OK;
    free(*to);
    *to = strdup(value);
    return *to ? STATUS_OK : no_memory(err);
}

static int take_scalar(struct reader *r, const char *text, struct err *err)
{
    if (r->depth == DEPTH_SECTION) {
        r->section = -1;
        for (int i = 0; i < AGENTS_SECTIONS; i++) {
            if (strcmp(text, sections[i]) == 0)
                r->section = i;
        }
    }
    if (r->depth != DEPTH_PATTERN || r->section < 0)
        return STATUS_OK;
    r->has_key = !r->has_key;
    if (!r->has_key)
        return take_value(r, text, err);
    (void)snprintf(r->key, sizeof(r->key), "%s", text);
    return STATUS_OK;
}

static int take(struct reader *r, const yaml_event_t *event, struct err *err)
{
    int status = STATUS_OK;
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        r->depth++;
        r->has_key = false;
        break;
    case YAML_MAPPING_END_EVENT:
        if (r->depth == DEPTH_PATTERN && r->section >= 0) {
            status = add_pattern(r, err);
            forget_pattern(r);
        }
        r->depth--;
        break;
    case YAML_SEQUENCE_END_EVENT:
        r->depth--;
        break;
    case YAML_SCALAR_EVENT:
        status = take_scalar(r, (const char *)event->data.scalar.value, err);
        break;
    default:
        break;
    }
    return status;
}

static int read_all(struct reader *r, yaml_parser_t *parser, struct err *err)
{
    int status = STATUS_OK;
    for (bool done = false; !done && !status;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "no YAML at line %zu",
                           parser->problem_mark.line + 1);
        status = take(r, &event, err);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return status;
}

static int check(const struct agents_patterns *patterns, struct err *err)
{
    for (unsigned i = 0; i < AGENTS_SECTIONS; i++) {
        if (patterns->lists[i].n == 0)
            return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "no %s", sections[i]);
    }
    return STATUS_OK;
}

static int read_file(struct reader *r, FILE *file, struct err *err)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return no_memory(err);
    yaml_parser_set_input_file(&parser, file);
    int status = read_all(r, &parser, err);
    yaml_parser_delete(&parser);
    forget_pattern(r);
    return status ? status : check(r->patterns, err);
}

int agents_patterns_read(struct agents_patterns **out, const char *path, struct err *err)
{
    struct reader reader = {.section = -1, .patterns = calloc(1, sizeof(*reader.patterns))};
    if (!reader.patterns)
        return no_memory(err);
    FILE *file = fopen(path, "re");
    int status = file ? read_file(&reader, file, err)
                      : err_set(err, ERR_NOT_FOUND, ERR_CLASS_PERMANENT, "%s", strerror(errno));
    if (file)
        (void)fclose(file);
    if (status)
        agents_patterns_destroy(&reader.patterns);
    else
        *out = reader.patterns;
    return status;
}

void agents_patterns_destroy(struct agents_patterns **out)
{
    struct agents_patterns *patterns = *out;
    *out = NULL;
    for (unsigned i = 0; patterns && i < AGENTS_SECTIONS; i++) {
        struct agents_list *list = &patterns->lists[i];
        for (unsigned j = 0; j < list->n; j++) {
            pcre2_code_free(list->patterns[j].code);
            for (unsigned k = 0; k < AGENTS_FIELDS; k++)
                free(list->patterns[j].replacements[k]);
        }
        free(list->patterns);
    }
    free(patterns);
}
