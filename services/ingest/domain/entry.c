#include "entry.h"
#include "url.h"
#include <strings.h>

#define SOURCE_BYTES 100
#define HOST_BYTES   255

static bool contains_any(struct slice text, const char *const *words)
{
    for (; *words; words++) {
        if (ingest_text_contains(text, *words))
            return true;
    }
    return false;
}

const char *ingest_entry_device(struct slice user_agent, struct slice os)
{
    static const char *const tablets[] = {"ipad", "tablet", "playbook", "silk/", "kindle", NULL};
    static const char *const mobiles[] = {"mobi",       "iphone",     "ipod", "windows phone",
                                          "opera mini", "blackberry", NULL};
    if (contains_any(user_agent, tablets) || ingest_text_contains(os, "ipados"))
        return "tablet";
    if (contains_any(user_agent, mobiles))
        return "mobile";
    if (ingest_text_contains(user_agent, "android")) /* phones say "Mobile" beside it */
        return "tablet";
    return user_agent.size == 0 &&
                   (ingest_text_contains(os, "ios") || ingest_text_contains(os, "android"))
               ? "mobile"
               : "desktop";
}

/* ---- where from ---- */

/* "com", "de", "co.uk": what may follow the name of a site that has one for each country */
static bool is_suffix(struct slice rest)
{
    struct slice first = ingest_text_until(rest, ".");
    if (first.size == rest.size)
        return first.size >= 2;
    struct slice second = slice_make(first.data + first.size + 1, rest.size - first.size - 1);
    return first.size <= 3 && second.size == 2 && !memchr(second.data, '.', second.size);
}

/* Whether label is one of the host's, followed by nothing but a suffix. */
static bool is_site(struct slice host, const char *label)
{
    while (host.size) {
        struct slice first = ingest_text_until(host, ".");
        if (first.size == host.size)
            return false;
        host = slice_make(first.data + first.size + 1, host.size - first.size - 1);
        if (ingest_text_equals(first, label) && is_suffix(host))
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
        if (ingest_text_equals(ingest_host_without_www(host), others[i].host))
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
        if (ingest_text_contains(package, apps[i].word))
            return apps[i].name;
    }
    return NULL;
}

static bool is_app(struct slice referrer)
{
    static const char scheme[] = "android-app://";
    return referrer.size > sizeof(scheme) - 1 &&
           strncasecmp((const char *)referrer.data, scheme, sizeof(scheme) - 1) == 0;
}

const char *ingest_entry_site(struct slice referrer)
{
    struct slice host = ingest_url_host(referrer);
    return is_app(referrer) ? app_name(host) : site_name(host);
}

struct slice ingest_entry_referrer(struct slice referrer, struct slice page_url,
                                   struct arena *arena)
{
    struct slice host = ingest_text_lower(ingest_url_host(referrer), HOST_BYTES, arena);
    struct slice own = ingest_text_lower(ingest_url_host(page_url), HOST_BYTES, arena);
    bool same = slice_equal(ingest_host_without_www(host), ingest_host_without_www(own));
    return same ? slice_make(NULL, 0) : host;
}

struct slice ingest_entry_source(struct slice campaign_source, struct slice referrer,
                                 struct slice page_url, struct arena *arena)
{
    if (campaign_source.size)
        return ingest_text_lower(campaign_source, SOURCE_BYTES, arena);
    if (ingest_entry_referrer(referrer, page_url, arena).size == 0)
        return SLICE_LITERAL("direct");
    const char *name = ingest_entry_site(referrer);
    if (name && strcmp(name, "youtube") == 0 && ingest_text_contains(referrer, "/shorts/"))
        name = "youtube_shorts";
    return name ? slice_str(name) : SLICE_LITERAL("referral");
}
