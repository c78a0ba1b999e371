#include "channel.h"
#include "entry.h"
#include "url.h"
#include <stdlib.h>

#define TEXT_BYTES 100

/* ---- what kind of site a source is ---- */

enum category {
    ANY,
    SEARCH,
    SHOPPING,
    SOCIAL,
    VIDEO
};

static const struct source {
    const char *name;
    enum category category;
} sources[] = {
#define SOURCE(name, category) {name, category},
#include "sources.def"
#undef SOURCE
};

static int compare(const void *key, const void *element)
{
    const struct source *source = element;
    return slice_compare(*(const struct slice *)key, slice_str(source->name));
}

static enum category category_of_name(struct slice name)
{
    const struct source *found =
        bsearch(&name, sources, ARRAY_SIZE(sources), sizeof(sources[0]), compare);
    return found ? found->category : ANY;
}

/* By its name; a host also by the sites above it, but for the last label ("l.facebook.com": facebook.com). */
static enum category category_of(struct slice source)
{
    enum category category = category_of_name(source);
    for (struct slice rest = source; category == ANY;) {
        size_t label = ingest_text_until(rest, ".").size + 1;
        if (label >= rest.size)
            break;
        rest = slice_make(rest.data + label, rest.size - label);
        if (ingest_text_until(rest, ".").size == rest.size)
            break;
        category = category_of_name(rest);
    }
    return category;
}

/* ---- click ids: whose advertisement, or link, was clicked ---- */

static const struct ingest_click {
    const char *parameter, *source, *medium;
} clicks[] = {
    {"gclid", "google", "cpc"},        {"gbraid", "google", "cpc"},
    {"wbraid", "google", "cpc"},       {"dclid", "google", "display"},
    {"msclkid", "bing", "cpc"},        {"yclid", "yandex", "cpc"},
    {"ttclid", "tiktok", "cpc"},       {"twclid", "twitter", "cpc"},
    {"li_fat_id", "linkedin", "cpc"},  {"ScCid", "snapchat", "cpc"},
    {"epik", "pinterest", "cpc"},      {"rdt_cid", "reddit", "cpc"},
    {"fbclid", "facebook", "social"}, /* these two stand at every link, paid for or not */
    {"igshid", "instagram", "social"},
};

const struct ingest_click *ingest_click_of(struct slice parameter)
{
    for (size_t i = 0; i < ARRAY_SIZE(clicks); i++) {
        if (slice_equal_str(parameter, clicks[i].parameter))
            return &clicks[i];
    }
    return NULL;
}

/* ---- the rules ---- */

#define PAID      "*cp*|ppc|retargeting|paid*"
#define SHOP      "*shopping*|~shop"
#define EMAIL     "email|e-mail|e_mail|e mail"
#define SOCIALLY  "social|social-network|social-media|sm|social network|social media"
#define BANNERS   "display|banner|expandable|interstitial|cpm"
#define REFERRING "referral|app|link"

/* Alternatives divided by '|'; '*' at an end stands for anything, "~word" for the word at the beginning or after no
 * letter but e ("eshop", not "workshop"). NULL: whatever it is. */
