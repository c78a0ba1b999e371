#include "path.h"

struct rule {
    const char *device, *source, *path;
};

#define FAST_TRACK "mobile_tiktok_fast_track"
#define DEEP       "desktop_research_deep"

static const struct rule rules[] = {
    {"mobile", "tiktok", FAST_TRACK},
    {"mobile", "instagram", FAST_TRACK},
    {"mobile", "youtube_shorts", FAST_TRACK},
    {"desktop", "google", DEEP},
    {"desktop", "direct", DEEP},
    {"desktop", "referral", DEEP},
};

const char *path_choose(const char *device_type, const char *source, bool returning)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].device, device_type) == 0 && strcmp(rules[i].source, source) == 0)
            return rules[i].path;
    return returning ? "returning_visitor_personalized" : "standard_conversion_funnel";
}

const char *path_device(const char *device_type)
{
    static const char *const known[] = {"mobile", "tablet", "desktop"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(known[i], device_type) == 0)
            return known[i];
    return "desktop";
}
