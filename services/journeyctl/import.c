/* What was typed, and whose events they are. */
#include "import.h"
#include "operate.h"
#include "replay.h"
#include "tenants.h"

#include <stdlib.h>

#define MAP_BYTES  ((size_t)64 * 1024)
#define KEY_LIFE_S INT64_C(86400) /* the key is shown to nobody */

/* Where a form has the message id: what has none gets one of its place in the file. */
static const struct {
    const char *form, *id_path;
} id_paths[] = {
    {"segment", "messageId"}, {"api", "messageId"}, {"snowplow", "eid"},
    {"cloudevents", "id"},    {"posthog", "uuid"},
};

static const char *id_path_of(const char *form)
{
    for (unsigned i = 0; i < ARRAY_SIZE(id_paths); i++)
        if (strcmp(form, id_paths[i].form) == 0)
            return id_paths[i].id_path;
    return "messageId";
}

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text), cut = strlen(ending);
    return size >= cut && strcmp(text + size - cut, ending) == 0;
}

struct asked {
    const char *form, *map, *url, *key;
    const char *target; /* who gets it: what is told apart in the files beside FILE */
    bool csv, csv_by_name, print, restart;
};

/* "@FILE", or the map itself. */
static int read_map(struct ctl *ctl, const char *text, const char **map)
{
    *map = text;
    if (!text || text[0] != '@')
        return CTL_DONE;
    char *bytes = arena_alloc(ctl->arena, MAP_BYTES);
    FILE *file = fopen(text + 1, "re");
    size_t size = file && bytes ? fread(bytes, 1, MAP_BYTES, file) : 0;
    if (file)
        (void)fclose(file);
    if (!file || !bytes || size == MAP_BYTES)
        return ctl_fail(CTL_FAILED, file ? "%s is too large" : "%s cannot be opened", text + 1);
    *map = bytes;
    return CTL_DONE;
}

static int find_key(struct ctl *ctl, const struct args *args, struct asked *asked)
{
    struct tenant tenant = {0};
    const char *name = args_get(args, "tenant");
    asked->key = args_get(args, "key");
    asked->target = asked->key;
    if (asked->print || asked->key)
        return CTL_DONE;
    if (!name)
        return ctl_fail(CTL_USAGE, "whose are they? --tenant NAME, or --key with a secret key");
    int status = tenant_find(ctl, name, &tenant);
    if (status == CTL_DONE)
        status = key_create(ctl, &tenant, APIKEY_SECRET, NULL, KEY_LIFE_S, &asked->key);
    asked->target = name;
    return status;
}

static int read_asked(struct ctl *ctl, const struct args *args, struct asked *asked)
{
    const char *format = args_get(args, "format"), *url = args_get(args, "url");
    const char *form = args_get(args, "form");
    bool kind = format && (strcmp(format, "csv") == 0 || strcmp(format, "json") == 0);
    asked->csv = format && strcmp(format, "csv") == 0;
    asked->csv_by_name = !format;
    asked->form = form ? form : format && !kind ? format : "segment";
    if (strspn(asked->form, "abcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(asked->form))
        return ctl_fail(CTL_USAGE, "'%s' is no form of events", asked->form);
    asked->url = url ? url : replay_default_url(ctl);
    asked->print = args_has(args, "print");
    asked->restart = args_has(args, "restart");
    int status = read_map(ctl, args_get(args, "map"), &asked->map);
    return status == CTL_DONE ? find_key(ctl, args, asked) : status;
}

static void name_target(const struct asked *asked, struct import *import)
{
    uint8_t hash[16];
    const struct slice parts[] = {slice_str(asked->url), slice_str(asked->target),
                                  slice_str(asked->form)};
    hash_keyed(hash, NULL, parts, ARRAY_SIZE(parts));
    hex_format(import->state.target, hash, sizeof(hash));
}

static int import_one(const struct asked *asked, const char *path, struct import_sender *sender,
                      struct import_progress *progress)
{
    const struct import_options options = {
        .csv = asked->csv ||
               (asked->csv_by_name && (ends_with(path, ".csv") || ends_with(path, ".csv.gz"))),
        .print = asked->print,
        .restart = asked->restart,
        .map = asked->map};
    struct import *import = calloc(1, sizeof(*import));
    if (!import)
        return ctl_fail(CTL_FAILED, "no memory");
    import->path = path;
    import->id_path = id_path_of(asked->form);
    import->state.line = 1;
    import->sender = sender;
    import->progress = progress;
    name_target(asked, import);
    int status = import_file(import, &options);
    free(import);
    return status;
}

int command_import(struct ctl *ctl, const struct args *args)
{
    struct asked asked = {0};
    struct import_sender *sender = NULL;
    struct import_progress progress = {.started_us = clock_system()->now_us(clock_system())};
    bool partly = false;
    int status = read_asked(ctl, args, &asked);
    const struct import_target target = {asked.url, asked.key, asked.form};
    if (status == CTL_DONE && !asked.print)
        status = import_sender_create(&sender, &target, &progress);
    for (unsigned i = 0; status == CTL_DONE && i < args->n_positional; i++) {
        status = import_one(&asked, args->positional[i], sender, &progress);
        if (status == CTL_PARTLY && !import_sender_stopped(sender)) {
            partly = true;
            status = CTL_DONE;
        }
    }
    import_sender_destroy(&sender);
    return status == CTL_DONE && partly ? CTL_PARTLY : status;
}
