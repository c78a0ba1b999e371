#include "agent.h"
#include "entry.h"
#include "url.h"

/* Words of programs that fetch, watch or render pages by themselves. */
static const char *const bot_words[] = {
    "bot",           "crawl",         "spider",       "headless",        "lighthouse",
    "prerender",     "monitor",       "curl/",        "wget/",           "python-requests",
    "python-urllib", "aiohttp",       "python-httpx", "go-http-",        "axios/",
    "node-fetch",    "libwww-perl",   "scrapy",       "phantomjs",       "slurp",
    "puppeteer",     "playwright",    "selenium",     "pingdom",         "statuscake",
    "uptime",        "gtmetrix",      "pagespeed",    "bingpreview",     "facebookexternalhit",
    "httrack",       "archiver",      "feedfetcher",  "mediapartner",    "google-inspectiontool",
    "ia_archive",    "apache-httpcl", "http_request", "google-extended",
};

static bool has_word(struct slice text, const char *word)
{
    size_t size = strlen(word);
    for (const uint8_t *at = text.data, *end = text.data + text.size;
         (at = memmem(at, (size_t)(end - at), word, size)); at += size) {
        bool cubot = at - text.data >= 2 && memcmp(at - 2, "cu", 2) == 0; /* a maker of phones */
        if (!cubot)
            return true;
    }
    return false;
}

static bool is_bot(struct slice user_agent)
{
    uint8_t lower[INGEST_AGENT_BYTES];
    size_t size = user_agent.size < sizeof(lower) ? user_agent.size : sizeof(lower);
    for (size_t i = 0; i < size; i++)
        lower[i] = user_agent.data[i] >= 'A' && user_agent.data[i] <= 'Z' ? user_agent.data[i] | 32
                                                                          : user_agent.data[i];
    for (size_t i = 0; i < ARRAY_SIZE(bot_words); i++) {
        if (has_word(slice_make(lower, size), bot_words[i]))
            return true;
    }
    return false;
}

static bool begins(struct slice text, const char *word)
{
    size_t size = strlen(word);
    return text.size >= size && memcmp(text.data, word, size) == 0;
}

void ingest_agent_judge(struct ingest_agent *agent, struct slice user_agent)
{
    const struct slice none = {0};
    agent->bot = slice_equal_str(agent->brand, "Spider") || is_bot(user_agent);
    if (slice_equal_str(agent->browser, "Other"))
        agent->browser = agent->browser_version = none;
    if (slice_equal_str(agent->os, "Other"))
        agent->os = agent->os_version = none;
    if (begins(agent->brand, "Generic") || slice_equal_str(agent->brand, "Spider"))
        agent->brand = agent->model = none;
}

const char *ingest_agent_class(struct slice user_agent, struct slice os)
{
    static const struct {
        const char *word, *class;
    } words[] = {
        {"playstation", "console"},
        {"nintendo", "console"},
        {"xbox", "console"},
        {"smart-tv", "tv"},
        {"smarttv", "tv"},
        {"googletv", "tv"},
        {"google tv", "tv"},
        {"android tv", "tv"},
        {"appletv", "tv"},
        {"apple tv", "tv"},
        {"hbbtv", "tv"},
        {"netcast", "tv"},
        {"web0s", "tv"},
        {"webos.tv", "tv"},
        {"bravia", "tv"},
        {"roku", "tv"},
        {"crkey", "tv"},
        {"viera", "tv"},
        {"; aft", "tv"},
        {"tv safari", "tv"},
        {"watch", "watch"},
        {"wear os", "watch"},
        {"tesla/", "car"},
        {"qtcarbrowser", "car"},
        {"android automotive", "car"},
    };
    static const struct {
        const char *word, *class;
    } systems[] = {{"tvos", "tv"},       {"android tv", "tv"}, {"webos", "tv"},
                   {"watchos", "watch"}, {"wear os", "watch"}, {"playstation", "console"},
                   {"xbox", "console"}};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (ingest_text_contains(user_agent, words[i].word))
            return words[i].class;
    }
    for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
        if (ingest_text_contains(os, systems[i].word))
            return systems[i].class;
    }
    return ingest_entry_device(user_agent, os);
}
