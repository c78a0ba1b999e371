/* The rules of ingest by truth tables: validity, time, entry, sessions. */
#include "domain/entry.h"
#include "domain/session.h"
#include "domain/timing.h"
#include "domain/validate.h"
#include "tables.h"

#define RECEIVED_US (20000 * DAY_US)

/* ---- validity ---- */

struct event_case {
    const char *name, *message_id;
    int type;
    const char *text, *session;
    int64_t timestamp_us;
    size_t device; /* bytes */
    enum ingest_invalid want;
};

#define REPEAT_5(s)   s s s s s
#define REPEAT_50(s)  REPEAT_5(s s s s s s s s s s)
#define REPEAT_100(s) REPEAT_50(s) REPEAT_50(s)
#define REPEAT_200(s) REPEAT_100(s) REPEAT_100(s)
#define REPEAT_255(s) REPEAT_200(s) REPEAT_50(s) REPEAT_5(s)
#define UMLAUT        "\xC3\xA4"

static void validity(void **state)
{
    static const struct event_case cases[] = {
        {"a track", "m", 1, "Order Completed", "", 1, 16, INGEST_VALID},
        {"a page without a name", "m", 2, "", "", 0, 16, INGEST_VALID},
        {"an identify", "m", 4, "", "s1", 0, 16, INGEST_VALID},
        {"no device", "m", 1, "n", "", 0, 0, INGEST_INVALID_DEVICE_MISSING},
        {"half a device", "m", 1, "n", "", 0, 8, INGEST_INVALID_DEVICE_MISSING},
        {"no message id", "", 1, "n", "", 0, 16, INGEST_INVALID_MESSAGE_ID_MISSING},
        {"200 bytes of it", REPEAT_200("a"), 1, "n", "", 0, 16, INGEST_VALID},
        {"201 bytes of it", REPEAT_200("a") "a", 1, "n", "", 0, 16,
         INGEST_INVALID_MESSAGE_ID_TOO_LONG},
        {"no type", "m", 0, "n", "", 0, 16, INGEST_INVALID_TYPE_UNKNOWN},
        {"a later type", "m", 7, "n", "", 0, 16, INGEST_INVALID_TYPE_UNKNOWN},
        {"a track without a name", "m", 1, "", "", 0, 16, INGEST_INVALID_NAME_MISSING},
        {"255 characters", "m", 1, REPEAT_255(UMLAUT), "", 0, 16, INGEST_VALID},
        {"256 characters", "m", 1, REPEAT_255(UMLAUT) "a", "", 0, 16, INGEST_INVALID_NAME_TOO_LONG},
        {"a session id of 100", "m", 1, "n", REPEAT_100(UMLAUT), 0, 16, INGEST_VALID},
        {"one of 101", "m", 1, "n", REPEAT_100(UMLAUT) "a", 0, 16,
         INGEST_INVALID_SESSION_ID_INVALID},
        {"a newline in it: a start takes it too", "m", 1, "n", "a\nb", 0, 16, INGEST_VALID},
        {"no UTF-8", "m", 1, "\xff", "", 0, 16, INGEST_INVALID_TEXT_INVALID},
        {"before 1970", "m", 1, "n", "", -1, 16, INGEST_INVALID_TIMESTAMP_INVALID},
        {"after 2261", "m", 1, "n", "", INT64_C(9214646400000000), 16,
         INGEST_INVALID_TIMESTAMP_INVALID},
    };
    static const uint8_t device[16] = {1};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct event_case *c = &cases[i];
        struct ingest_event event = {.type = c->type,
                                     .device = slice_make(device, c->device),
                                     .message_id = slice_str(c->message_id),
                                     .name = slice_str(c->text),
                                     .session_id = slice_str(c->session),
                                     .timestamp_us = c->timestamp_us};
        assert_case(c->name, ingest_validate(&event) == c->want);
        assert_case(c->name, ingest_invalid_code(c->want)[0] != 0);
    }
}

/* ---- time ---- */

static int64_t client_time(const char *text)
{
    return *text ? RECEIVED_US + table_duration_us(text) : 0;
}

static void timing_row(const struct table_row *row, void *user)
{
    struct ingest_timing timing =
        ingest_timing_of(client_time(row->columns[1]), client_time(row->columns[2]), RECEIVED_US);
    assert_row(row, timing.time_us == RECEIVED_US + table_duration_us(row->columns[3]));
    assert_row(row, timing.clamped == (strcmp(row->columns[4], "clamped") == 0));
    assert_row(row, timing.late == (strcmp(row->columns[4], "late") == 0));
}

static void timing(void **state)
{
    table_each("timing.txt", 5, timing_row, NULL);
}

/* ---- entry ---- */

static void device_row(const struct table_row *row, void *user)
{
    const char *type = ingest_entry_device(slice_str(row->columns[0]), slice_str(row->columns[1]));
    assert_row(row, strcmp(type, row->columns[2]) == 0);
}

static void source_row(const struct table_row *row, void *user)
{
    struct slice source = ingest_entry_source(
        slice_str(row->columns[0]), slice_str(row->columns[1]), slice_str(row->columns[2]), user);
    assert_row(row, slice_equal_str(source, row->columns[3]));
}

static void entries(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    table_each("entry_device.txt", 3, device_row, NULL);
    table_each("entry_source.txt", 4, source_row, arena);
    arena_destroy(&arena);
}

/* ---- sessions ---- */

struct story {
    struct arena *arena;
    struct ingest_device device;
    struct {
        char label[16];
        struct slice id;
    } known[16];
    unsigned n_known, n_events;
};

