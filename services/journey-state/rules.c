#include "rules.h"

#include "domain/text.h"
#include "jsonb.h"

#define NAME_MAX_CHARS 255
#define TYPE_MAX_CHARS 50

static void read_number(const char *value, int64_t unit, int64_t min, int64_t max, int64_t *out)
{
    int64_t number = 0;
    for (const char *p = value; *p; p++) {
        if (*p < '0' || *p > '9' || number > max)
            return;
        number = number * 10 + (*p - '0');
    }
    if (value[0] && number >= min && number <= max)
        *out = number * unit;
}

static const char *key_text(const struct json_node *member, struct arena *arena)
{
    const struct json_node key = {.type = JSON_STRING,
                                  .escaped = member->key_escaped,
                                  .raw = slice_make(member->key.data - 1, member->key.size + 2)};
    return jsonb_string(&key, NAME_MAX_CHARS, arena);
}

static void read_stage_events(const struct json_node *root, struct arena *arena,
                              const struct stage_rules **out)
{
    if (!json_is(root, JSON_OBJECT) || root->count > RULES_MAX)
        return;
    struct stage_rules *table = arena_alloc(arena, sizeof(*table));
    struct stage_rule *rules = arena_alloc(arena, (root->count + 1) * sizeof(*rules));
    if (!table || !rules)
        return;
    for (const struct json_node *m = root->child; m; m = m->next) {
        enum stage stage = stage_parse(jsonb_string(m, TYPE_MAX_CHARS, arena));
        if (stage == STAGE_NONE)
            return;
        rules[table->n++] = (struct stage_rule){key_text(m, arena), stage};
    }
    table->rules = rules;
    *out = table;
}

static void read_goal_events(const struct json_node *root, struct arena *arena, struct goals *goals)
{
    if (!json_is(root, JSON_OBJECT) || root->count > RULES_MAX)
        return;
    size_t n = 0, room = root->count + goals_default.n_events;
    struct goal_event *events = arena_alloc(arena, room * sizeof(*events));
    if (!events)
        return;
    for (const struct json_node *m = root->child; m; m = m->next) {
        const char *type = jsonb_string(m, TYPE_MAX_CHARS, arena);
        if (!type[0])
            return;
        events[n++] = (struct goal_event){key_text(m, arena), type};
    }
    memcpy(events + n, goals_default.events, goals_default.n_events * sizeof(*events));
    goals->events = events;
    goals->n_events = room;
}

static struct slice trim(struct slice s)
{
    while (s.size && s.data[0] == ' ')
        s = slice_make(s.data + 1, s.size - 1);
    while (s.size && s.data[s.size - 1] == ' ')
        s.size--;
    return s;
}

static void read_goal_types(const char *value, struct arena *arena, struct goals *goals)
{
    const char **types = arena_alloc(arena, RULES_MAX * sizeof(*types));
    size_t n = 0;
    if (!types)
        return;
    for (const char *at = value; at && n < RULES_MAX;) {
        const char *comma = strchr(at, ',');
        size_t size = comma ? (size_t)(comma - at) : strlen(at);
        struct slice type = trim(slice_make(at, size));
        if (type.size)
            types[n++] = text_cut_slice(arena, type, TYPE_MAX_CHARS);
        at = comma ? comma + 1 : NULL;
    }
    goals->types = types;
    goals->n_types = n;
}

const struct session_rules *rules_make(const Journey__V1__TenantSettings *settings,
                                       struct arena *arena)
{
    if (!settings || settings->n_settings == 0)
        return &session_default_rules;
    struct session_rules *rules =
        arena_copy(arena, &session_default_rules, sizeof(session_default_rules));
    struct goals *goals = arena_copy(arena, &goals_default, sizeof(goals_default));
    if (!rules || !goals)
        return &session_default_rules;
    rules->goals = goals;
    for (size_t i = 0; i < settings->n_settings; i++) {
        const char *key = settings->settings[i]->key, *value = settings->settings[i]->value;
        if (strcmp(key, "session_idle_seconds") == 0)
            read_number(value, SECOND_US, 1, 86400, &rules->idle_us);
        else if (strcmp(key, "retention_days") == 0)
            read_number(value, DAY_US, 0, 36500, &rules->retention_us);
        else if (strcmp(key, "stage_events") == 0)
            read_stage_events(jsonb_parse(value, arena), arena, &rules->stages);
        else if (strcmp(key, "goal_events") == 0)
            read_goal_events(jsonb_parse(value, arena), arena, goals);
        else if (strcmp(key, "goal_types") == 0)
            read_goal_types(value, arena, goals);
        else if (strcmp(key, "currency") == 0 && strlen(value) == 3)
            rules->currency = text_cut_slice(arena, slice_str(value), 3);
    }
    return rules;
}
