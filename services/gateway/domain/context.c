/* Only what the engine uses is kept of a context: never an address, an id of a device, traits, or what nobody listed. */
#include "event.h"

/* Members of the context that is written, in order; those of one object stand together. */
static const struct {
    enum gw_fact member;
    const char *object,
        *name; /* name NULL: the object as it came, which its single members fill in for */
} written[] = {
    {GW_FACT_PAGE, "page", NULL},
    {GW_FACT_PAGE_URL, "page", "url"},
    {GW_FACT_PAGE_PATH, "page", "path"},
    {GW_FACT_PAGE_TITLE, "page", "title"},
    {GW_FACT_PAGE_REFERRER, "page", "referrer"},
    {GW_FACT_CAMPAIGN, "campaign", NULL},
    {GW_FACT_CAMPAIGN_SOURCE, "campaign", "source"},
    {GW_FACT_CAMPAIGN_MEDIUM, "campaign", "medium"},
    {GW_FACT_CAMPAIGN_NAME, "campaign", "name"},
    {GW_FACT_CAMPAIGN_TERM, "campaign", "term"},
    {GW_FACT_CAMPAIGN_CONTENT, "campaign", "content"},
    {GW_FACT_REFERRER, "referrer", NULL},
    {GW_FACT_USER_AGENT, "userAgent", NULL},
    {GW_FACT_LOCALE, "locale", NULL},
    {GW_FACT_LIBRARY, "library", NULL},
    {GW_FACT_LIBRARY_NAME, "library", "name"},
    {GW_FACT_LIBRARY_VERSION, "library", "version"},
    {GW_FACT_SCREEN, "screen", NULL},
    {GW_FACT_SCREEN_WIDTH, "screen", "width"},
    {GW_FACT_SCREEN_HEIGHT, "screen", "height"},
    {GW_FACT_TIMEZONE, "timezone", NULL},
    {GW_FACT_DEVICE_TYPE, "device", "type"},
    {GW_FACT_OS, "os", NULL},
    {GW_FACT_OS_NAME, "os", "name"},
    {GW_FACT_OS_VERSION, "os", "version"},
    {GW_FACT_ACTIVE, "active", NULL},
    {GW_FACT_CONSENT, "consent", "categoryPreferences"},
    {GW_FACT_IP, "ip", NULL},
};

/* The object that row i begins, up to the row behind it; true: something was written. */
static bool write_object(struct json_writer *w, const struct gw_facts *fields, unsigned i,
                         unsigned end)
{
    bool begun = false;
    if (!written[i].name && fields->at[written[i].member].size) {
        json_key(w, written[i].object);
        json_write_raw(w, fields->at[written[i].member]);
        return true;
    }
    for (; i < end; i++) {
        struct slice raw = fields->at[written[i].member];
        if (!written[i].name || !raw.size)
            continue;
        if (!begun) {
            json_key(w, written[i].object);
            json_begin_object(w);
        }
        begun = true;
        json_key(w, written[i].name);
        json_write_raw(w, raw);
    }
    if (begun)
        json_end_object(w);
    return begun;
}

struct slice gw_context_write(const struct gw_facts *fields, struct arena *arena)
{
    _cleanup_(buf_deinit) struct buf buf = {0};
    struct json_writer w = json_writer_make(&buf);
    unsigned n = 0;
    json_begin_object(&w);
    for (unsigned i = 0, end; i < ARRAY_SIZE(written); i = end) {
        end = i + 1;
        while (end < ARRAY_SIZE(written) && strcmp(written[end].object, written[i].object) == 0)
            end++;
        n += write_object(&w, fields, i, end);
    }
    json_end_object(&w);
    return n ? arena_slice(arena, buf_slice(&buf)) : slice_make(NULL, 0);
}
