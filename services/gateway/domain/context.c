/* Only what the engine uses is kept of a context: never a whole address, an id of a device, traits, or what nobody listed. */
#include "event.h"

#define NO_FACT GW_FACT_COUNT

/* An object as it came; where it did not, the members behind it make it up. */
#define OBJECT(fact, name)                                                                         \
    {                                                                                              \
        GW_FACT_##fact, true, SLICE_LITERAL("\"" name "\":")                                       \
    }
#define MEMBER(fact, name)                                                                         \
    {                                                                                              \
        GW_FACT_##fact, false, SLICE_LITERAL("\"" name "\":")                                      \
    }
#define MADE_UP(name)                                                                              \
    {                                                                                              \
        NO_FACT, true, SLICE_LITERAL("\"" name "\":")                                              \
    }

static const struct part {
    enum gw_fact fact;
    bool object;
    struct slice key;
} parts[] = {
    OBJECT(PAGE, "page"),
    MEMBER(PAGE_URL, "url"),
    MEMBER(PAGE_PATH, "path"),
    MEMBER(PAGE_TITLE, "title"),
    MEMBER(PAGE_REFERRER, "referrer"),
    OBJECT(CAMPAIGN, "campaign"),
    MEMBER(CAMPAIGN_SOURCE, "source"),
    MEMBER(CAMPAIGN_MEDIUM, "medium"),
    MEMBER(CAMPAIGN_NAME, "name"),
    MEMBER(CAMPAIGN_TERM, "term"),
    MEMBER(CAMPAIGN_CONTENT, "content"),
    OBJECT(REFERRER, "referrer"),
    OBJECT(USER_AGENT, "userAgent"),
    OBJECT(LOCALE, "locale"),
    OBJECT(LIBRARY, "library"),
    MEMBER(LIBRARY_NAME, "name"),
    MEMBER(LIBRARY_VERSION, "version"),
    OBJECT(SCREEN, "screen"),
    MEMBER(SCREEN_WIDTH, "width"),
    MEMBER(SCREEN_HEIGHT, "height"),
    OBJECT(TIMEZONE, "timezone"),
    MADE_UP("device"),
    MEMBER(DEVICE_TYPE, "type"),
    OBJECT(OS, "os"),
    MEMBER(OS_NAME, "name"),
    MEMBER(OS_VERSION, "version"),
    OBJECT(ACTIVE, "active"),
    MADE_UP("consent"),
    MEMBER(CONSENT, "categoryPreferences"),
};

static struct slice value_of(const struct gw_facts *facts, const struct part *part)
{
    return part->fact == NO_FACT ? slice_make(NULL, 0) : facts->at[part->fact];
}

static uint8_t *put(uint8_t *at, struct slice bytes)
{
    memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

/* Key and value, with the comma that follows. */
static uint8_t *put_pair(uint8_t *at, struct slice key, struct slice value)
{
    at = put(put(at, key), value);
    *at++ = ',';
    return at;
}

/* The object of parts[i]; *next is the object behind it. */
static uint8_t *put_object(uint8_t *at, const struct gw_facts *facts, unsigned i, unsigned *next)
{
    const struct part *object = &parts[i];
    struct slice whole = value_of(facts, object);
    uint8_t *start = at;
    bool any = false;
    if (whole.size) {
        at = put_pair(at, object->key, whole);
    } else {
        at = put(at, object->key);
        *at++ = '{';
    }
    for (i++; i < ARRAY_SIZE(parts) && !parts[i].object; i++) {
        struct slice value = value_of(facts, &parts[i]);
        if (whole.size || !value.size)
            continue;
        at = put_pair(at, parts[i].key, value);
        any = true;
    }
    *next = i;
    if (whole.size)
        return at;
    if (!any)
        return start;
    at[-1] = '}';
    *at++ = ',';
    return at;
}

struct slice gw_context_write(const struct gw_facts *facts, struct arena *arena)
{
    size_t room = 2;
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
        room += parts[i].key.size + value_of(facts, &parts[i]).size + 2;
    uint8_t *text = arena_alloc(arena, room), *at = text;
    if (!text)
        return slice_make(NULL, 0);
    *at++ = '{';
    for (unsigned i = 0; i < ARRAY_SIZE(parts);)
        at = put_object(at, facts, i, &i);
    if (at == text + 1)
        return slice_make(NULL, 0);
    at[-1] = '}';
    return slice_make(text, (size_t)(at - text));
}
