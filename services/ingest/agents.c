#include "agents.h"
#include "agents_file.h"
#include "domain/url.h"
#include <stdlib.h>

/* Of a pattern over one user agent; the worst of the file on ordinary ones takes a hundredth of that. */
#define MATCH_STEPS  100000
#define FOUND_BYTES  64 /* of one text */
#define WAYS         4
#define SETS         (AGENTS_REMEMBERED / WAYS)
#define MATCH_GROUPS 20

struct memory {
    uint64_t hash;
    struct ingest_agent agent; /* its texts: behind it */
    struct slice user_agent;
    bool limited;
    uint8_t bytes[];
};

struct agents {
    struct agents_patterns *patterns; /* or NULL */
    pcre2_match_data *match;
    pcre2_match_context *limits;
    struct memory *ways[SETS][WAYS];
    uint8_t next[SETS]; /* the way that is forgotten next */
};

/* ---- what the patterns find ---- */

struct text {
    uint8_t bytes[FOUND_BYTES];
    size_t size;
};

static void append(struct text *to, struct slice text)
{
    struct slice cut = ingest_text_cut(text, sizeof(to->bytes) - to->size);
    if (cut.size)
        memcpy(to->bytes + to->size, cut.data, cut.size);
    to->size += cut.size;
}

static struct slice group(const struct agents *agents, struct slice subject, int found, int number)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(agents->match) + 2 * (size_t)number;
    if (number >= found || ends[0] == PCRE2_UNSET)
        return slice_make(NULL, 0);
    return slice_make(subject.data + ends[0], ends[1] - ends[0]);
}

