#include "entry.h"
#include <strings.h>

#define SOURCE_BYTES 100

static bool contains(struct slice text, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= text.size; i++) {
        if (strncasecmp((const char *)text.data + i, word, size) == 0)
            return true;
    }
    return false;
}

static bool contains_any(struct slice text, const char *const *words)
{
    for (; *words; words++) {
        if (contains(text, *words))
            return true;
    }
    return false;
}

const char *ingest_entry_device(struct slice user_agent, struct slice os)
{
    static const char *const tablets[] = {"ipad", "tablet", "playbook", "silk/", "kindle", NULL};
    static const char *const mobiles[] = {"mobi",       "iphone",     "ipod", "windows phone",
                                          "opera mini", "blackberry", NULL};
    if (contains_any(user_agent, tablets) || contains(os, "ipados"))
        return "tablet";
    if (contains_any(user_agent, mobiles))
        return "mobile";
    if (contains(user_agent, "android")) /* phones say "Mobile" beside it */
        return "tablet";
    return user_agent.size == 0 && (contains(os, "ios") || contains(os, "android")) ? "mobile"
                                                                                    : "desktop";
}

/* ---- where from ---- */

static struct slice without_scheme(struct slice url)
{
    const uint8_t *colon = url.size ? memmem(url.data, url.size, "://", 3) : NULL;
    if (!colon)
        return slice_make(NULL, 0);
    return slice_make(colon + 3, url.size - (size_t)(colon + 3 - url.data));
}

static struct slice cut_at(struct slice text, const char *ends)
{
    size_t n = 0;
    while (n < text.size && !strchr(ends, text.data[n]))
        n++;
    return slice_make(text.data, n);
}

struct slice ingest_entry_host(struct slice url)
{
    struct slice host = cut_at(without_scheme(url), "/?#");
    const uint8_t *at = host.size ? memrchr(host.data, '@', host.size) : NULL;
    if (at)
        host = slice_make(at + 1, host.size - (size_t)(at + 1 - host.data));
    return cut_at(host, ":");
}

static bool equals(struct slice text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

static struct slice without_www(struct slice host)
{
    return host.size > 4 && strncasecmp((const char *)host.data, "www.", 4) == 0
               ? slice_make(host.data + 4, host.size - 4)
               : host;
}

/* "com", "de", "co.uk": what may follow the name of a site that has one for each country */
static bool is_suffix(struct slice rest)
{
    struct slice first = cut_at(rest, ".");
    if (first.size == rest.size)
        return first.size >= 2;
    struct slice second = slice_make(first.data + first.size + 1, rest.size - first.size - 1);
    return first.size <= 3 && second.size == 2 && !memchr(second.data, '.', second.size);
}

/* Whether label is one of the host's, followed by nothing but a suffix. */
static bool is_site(struct slice host, const char *label)
{
    while (host.size) {
        struct slice first = cut_at(host, ".");
        if (first.size == host.size)
            return false;
        host = slice_make(first.data + first.size + 1, host.size - first.size - 1);
        if (equals(first, label) && is_suffix(host))
            return true;
    }
    return false;
}

static const char *site_name(struct slice host)
{
    static const char *const labels[] = {
        "google", "bing",      "yahoo",     "duckduckgo", "ecosia",   "baidu",
        "yandex", "tiktok",    "instagram", "youtube",    "facebook", "twitter",
        "reddit", "pinterest", "linkedin",  "snapchat",   "whatsapp",
    };
    static const struct {
        const char *host, *name;
    } others[] = {{"youtu.be", "youtube"}, {"t.co", "twitter"},   {"x.com", "twitter"},
                  {"fb.com", "facebook"},  {"fb.me", "facebook"}, {"lnkd.in", "linkedin"},
                  {"pin.it", "pinterest"}, {"wa.me", "whatsapp"}, {"m.me", "facebook"},
                  {"g.co", "google"},      {"redd.it", "reddit"}};
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        if (is_site(host, labels[i]))
            return labels[i];
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (equals(without_www(host), others[i].host))
            return others[i].name;
    }
    return NULL;
}

/* An app as referrer (android-app://com.google.android.youtube/): its package, from the most general name to the app's. */
static const char *app_name(struct slice package)
{
    static const struct {
        const char *word, *name;
    } apps[] = {
        {"youtube", "youtube"},      {"musically", "tiktok"},      {"instagram", "instagram"},
        {"facebook", "facebook"},    {"twitter", "twitter"},       {"pinterest", "pinterest"},
        {"linkedin", "linkedin"},    {"snapchat", "snapchat"},     {"whatsapp", "whatsapp"},
        {"reddit", "reddit"},        {"android.google", "google"}, {"android.gm", "google"},
        {"quicksearchbox", "google"}};
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++) {
        if (contains(package, apps[i].word))
            return apps[i].name;
    }
    return NULL;
}

static struct slice lower(struct slice text, struct arena *arena)
{
    size_t size = 0, step;
    while (size < text.size && (step = utf8_sequence(text.data + size, text.size - size)) &&
           size + step <= SOURCE_BYTES)
        size += step;
    uint8_t *out = arena_copy(arena, text.data, size);
    if (!out)
        return slice_make(NULL, 0);
    for (size_t i = 0; i < size; i++)
        out[i] = out[i] >= 'A' && out[i] <= 'Z' ? out[i] | 32 : out[i];
    return slice_make(out, size);
}

struct slice ingest_entry_source(struct slice campaign_source, struct slice referrer,
                                 struct slice page_url, struct arena *arena)
{
    if (campaign_source.size)
        return lower(campaign_source, arena);
    struct slice host = ingest_entry_host(referrer), own = ingest_entry_host(page_url);
    if (host.size == 0)
        return SLICE_LITERAL("direct");
    if (referrer.size > 14 && strncasecmp((const char *)referrer.data, "android-app://", 14) == 0) {
        const char *app = app_name(host);
        return app ? slice_str(app) : SLICE_LITERAL("referral");
    }
    struct slice a = lower(without_www(host), arena), b = lower(without_www(own), arena);
    if (slice_equal(a, b))
        return SLICE_LITERAL("direct");
    const char *name = site_name(host);
    if (name && strcmp(name, "youtube") == 0 && contains(referrer, "/shorts/"))
        name = "youtube_shorts";
    return name ? slice_str(name) : SLICE_LITERAL("referral");
}