static const struct ingest_limits limits = {INGEST_IDLE_US, INGEST_MAX_US};

static struct ingest_visit visit_at(struct ingest_device *device, struct slice named,
                                    struct slice message_id, int64_t time_us, struct arena *arena)
{
    const struct ingest_sighting sighting = {
        .named = named, .message_id = message_id, .time_us = time_us};
    return ingest_device_visit(device, &sighting, &limits, arena);
}

/* A label stands for the same session throughout a story. */
static bool is_labelled(struct story *story, const char *label, struct slice id)
{
    for (unsigned i = 0; i < story->n_known; i++) {
        bool same = strcmp(story->known[i].label, label) == 0;
        if (same || slice_equal(story->known[i].id, id))
            return same && slice_equal(story->known[i].id, id);
    }
    assert_true(snprintf(story->known[story->n_known].label, 16, "%s", label) < 16);
    story->known[story->n_known++].id = id;
    return true;
}

static void session_row(const struct table_row *row, void *user)
{
    struct story *story = user;
    struct slice named = arena_slice(story->arena, slice_str(row->columns[1]));
    uint8_t known[16] = {(uint8_t)row->columns[2][0]};
    const char *marks = row->columns[4];
    const struct ingest_sighting sighting = {
        .named = named,
        .message_id = slice_str(arena_printf(story->arena, "m%u", story->n_events++)),
        .user = slice_make(known, known[0] ? sizeof(known) : 0),
        .time_us = table_duration_us(row->columns[0]),
    };
    struct ingest_visit visit =
        ingest_device_visit(&story->device, &sighting, &limits, story->arena);
    assert_row(row, is_labelled(story, row->columns[3], visit.session_id));
    assert_row(row, visit.opens == (strstr(marks, "opens") != NULL));
    assert_row(row, !visit.opens || visit.returning == (strstr(marks, "returning") != NULL));
    assert_row(row, visit.over_length == (strstr(marks, "over") != NULL));
    if (named.size)
        assert_row(row, slice_equal(visit.session_id, named));
    else if (visit.opens)
        assert_row(row, visit.session_id.size == 32);
}

static void story_row(const struct table_row *row, void *user)
{
    struct story *story = user;
    if (row->columns[0][0] == '=') {
        *story = (struct story){.arena = story->arena};
        return;
    }
    session_row(row, user);
}

static void sessions(void **state)
{
    struct story story = {.arena = arena_create(1 << 20)};
    table_each("sessions.txt", 5, story_row, &story);
    arena_destroy(&story.arena);
}

static void recent_sessions_are_bounded(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct ingest_device device = {.n = 0};
    struct slice none = slice_make(NULL, 0);
    for (int i = 0; i < 100; i++) {
        char *id = arena_printf(arena, "m%d", i);
        struct ingest_visit visit =
            visit_at(&device, none, slice_str(id), (1000 + i) * HOUR_US, arena);
        assert_true(visit.opens);
        assert_true(device.n <= INGEST_MAX_SESSIONS);
    }
    assert_int_equal(device.n, INGEST_MAX_SESSIONS);
    for (unsigned i = 1; i < device.n; i++)
        assert_true(device.sessions[i - 1].last_us < device.sessions[i].last_us);
    /* history comes after them: its sessions are not opened again for each event */
    int opened = 0;
    for (int i = 0; i < 50; i++) {
        char *id = arena_printf(arena, "old%d", i);
        opened += visit_at(&device, none, slice_str(id), HOUR_US + i * MINUTE_US, arena).opens;
    }
    assert_int_equal(opened, 1);
    /* long names take more room: fewer are kept */
    static char long_id[101];
    for (int i = 0; i < 40; i++) {
        assert_int_equal(snprintf(long_id, sizeof(long_id), "%0100d", i), 100);
        visit_at(&device, slice_str(arena_str(arena, slice_str(long_id))), none,
                 (2000 + i) * HOUR_US, arena);
    }
    assert_int_equal(device.n, INGEST_MAX_DEVICE_BYTES / 124);
    /* and so does an open chunk */
    static const uint8_t hashes[INGEST_SEEN_CHUNK * INGEST_SEEN_HASH_BYTES];
    device.seen.hashes = slice_make(hashes, sizeof(hashes));
    visit_at(&device, device.sessions[device.n - 1].id, none, 2100 * HOUR_US, arena);
    assert_int_equal(device.n, (INGEST_MAX_DEVICE_BYTES - sizeof(hashes)) / 124);
    arena_destroy(&arena);
}

static void the_same_event_opens_the_same_session(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct ingest_device a = {.tenant = {1}, .device = {2}}, b = a, other = {.tenant = {2}};
    struct slice none = slice_make(NULL, 0), id = SLICE_LITERAL("m1");
    struct slice first = visit_at(&a, none, id, HOUR_US, arena).session_id;
    assert_true(slice_equal(first, visit_at(&b, none, id, HOUR_US, arena).session_id));
    assert_false(slice_equal(first, visit_at(&other, none, id, HOUR_US, arena).session_id));
    /* ids sort by their sessions' starts, so that new rows lie together */
    struct slice later = visit_at(&b, none, id, 2 * DAY_US, arena).session_id;
    assert_true(memcmp(first.data, later.data, first.size) < 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validity),
        cmocka_unit_test(timing),
        cmocka_unit_test(entries),
        cmocka_unit_test(sessions),
        cmocka_unit_test(recent_sessions_are_bounded),
        cmocka_unit_test(the_same_event_opens_the_same_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
