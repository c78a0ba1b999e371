/*
 * Requests as clients sent them (tests/clients/recorded, and client_requests of the data folder where there is one), each
 * twice: all are taken, no event is lost, and of every event's properties each value is as it was, byte for byte.
 */
#include "gunzip.h"
#include "world.h"

#include "journey/v1/event.pb-c.h"
#include "json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_EVENTS 64

/* What is no property though it stands among them: it leaves as a hash, sealed, or not at all. */
static const char *const held_back[] = {
    "distinct_id", "$device_id", "$user_id",        "$anon_distinct_id", "alias",
    "$set",        "$set_once",  "$group_set",      "$group_key",        "$groups",
    "token",       "api_key",    "$raw_user_agent",
};
/* Ids that the clients were given. */
static const char *const secrets[] = {"user-1", "anon-1", "group-1", "user-2"};

struct replay {
    struct world *world;
    struct arena *arena;
    const char *file;
    const struct json_node *events[MAX_EVENTS]; /* of the body */
    unsigned n_events, n_taken;
    unsigned times[MAX_EVENTS]; /* that each has been found in the log */
};

static struct slice file_read(const char *path, struct arena *arena)
{
    struct buf buf = {0};
    char piece[4096];
    FILE *file = fopen(path, "rb");
    if (!file)
        return slice_make(NULL, 0);
    for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
        buf_append(&buf, piece, n);
    (void)fclose(file);
    struct slice text = arena_slice(arena, buf_slice(&buf));
    buf_deinit(&buf);
    return text;
}

/* ---- the body ---- */

/* As it stands in the request, if that is JSON; of a form, what was written down beside it. */
static struct slice body_of(struct replay *r, struct slice request)
{
    char file[512];
    const uint8_t *end = request.size ? memmem(request.data, request.size, "\r\n\r\n", 4) : NULL;
    assert_non_null(end);
    end += 4;
    struct slice body = slice_make(end, (size_t)(request.data + request.size - end));
    if (gunzip_looks_like(body))
        assert_int_equal(gunzip(&body, body, 1 << 20, r->arena), 0);
    (void)snprintf(file, sizeof(file), "%.*s.body.json", (int)(strlen(r->file) - 5), r->file);
    struct slice written = file_read(file, r->arena);
    bool json = body.size && (body.data[0] == '{' || body.data[0] == '[');
    return written.size && json ? body : written;
}

static void read_events(struct replay *r, struct slice body)
{
    const struct json_node *root = NULL, *list;
    struct err err = {0};
    if (!body.size)
        return;
    if (json_parse(&root, body, r->arena, &err) < 0)
        fail_msg("%s: %s", r->file, err.message);
    list = json_is(root, JSON_ARRAY) ? root : json_get(root, "batch");
    if (!list)
        r->events[r->n_events++] = root;
    for (const struct json_node *event = list ? list->child : NULL; event; event = event->next) {
        assert_true(r->n_events < MAX_EVENTS);
        r->events[r->n_events++] = event;
    }
}

static struct slice id_of(const struct json_node *event, struct arena *arena)
{
    static const char *const members[] = {"messageId", "uuid", "properties.$insert_id", "event_id"};
    for (unsigned i = 0; i < ARRAY_SIZE(members); i++)
        if (json_is(json_path(event, members[i]), JSON_STRING))
            return json_string(json_path(event, members[i]), arena);
    return slice_make(NULL, 0);
}

/* ---- the log ---- */

static bool is_held_back(const struct json_node *member)
{
    for (unsigned i = 0; i < ARRAY_SIZE(held_back); i++)
        if (slice_equal_str(member->key, held_back[i]))
            return true;
    return false;
}

/* Every value of `kept` is one of `sent`, and none is missing that is not held back. */
static bool is_kept(const struct json_node *sent, const struct json_node *kept, bool all)
{
    unsigned n = 0, wanted = 0;
    for (const struct json_node *member = kept->child; member; member = member->next, n++) {
        const struct json_node *was = sent->child;
        while (was && !(slice_equal(was->key, member->key) && slice_equal(was->raw, member->raw)))
            was = was->next;
        if (!was)
            return false;
    }
    for (const struct json_node *member = sent->child; member; member = member->next)
        wanted += !is_held_back(member);
    return !all || n == wanted;
}

