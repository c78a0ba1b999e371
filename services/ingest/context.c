/* An event's context: one pass over its members and over the parameters of the page's address. */
#include "domain/channel.h"
#include "domain/url.h"
#include "ingest.h"
#include "json.h"

#define CONTEXT_TEXT(member) offsetof(struct ingest_context, member)

/* {member of the context, member of it (NULL: the value itself), where to} */
static const struct {
    const char *outer, *inner;
    size_t to;
} texts[] = {
    {"userAgent", NULL, CONTEXT_TEXT(user_agent)},
    {"ip", NULL, CONTEXT_TEXT(ip)},
    {"os", "name", CONTEXT_TEXT(os)},
    {"os", "version", CONTEXT_TEXT(os_version)},
    {"page", "url", CONTEXT_TEXT(page_url)},
    {"page", "path", CONTEXT_TEXT(page_path)},
    {"page", "referrer", CONTEXT_TEXT(referrer)},
    {"campaign", "source", CONTEXT_TEXT(source)},
    {"campaign", "medium", CONTEXT_TEXT(medium)},
    {"campaign", "name", CONTEXT_TEXT(campaign)},
    {"campaign", "term", CONTEXT_TEXT(term)},
    {"campaign", "content", CONTEXT_TEXT(content)},
};

static struct slice *text_of(struct ingest_context *context, size_t offset)
{
    return (struct slice *)((char *)context + offset);
}

static void read_member(struct ingest_context *context, const struct json_node *member,
                        struct arena *arena)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!slice_equal_str(member->key, texts[i].outer))
            continue;
        const struct json_node *value = texts[i].inner ? json_get(member, texts[i].inner) : member;
        *text_of(context, texts[i].to) = json_string(value, arena);
    }
    if (slice_equal_str(member->key, "bot"))
        context->bot = json_truthy(member);
    else if (slice_equal_str(member->key, "consent"))
        context->preferences = json_get(member, "categoryPreferences");
}

/* What the client took out of the address before others: it knows its own names for these parameters. */
static void read_address(struct ingest_context *context, struct arena *arena)
{
    static const struct {
        const char *parameter;
        size_t to;
    } campaign[] = {{"utm_source", CONTEXT_TEXT(source)},
                    {"utm_medium", CONTEXT_TEXT(medium)},
                    {"utm_campaign", CONTEXT_TEXT(campaign)},
                    {"utm_term", CONTEXT_TEXT(term)},
                    {"utm_content", CONTEXT_TEXT(content)}};
    struct slice query = ingest_url_query(context->page_url), name, value;
    while (ingest_url_parameter(&query, &name, &value)) {
        if (value.size == 0)
            continue;
        if (!context->click)
            context->click = ingest_click_of(name);
        for (size_t i = 0; i < ARRAY_SIZE(campaign); i++) {
            struct slice *to = text_of(context, campaign[i].to);
            if (to->size == 0 && slice_equal_str(name, campaign[i].parameter))
                *to = ingest_url_decoded(value, arena);
        }
    }
}

/* A context that is no JSON is as good as none. */
void ingest_context_read(struct ingest_context *context, const char *text, struct arena *arena)
{
    *context = (struct ingest_context){.root = NULL};
    if (!text[0] || json_parse(&context->root, slice_str(text), arena, NULL) < 0)
        return;
    if (json_is(context->root, JSON_OBJECT)) {
        for (const struct json_node *member = context->root->child; member; member = member->next)
            read_member(context, member, arena);
    }
    read_address(context, arena);
}