static struct slice trimmed(struct slice text)
{
    while (text.size && text.data[0] == ' ')
        text = slice_make(text.data + 1, text.size - 1);
    while (text.size && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* The replacement with its "$1" filled in, or the group itself. */
static struct slice filled(const struct agents *agents, const struct agents_pattern *pattern,
                           unsigned field, int fallback, struct slice subject, int found,
                           struct text *to)
{
    const char *text = pattern->replacements[field];
    to->size = 0;
    if (!text) {
        append(to, fallback ? group(agents, subject, found, fallback) : slice_make(NULL, 0));
        return trimmed(slice_make(to->bytes, to->size));
    }
    while (*text) {
        size_t plain = strcspn(text, "$");
        append(to, slice_make(text, plain));
        text += plain;
        if (text[0] == '$' && text[1] >= '1' && text[1] <= '9') {
            append(to, group(agents, subject, found, text[1] - '0'));
            text += 2;
        } else if (*text) {
            append(to, slice_make(text++, 1));
        }
    }
    return trimmed(slice_make(to->bytes, to->size));
}

struct findings {
    struct text texts[AGENTS_SECTIONS][AGENTS_FIELDS];
    struct slice found[AGENTS_SECTIONS][AGENTS_FIELDS];
    bool limited;
};

/* The group that a field is without a replacement; 0: none. */
static const int fallbacks[AGENTS_SECTIONS][AGENTS_FIELDS] = {{1, 2, 3}, {1, 2, 3}, {1, 0, 1}};

static void look(struct agents *agents, unsigned section, struct slice subject,
                 struct findings *findings)
{
    const struct agents_list *list = &agents->patterns->lists[section];
    for (unsigned i = 0; i < list->n; i++) {
        int found = pcre2_match(list->patterns[i].code, subject.data, subject.size, 0, 0,
                                agents->match, agents->limits);
        if (found == PCRE2_ERROR_NOMATCH)
            continue;
        if (found <= 0) {
            findings->limited = true;
            continue;
        }
        for (unsigned field = 0; field < AGENTS_FIELDS; field++)
            findings->found[section][field] =
                filled(agents, &list->patterns[i], field, fallbacks[section][field], subject, found,
                       &findings->texts[section][field]);
        return;
    }
}

/* "17" and "1": "17.1" */
static struct slice version_of(struct slice major, struct slice minor, struct text *to)
{
    to->size = 0;
    append(to, major);
    if (major.size && minor.size) {
        append(to, SLICE_LITERAL("."));
        append(to, minor);
    }
    return slice_make(to->bytes, to->size);
}

static struct ingest_agent judge(struct agents *agents, struct slice subject,
                                 struct findings *findings, struct text *os_version)
{
    struct ingest_agent agent = {.bot = false};
    if (agents->patterns) {
        for (unsigned section = 0; section < AGENTS_SECTIONS; section++)
            look(agents, section, subject, findings);
        struct slice *browser = findings->found[AGENTS_BROWSERS];
        struct slice *os = findings->found[AGENTS_SYSTEMS];
        struct slice *device = findings->found[AGENTS_DEVICES];
        agent.browser = browser[0];
        agent.browser_version = browser[1];
        agent.os = os[0];
        agent.os_version = version_of(os[1], os[2], os_version);
        agent.brand = device[1];
        agent.model = device[2];
    }
    ingest_agent_judge(&agent, subject);
    return agent;
}

/* ---- what is remembered ---- */

static struct slice *const *texts_of(struct ingest_agent *agent, struct slice *texts[6])
{
    texts[0] = &agent->browser;
    texts[1] = &agent->browser_version;
    texts[2] = &agent->os;
    texts[3] = &agent->os_version;
    texts[4] = &agent->brand;
    texts[5] = &agent->model;
    return texts;
}

static struct memory *memory_create(uint64_t hash, struct slice user_agent,
                                    struct ingest_agent agent, bool limited)
{
    struct slice *texts[6];
    size_t size = user_agent.size;
    texts_of(&agent, texts);
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
        size += texts[i]->size;
    struct memory *memory = malloc(sizeof(*memory) + size);
    if (!memory)
        return NULL;
    uint8_t *at = memory->bytes;
    memcpy(at, user_agent.data, user_agent.size);
    memory->user_agent = slice_make(at, user_agent.size);
    at += user_agent.size;
    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        if (texts[i]->size)
            memcpy(at, texts[i]->data, texts[i]->size);
        *texts[i] = slice_make(at, texts[i]->size);
        at += texts[i]->size;
    }
    memory->hash = hash;
    memory->agent = agent;
    memory->limited = limited;
    return memory;
}

static const struct memory *recall(const struct agents *agents, uint64_t hash,
                                   struct slice user_agent)
{
    for (unsigned way = 0; way < WAYS; way++) {
        const struct memory *memory = agents->ways[hash % SETS][way];
        if (memory && memory->hash == hash && slice_equal(memory->user_agent, user_agent))
            return memory;
    }
    return NULL;
}

struct agents_found agents_find(struct agents *agents, struct slice user_agent)
{
    struct slice subject = ingest_text_cut(user_agent, INGEST_AGENT_BYTES);
    uint64_t hash = hash64(subject.data, subject.size, 0);
    const struct memory *known = recall(agents, hash, subject);
    if (known)
        return (struct agents_found){known->agent, true, known->limited};
    struct findings findings = {.limited = false};
    struct text os_version;
    struct ingest_agent agent = judge(agents, subject, &findings, &os_version);
    struct memory *memory = memory_create(hash, subject, agent, findings.limited);
    if (!memory)
        return (struct agents_found){.agent = {.bot = agent.bot}};
    uint8_t *next = &agents->next[hash % SETS];
    struct memory **place = &agents->ways[hash % SETS][*next];
    *next = (uint8_t)((*next + 1) % WAYS);
    free(*place);
    *place = memory;
    return (struct agents_found){memory->agent, false, memory->limited};
}

/* ---- lifetime ---- */

int agents_create(struct agents **out, const char *path, struct err *err)
{
    struct agents *agents = calloc(1, sizeof(*agents));
    if (!agents)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for user agents");
    int status = path ? agents_patterns_read(&agents->patterns, path, err) : STATUS_OK;
    agents->match = pcre2_match_data_create(MATCH_GROUPS, NULL);
    agents->limits = pcre2_match_context_create(NULL);
    if (!status && (!agents->match || !agents->limits))
        status = err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "no memory for user agents");
    if (status) {
        agents_destroy(&agents);
        return status;
    }
    pcre2_set_match_limit(agents->limits, MATCH_STEPS);
    *out = agents;
    return STATUS_OK;
}

void agents_destroy(struct agents **out)
{
    struct agents *agents = *out;
    *out = NULL;
    if (!agents)
        return;
    for (unsigned i = 0; i < AGENTS_REMEMBERED; i++)
        free(agents->ways[i / WAYS][i % WAYS]);
    agents_patterns_destroy(&agents->patterns);
    pcre2_match_data_free(agents->match);
    pcre2_match_context_free(agents->limits);
    free(agents);
}
