#include "setting.h"

#include "args.h"
#include "json.h"

#include <stdio.h>

#define JSON_MEMORY ((size_t)1 << 20)

static const struct setting TABLE[] = {
    {"analytics_basis", SETTING_CHOICE, 0, 0, "consent|legitimate_interest", "consent",
     "on what ground analytics is done; legitimate_interest needs analytics_reason", true},
    {"analytics_reason", SETTING_TEXT, 0, 1000, NULL, "",
     "the legitimate interest, in words that a person affected can understand", true},
    {"legitimate_interests", SETTING_OBJECT, 0, 4000, NULL, "",
     "other purposes done by legitimate interest while nobody stated anything, each with its "
     "reason: personalization, "
     "cross_device, marketing, sale_or_sharing; {\"personalization\":\"visitors find what they "
     "came for\"}",
     false},
    {"session_idle_seconds", SETTING_INT, 1, 86400, NULL, "1800",
     "a session ends when nothing came for so long", false},
    {"session_max_seconds", SETTING_INT, 60, 2592000, NULL, "86400",
     "a session that would last longer ends, and the next event opens another", false},
    {"rate_limit", SETTING_RATE, 0, 0, NULL, "default",
     "requests a second of each key; default: 1000 of a write key, 100 of a secret key", false},
    {"currency", SETTING_TEXT, 3, 3, NULL, "EUR", "of values sent without one, ISO 4217", false},
    {"stage_events", SETTING_OBJECT, 0, 4000, NULL, "",
     "event name to the stage it moves a session to, forward only, instead of the built-in table; "
     "{\"Quote Requested\":\"decision\"}",
     false},
    {"goal_events", SETTING_OBJECT, 0, 2000, NULL, "",
     "event names that are conversions too, besides Order Completed: event name to conversion "
     "type; {\"Signed Up\":\"email_signup\"}",
     false},
    {"goal_types", SETTING_TEXT, 0, 1000, NULL, "purchase,consultation_booking",
     "conversion types that move a session to the stage conversion, separated by commas", false},
    {"retention_days", SETTING_INT, 0, 36500, NULL, "365",
     "a known person's sessions start in the stage retention for so long after a conversion",
     false},
};

const struct setting *setting_table(unsigned *n)
{
    *n = ARRAY_SIZE(TABLE);
    return TABLE;
}

const struct setting *setting_find(const char *key)
{
    for (unsigned i = 0; i < ARRAY_SIZE(TABLE); i++)
        if (strcmp(TABLE[i].key, key) == 0)
            return &TABLE[i];
    return NULL;
}

const char *setting_range(const struct setting *setting, char out[100])
{
    switch (setting->type) {
    case SETTING_INT:
        (void)snprintf(out, 100, "%lld .. %lld", (long long)setting->min, (long long)setting->max);
        break;
    case SETTING_CHOICE:
        (void)snprintf(out, 100, "%s", setting->choices);
        break;
    case SETTING_RATE:
        (void)snprintf(out, 100, "default|none|1 .. 1000000");
        break;
    case SETTING_OBJECT:
        (void)snprintf(out, 100, "a JSON object, at most %lld bytes", (long long)setting->max);
        break;
    case SETTING_TEXT:
        if (setting->min == setting->max)
            (void)snprintf(out, 100, "%lld characters", (long long)setting->max);
        else
            (void)snprintf(out, 100, "text, at most %lld bytes", (long long)setting->max);
        break;
    }
    return out;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t size = strlen(value);
    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, value, size) == 0 && (at[size] == '|' || at[size] == '\0'))
            return size > 0;
    }
    return false;
}

static bool is_number(const char *value, int64_t min, int64_t max)
{
    int64_t number;
    return args_number(value, &number) == 0 && number >= min && number <= max;
}

static bool is_text(const struct setting *setting, const char *value)
{
    int64_t size = (int64_t)strlen(value);
    return size >= setting->min && size <= setting->max && utf8_valid(slice_str(value));
}

static bool is_object(const char *value)
{
    const struct json_node *root;
    struct arena *arena = arena_create(JSON_MEMORY);
    bool good = arena && json_parse(&root, slice_str(value), arena, NULL) == 0 &&
                json_is(root, JSON_OBJECT);
    arena_destroy(&arena);
    return good;
}

int setting_check(const struct setting *setting, const char *value, struct err *err)
{
    bool good = false;
    switch (setting->type) {
    case SETTING_INT:
        good = is_number(value, setting->min, setting->max);
        break;
    case SETTING_CHOICE:
        good = is_choice(setting->choices, value);
        break;
    case SETTING_RATE:
        good = is_choice("default|none", value) || is_number(value, 1, 1000000);
        break;
    case SETTING_OBJECT:
        good = is_text(setting, value) && (!*value || is_object(value));
        break;
    case SETTING_TEXT:
        good = is_text(setting, value);
        break;
    }
    char range[100];
    return good ? 0
                : err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s must be %s, not '%.60s'",
                          setting->key, setting_range(setting, range), value);
}
