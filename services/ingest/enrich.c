/* What an event's context says, in everybody's words: page, channel, device, place. */
#include "agents.h"
#include "domain/channel.h"
#include "domain/entry.h"
#include "domain/url.h"
#include "ingest.h"
#include "places.h"

#define HOST_BYTES    255
#define PATH_BYTES    500
#define VERSION_BYTES 32
#define NAME_BYTES    64

struct ingest_files ingest_files;

static bool is_bot(struct stream_decision *d, const struct ingest_context *context)
{
    struct ingest_agent agent = {.bot = false};
    if (context->user_agent.size == 0)
        return context->bot;
    if (!ingest_files.agents) {
        ingest_agent_judge(&agent, context->user_agent);
        return context->bot || agent.bot;
    }
    struct agents_found found = agents_find(ingest_files.agents, context->user_agent);
    if (!found.remembered)
        stream_count(d, INGEST_COUNT_AGENTS_JUDGED, 1);
    if (!found.remembered && found.limited)
        stream_count(d, INGEST_COUNT_AGENTS_LIMITED, 1);
    return context->bot || found.agent.bot;
}

static struct slice path_of(const struct ingest_context *context)
{
    struct slice path = ingest_url_path(context->page_url);
    return ingest_text_cut(path.size ? path : context->page_path, PATH_BYTES);
}

Journey__V1__Enrichment *ingest_enrich(struct stream_decision *d, const Journey__V1__Event *event,
                                       const struct ingest_context *context)
{
    struct arena *arena = d->arena;
    Journey__V1__Enrichment *to = arena_alloc(arena, sizeof(*to));
    if (!to)
        return NULL;
    journey__v1__enrichment__init(to);
    to->prefetch = event->prefetch;
    if (!context->root)
        return to;
    struct slice from = ingest_entry_referrer(context->referrer, context->page_url, arena);
    const struct ingest_arrival arrival = {
        .source = context->source,
        .medium = context->medium,
        .campaign = context->campaign,
        .click = context->click,
        .referrer = context->referrer,
        .referrer_host = from,
    };
    to->page_host =
        arena_str(arena, ingest_text_lower(ingest_url_host(context->page_url), HOST_BYTES, arena));
    to->page_path = arena_str(arena, path_of(context));
    to->referrer_host = arena_str(arena, from);
    to->channel = arena_str(arena, slice_str(ingest_channel(&arrival, arena)));
    to->bot = is_bot(d, context);
    return to->page_host && to->page_path && to->referrer_host && to->channel ? to : NULL;
}

/* ---- the beginning of a session ---- */

/* The patterns' word; what they do not know, the client's. */
static char *either(struct slice found, struct slice said, size_t limit, struct arena *arena)
{
    return arena_str(arena, found.size ? found : ingest_text_cut(said, limit));
}

static void set_agent(Journey__V1__SessionStart *start, const struct ingest_context *context,
                      struct arena *arena)
{
    struct ingest_agent agent = {.bot = false};
    if (ingest_files.agents && context->user_agent.size)
        agent = agents_find(ingest_files.agents, context->user_agent).agent;
    start->browser = arena_str(arena, agent.browser);
    start->browser_version = arena_str(arena, agent.browser_version);
    bool says = !agent.os.size; /* then its version is of another system */
    start->os = either(agent.os, context->os, NAME_BYTES, arena);
    start->os_version = either(agent.os_version, says ? context->os_version : slice_make(NULL, 0),
                               VERSION_BYTES, arena);
    start->device_brand = arena_str(arena, agent.brand);
    start->device_model = arena_str(arena, agent.model);
    start->device_class =
        arena_str(arena, slice_str(ingest_agent_class(context->user_agent, context->os)));
}

static void set_place(Journey__V1__SessionStart *start, const struct ingest_context *context,
                      struct arena *arena)
{
    if (!ingest_files.places || !context->ip.size)
        return;
    struct place place = places_find(ingest_files.places, context->ip);
    start->country = arena_str(arena, place.country);
    start->region = arena_str(arena, place.region);
    start->city = arena_str(arena, place.city);
}

void ingest_enrich_start(Journey__V1__SessionStart *start, const struct ingest_context *context,
                         const Journey__V1__Enrichment *enrichment, struct arena *arena)
{
    const char *channel = enrichment->channel[0] ? enrichment->channel : INGEST_CHANNEL_DIRECT;
    start->channel = arena_str(arena, slice_str(channel));
    set_agent(start, context, arena);
    set_place(start, context, arena);
    start->landing_page = arena_printf(arena, "%s%s", enrichment->page_host, enrichment->page_path);
    start->bot = enrichment->bot;
    start->prefetch = enrichment->prefetch;
}