static const struct rule {
    const char *channel;
    enum category category; /* of the source */
    const char *source, *medium, *campaign;
} rules[] = {
    {INGEST_CHANNEL_DIRECT, ANY, "(direct)", "(none)|(not set)", NULL},
    {"Cross-network", ANY, NULL, NULL, "*cross-network*"},
    {"Paid Shopping", SHOPPING, NULL, PAID, NULL},
    {"Paid Shopping", ANY, NULL, PAID, SHOP},
    {"Paid Search", SEARCH, NULL, PAID, NULL},
    {"Paid Social", SOCIAL, NULL, PAID, NULL},
    {"Paid Video", VIDEO, NULL, PAID, NULL},
    {"Display", ANY, NULL, BANNERS, NULL},
    {"Paid Other", ANY, NULL, PAID, NULL},
    {"Organic Shopping", SHOPPING, NULL, NULL, NULL},
    {"Organic Shopping", ANY, NULL, NULL, SHOP},
    {"Organic Social", SOCIAL, NULL, NULL, NULL},
    {"Organic Social", ANY, NULL, SOCIALLY, NULL},
    {"Organic Video", VIDEO, NULL, NULL, NULL},
    {"Organic Video", ANY, NULL, "*video*", NULL},
    {"Organic Search", SEARCH, NULL, NULL, NULL},
    {"Organic Search", ANY, NULL, "organic", NULL},
    {"Referral", ANY, NULL, REFERRING, NULL},
    {"Email", ANY, EMAIL, NULL, NULL},
    {"Email", ANY, NULL, EMAIL, NULL},
    {"Affiliates", ANY, NULL, "affiliate", NULL},
    {"Audio", ANY, NULL, "audio", NULL},
    {"SMS", ANY, "sms", NULL, NULL},
    {"SMS", ANY, NULL, "sms", NULL},
    {"Mobile Push Notifications", ANY, NULL, "*push|*mobile*|*notification*", NULL},
    {"Mobile Push Notifications", ANY, "firebase", NULL, NULL},
};

static bool has_word(struct slice text, struct slice word)
{
    for (size_t i = 0; i + word.size <= text.size; i++) {
        uint8_t before = i ? text.data[i - 1] : ' ';
        if (memcmp(text.data + i, word.data, word.size) == 0 &&
            (before < 'a' || before > 'z' || before == 'e'))
            return true;
    }
    return false;
}

static bool matches_one(struct slice text, struct slice pattern)
{
    if (pattern.data[0] == '~')
        return has_word(text, slice_make(pattern.data + 1, pattern.size - 1));
    bool before = pattern.data[0] == '*', behind = pattern.data[pattern.size - 1] == '*';
    struct slice word =
        slice_make(pattern.data + before, pattern.size - (size_t)before - (size_t)behind);
    if (text.size < word.size)
        return false;
    if (before && behind)
        return memmem(text.data, text.size, word.data, word.size) != NULL;
    size_t at = before ? text.size - word.size : 0;
    return (before || behind || text.size == word.size) &&
           memcmp(text.data + at, word.data, word.size) == 0;
}

static bool matches(struct slice text, const char *patterns)
{
    if (!patterns)
        return true;
    for (struct slice rest = slice_str(patterns); text.size && rest.size;) {
        struct slice one = ingest_text_until(rest, "|");
        if (matches_one(text, one))
            return true;
        size_t taken = one.size + (one.size < rest.size);
        rest = slice_make(rest.data + taken, rest.size - taken);
    }
    return false;
}

const char *ingest_channel(const struct ingest_arrival *arrival, struct arena *arena)
{
    struct slice source = ingest_text_lower(arrival->source, TEXT_BYTES, arena);
    struct slice medium = ingest_text_lower(arrival->medium, TEXT_BYTES, arena);
    struct slice campaign = ingest_text_lower(arrival->campaign, TEXT_BYTES, arena);
    const struct ingest_click *click = arrival->click;
    struct slice from = arrival->referrer_host;
    bool led = source.size || medium.size || campaign.size || click;
    const char *site = NULL;
    if (!led && !from.size)
        return "";
    if (click && !source.size)
        source = slice_str(click->source);
    if (click && !medium.size)
        medium = slice_str(click->medium);
    if (!source.size && from.size) {
        source = from;
        site = ingest_entry_site(arrival->referrer);
    }
    if (!led)
        medium = SLICE_LITERAL("referral");
    enum category category = category_of(source);
    if (category == ANY && site)
        category = category_of_name(slice_str(site));
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        const struct rule *rule = &rules[i];
        if ((rule->category == ANY || rule->category == category) &&
            matches(source, rule->source) && matches(medium, rule->medium) &&
            matches(campaign, rule->campaign))
            return rule->channel;
    }
    return "Unassigned";
}
