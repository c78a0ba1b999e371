#include "stage.h"

static const char *const names[] = {
#define STAGE_TEXT(id, name) name,
    STAGE_TABLE(STAGE_TEXT)
#undef STAGE_TEXT
};

/* from, to: any move forward; one step back from consideration and decision; retention begins anew
 * at consideration */
static const bool legal[STAGE_COUNT][STAGE_COUNT] = {
    /*                       aware  consid decis  conver retention */
    [STAGE_AWARENESS] = {false, true, true, true, true},
    [STAGE_CONSIDERATION] = {true, false, true, true, true},
    [STAGE_DECISION] = {false, true, false, true, true},
    [STAGE_CONVERSION] = {false, false, false, false, true},
    [STAGE_RETENTION] = {false, true, false, false, false},
};

static const struct stage_rule defaults[] = {
    {"Product List Viewed", STAGE_CONSIDERATION},
    {"Product Viewed", STAGE_CONSIDERATION},
    {"Products Searched", STAGE_CONSIDERATION},
    {"Product Added", STAGE_DECISION},
    {"Cart Viewed", STAGE_DECISION},
    {"Checkout Started", STAGE_DECISION},
    {"Payment Info Entered", STAGE_DECISION},
    {"Coupon Applied", STAGE_DECISION},
    {"Order Completed", STAGE_CONVERSION},
};
const struct stage_rules stage_default_rules = {defaults, ARRAY_SIZE(defaults)};

const char *stage_name(enum stage stage)
{
    assert(stage >= 0 && stage < STAGE_COUNT);
    return names[stage];
}

enum stage stage_parse(const char *name)
{
    for (int i = 0; i < STAGE_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum stage)i;
    return STAGE_NONE;
}

bool stage_move_legal(enum stage from, enum stage to)
{
    assert(from >= 0 && from < STAGE_COUNT && to >= 0 && to < STAGE_COUNT);
    return legal[from][to];
}

enum stage stage_by_event(const struct stage_rules *rules, const char *event)
{
    for (size_t i = 0; i < rules->n; i++)
        if (strcmp(rules->rules[i].event, event) == 0)
            return rules->rules[i].stage;
    return STAGE_NONE;
}