static bool is_same(struct replay *r, const Journey__V1__Event *taken, unsigned i)
{
    const struct json_node *event = r->events[i], *properties = json_get(event, "properties"),
                           *kept;
    struct slice id = id_of(event, r->arena);
    struct err err = {0};
    if (id.size && !slice_equal_str(id, taken->message_id))
        return false;
    if (!*taken->properties)
        return taken->type > JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_SCREEN || !properties;
    if (json_parse(&kept, slice_str(taken->properties), r->arena, &err) < 0)
        return false;
    return is_kept(properties ? properties : event, kept, properties != NULL);
}

static void find_event(struct replay *r, const Journey__V1__Event *taken)
{
    /* nothing is left of these to tell one from another */
    if (taken->type > JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_SCREEN &&
        !id_of(r->events[0], r->arena).size)
        return;
    for (unsigned i = 0; i < r->n_events; i++)
        if (r->times[i] == 0 && is_same(r, taken, i)) {
            r->times[i]++;
            return;
        }
    fail_msg("%s: event %s \"%s\" is not as it was sent: %s", r->file, taken->message_id,
             taken->name, taken->properties);
}

static void take_record(struct replay *r, const struct bus_record *record)
{
    for (unsigned i = 0; i < ARRAY_SIZE(secrets); i++)
        if (memmem(record->value.data, record->value.size, secrets[i], strlen(secrets[i])))
            fail_msg("%s: the id %s can be read in the log", r->file, secrets[i]);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
    assert_non_null(batch);
    for (size_t i = 0; i < batch->n_events; i++, r->n_taken++)
        find_event(r, batch->events[i]);
    journey__v1__event_batch__free_unpacked(batch, NULL);
}

/* ---- replays ---- */

static void replay_once(struct world *world, const char *file, struct slice request)
{
    struct replay r = {.world = world, .file = file, .arena = arena_create((size_t)16 << 20)};
    struct world_answer answer;
    read_events(&r, body_of(&r, request));
    world_receive(world, world_send_bytes(world, request), &answer);
    if (answer.status / 100 != 2)
        fail_msg("%s: %d %s", file, answer.status, answer.body);
    if (memmem(request.data, request.size, "\nOrigin: ", 9))
        assert_case(file, world_header(&answer, "Access-Control-Allow-Origin") != NULL);
    while (r.n_taken < r.n_events) {
        const struct bus_record *record = world_take(world, TOPIC_EVENTS);
        if (!record)
            fail_msg("%s: %u of %u events are in the log", file, r.n_taken, r.n_events);
        take_record(&r, record);
    }
    arena_destroy(&r.arena);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in a folder that end so, sorted; returns how many. */
static unsigned list(const char *folder, const char *ending, const char *names[], unsigned max,
                     struct arena *arena)
{
    DIR *dir = opendir(folder);
    unsigned n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t size = strlen(entry->d_name), end = strlen(ending);
        if (entry->d_name[0] != '.' && size >= end && n < max &&
            strcmp(entry->d_name + size - end, ending) == 0)
            names[n++] = arena_str(arena, slice_str(entry->d_name));
    }
    if (dir)
        (void)closedir(dir);
    qsort(names, n, sizeof(*names), by_name);
    return n;
}

static unsigned replay_folder(struct world *world, const char *folder)
{
    const char *names[256];
    unsigned n = list(folder, ".http", names, ARRAY_SIZE(names), world->arena);
    for (unsigned i = 0; i < n; i++) {
        char *file = arena_printf(world->arena, "%s/%s", folder, names[i]);
        struct slice request = file_read(file, world->arena);
        for (unsigned times = 0; times < 2; times++)
            replay_once(world, file, request);
    }
    return n;
}

static void test_recorded(void **state)
{
    static const char top[] = "tests/clients/recorded";
    struct world *world = *state;
    const char *clients[64];
    unsigned n = list(top, "", clients, ARRAY_SIZE(clients), world->arena);
    assert_true(n >= 20);
    for (unsigned i = 0; i < n; i++) {
        char *folder = arena_printf(world->arena, "%s/%s", top, clients[i]);
        struct slice key = file_read(arena_printf(world->arena, "%s/key", folder), world->arena);
        if (!key.size) /* of a form with a test of its own */
            continue;
        world_add_key(world, arena_str(world->arena, key));
        assert_case(clients[i], replay_folder(world, folder) > 0);
    }
    assert_true(world_dead_letters(world) == 0);
}

static void test_data_folder(void **state)
{
    static const char *const folders[] = {"../shared/data/client_requests",
                                          "../../shared/data/client_requests"};
    world_add_key(*state, "wk_test_123");
    for (unsigned i = 0; i < ARRAY_SIZE(folders); i++)
        if (replay_folder(*state, folders[i]))
            break;
    assert_true(world_dead_letters(*state) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_recorded, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(test_data_folder, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
