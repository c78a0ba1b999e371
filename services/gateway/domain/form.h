#pragma once
/*
 * A client's form: which of its members is which of ours, as a table of paths. One pass over an event's bytes checks it
 * and finds the members that the table names; all others are stepped over.
 */
#include "event_type.h"
#include "fault.h"
#include "json.h"

/* What is looked for in an event. FACT(id) */
#define GW_FACT_TABLE(FACT)                                                                        \
    FACT(MESSAGE_ID)                                                                               \
    FACT(TYPE)                                                                                     \
    FACT(NAME)      /* of a track */                                                               \
    FACT(PAGE_NAME) /* of a page or screen */                                                      \
    FACT(ANONYMOUS_ID)                                                                             \
    FACT(USER_ID)                                                                                  \
    FACT(GROUP_ID)                                                                                 \
    FACT(PREVIOUS_ID)                                                                              \
    FACT(SESSION_ID)                                                                               \
    FACT(TIMESTAMP)                                                                                \
    FACT(SENT_AT)                                                                                  \
    FACT(PROPERTIES)                                                                               \
    FACT(TRAITS)                                                                                   \
    FACT(CONTEXT) /* the whole: must be an object where it is there */                             \
    FACT(CONTEXT_TRAITS)                                                                           \
    /* what is kept of a context: objects as they are, or their members one by one */              \
    FACT(PAGE)                                                                                     \
    FACT(PAGE_URL)                                                                                 \
    FACT(PAGE_PATH)                                                                                \
    FACT(PAGE_TITLE)                                                                               \
    FACT(PAGE_REFERRER)                                                                            \
    FACT(CAMPAIGN)                                                                                 \
    FACT(CAMPAIGN_SOURCE)                                                                          \
    FACT(CAMPAIGN_MEDIUM)                                                                          \
    FACT(CAMPAIGN_NAME)                                                                            \
    FACT(CAMPAIGN_TERM)                                                                            \
    FACT(CAMPAIGN_CONTENT)                                                                         \
    FACT(REFERRER)                                                                                 \
    FACT(USER_AGENT)                                                                               \
    FACT(LOCALE)                                                                                   \
    FACT(TIMEZONE)                                                                                 \
    FACT(LIBRARY)                                                                                  \
    FACT(LIBRARY_NAME)                                                                             \
    FACT(LIBRARY_VERSION)                                                                          \
    FACT(SCREEN)                                                                                   \
    FACT(SCREEN_WIDTH)                                                                             \
    FACT(SCREEN_HEIGHT)                                                                            \
    FACT(DEVICE_TYPE)                                                                              \
    FACT(OS)                                                                                       \
    FACT(OS_NAME)                                                                                  \
    FACT(OS_VERSION)                                                                               \
    FACT(ACTIVE)                                                                                   \
    FACT(CONSENT)                                                                                  \
    FACT(IP)                                                                                       \
    /* what only some forms have, and their finish() reads */                                      \
    FACT(EXTRA_1)                                                                                  \
    FACT(EXTRA_2)                                                                                  \
    FACT(EXTRA_3)                                                                                  \
    FACT(EXTRA_4)

enum gw_fact {
#define GW_FACT_ENUM(id) GW_FACT_##id,
    GW_FACT_TABLE(GW_FACT_ENUM)
#undef GW_FACT_ENUM
    GW_FACT_COUNT
};

/* Of several rows of one member the first that the event has counts; null is the same as absent. */
struct gw_row {
    enum gw_fact member;
    const char *path; /* "context.page.url" */
};

/* What an event's own word for its type means. */
struct gw_type_word {
    const char *word;
    enum gw_event_type type;
    const char *name; /* of the event; NULL: as the table says */
};

/* What was found: JSON values as they came, size 0: not there; by which row. */
struct gw_facts {
    struct slice event; /* all of it */
    struct slice at[GW_FACT_COUNT];
    uint8_t row[GW_FACT_COUNT];
};

struct gw_form {
    const struct gw_row *rows;
    unsigned n_rows; /* at most GW_MAX_ROWS */
    const struct gw_type_word *types;
    unsigned n_types;
    bool times_in_ms; /* a time of 12 or 13 digits is milliseconds since 1970 */
    bool any_type;    /* a word that is not in the table is the name of a track */
    /* Puts right what a table cannot say; NULL: nothing. false: the arena is full. */
    bool (*finish)(struct gw_facts *fields, struct gw_faults *faults, struct arena *arena);
};
#define GW_MAX_ROWS 96

struct gw_form_index; /* a form's paths, ready for look-ups */
/* Lives in the arena; NULL: it is full. Paths are borrowed. */
struct gw_form_index *gw_form_index(const struct gw_form *form, struct arena *arena);

/*
 * Reads the event, a JSON object and nothing after it. false: it is not one; a fault says why. The slices point into
 * the event.
 */
bool gw_form_read(const struct gw_form_index *index, struct slice event, struct gw_facts *fields,
                  struct gw_faults *faults, struct arena *arena);
/* The path under which a member was found, else the first that the form has for it: for faults. */
const char *gw_form_path(const struct gw_form *form, const struct gw_facts *fields,
                         enum gw_fact member);
const struct gw_form *gw_form_of(const struct gw_form_index *index);
