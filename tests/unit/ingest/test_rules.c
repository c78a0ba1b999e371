/* The rules of ingest by truth tables: validity, time, entry, sessions, what was seen. */
#include "domain/entry.h"
#include "domain/seen.h"
#include "domain/session.h"
#include "domain/timing.h"
#include "domain/validate.h"
#include "tables.h"

#define RECEIVED_US (20000 * DAY_US)

/* ---- validity ---- */

static void fill(char *out, const char *piece, unsigned times)
{
    out[0] = 0;
    for (unsigned i = 0; i < times; i++)
        strcat(out, piece);
}

static void validity(void **state)
{
    static char long_id[300], full_id[300], long_name[2000], full_name[2000], long_session[500];
    fill(full_id, "a", 200);
    fill(long_id, "a", 201);
    fill(full_name, "\xC3\xA4", 255);
    fill(long_name, "\xC3\xA4", 256);
    fill(long_session, "\xC3\xA4", 101);
    static const struct {
        const char *name;
        struct ingest_event event; /* the rest is good */
        size_t device;
        enum ingest_invalid want;
    } cases[] = {
#define EVENT(id, kind, text, session, time)                                                       \
    {.type = kind,                                                                                 \
     .message_id = {(const uint8_t *)(id), 0},                                                     \
     .name = {(const uint8_t *)(text), 0},                                                         \
     .session_id = {(const uint8_t *)(session), 0},                                                \
     .timestamp_us = time}
        {"a track", EVENT("m", 1, "Order Completed", "", 1), 16, INGEST_VALID},
        {"a page without a name", EVENT("m", 2, "", "", 0), 16, INGEST_VALID},
        {"an identify", EVENT("m", 4, "", "s1", 0), 16, INGEST_VALID},
        {"no device", EVENT("m", 1, "n", "", 0), 0, INGEST_INVALID_DEVICE_MISSING},
        {"half a device", EVENT("m", 1, "n", "", 0), 8, INGEST_INVALID_DEVICE_MISSING},
        {"no message id", EVENT("", 1, "n", "", 0), 16, INGEST_INVALID_MESSAGE_ID_MISSING},
        {"200 bytes of it", EVENT(full_id, 1, "n", "", 0), 16, INGEST_VALID},
        {"201 bytes of it", EVENT(long_id, 1, "n", "", 0), 16, INGEST_INVALID_MESSAGE_ID_TOO_LONG},
        {"no type", EVENT("m", 0, "n", "", 0), 16, INGEST_INVALID_TYPE_UNKNOWN},
        {"a later type", EVENT("m", 7, "n", "", 0), 16, INGEST_INVALID_TYPE_UNKNOWN},
        {"a track without a name", EVENT("m", 1, "", "", 0), 16, INGEST_INVALID_NAME_MISSING},
        {"255 characters", EVENT("m", 1, full_name, "", 0), 16, INGEST_VALID},
        {"256 characters", EVENT("m", 1, long_name, "", 0), 16, INGEST_INVALID_NAME_TOO_LONG},
        {"a long session id", EVENT("m", 1, "n", long_session, 0), 16,
         INGEST_INVALID_SESSION_ID_INVALID},
        {"a newline in it", EVENT("m", 1, "n", "a\nb", 0), 16, INGEST_INVALID_SESSION_ID_INVALID},
        {"no UTF-8", EVENT("m", 1, "\xff", "", 0), 16, INGEST_INVALID_TEXT_INVALID},
        {"before 1970", EVENT("m", 1, "n", "", -1), 16, INGEST_INVALID_TIMESTAMP_INVALID},
        {"after 2261", EVENT("m", 1, "n", "", INT64_C(9214646400000000)), 16,
         INGEST_INVALID_TIMESTAMP_INVALID},
    };
    static const uint8_t device[16] = {1};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ingest_event event = cases[i].event;
        event.device = slice_make(device, cases[i].device);
        event.message_id = slice_str((const char *)event.message_id.data);
        event.name = slice_str((const char *)event.name.data);
        event.session_id = slice_str((const char *)event.session_id.data);
        assert_case(cases[i].name, ingest_validate(&event) == cases[i].want);
        assert_case(cases[i].name, ingest_invalid_code(cases[i].want)[0] != 0);
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
    char *message_id = arena_printf(story->arena, "m%u", story->n_events++);
    struct ingest_visit visit =
        ingest_device_visit(&story->device, named, slice_str(message_id),
                            table_duration_us(row->columns[0]), INGEST_IDLE_US, story->arena);
    assert_row(row, is_labelled(story, row->columns[2], visit.session_id));
    assert_row(row, visit.opens == (strstr(row->columns[3], "opens") != NULL));
    assert_row(row,
               !visit.opens || visit.returning == (strstr(row->columns[3], "returning") != NULL));
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
    table_each("sessions.txt", 4, story_row, &story);
    arena_destroy(&story.arena);
}

static void recent_sessions_are_bounded(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct ingest_device device = {.n = 0};
    struct slice none = slice_make(NULL, 0);
    for (int i = 0; i < 100; i++) {
        char *id = arena_printf(arena, "m%d", i);
        struct ingest_visit visit = ingest_device_visit(
            &device, none, slice_str(id), (1000 + i) * HOUR_US, INGEST_IDLE_US, arena);
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
        opened += ingest_device_visit(&device, none, slice_str(id), HOUR_US + i * MINUTE_US,
                                      INGEST_IDLE_US, arena)
                      .opens;
    }
    assert_int_equal(opened, 1);
    /* long names take more room: fewer are kept */
    static char long_id[101];
    for (int i = 0; i < 40; i++) {
        assert_int_equal(snprintf(long_id, sizeof(long_id), "%0100d", i), 100);
        ingest_device_visit(&device, slice_str(arena_str(arena, slice_str(long_id))), none,
                            (2000 + i) * HOUR_US, INGEST_IDLE_US, arena);
    }
    assert_int_equal(device.n, INGEST_MAX_SESSION_BYTES / 122);
    arena_destroy(&arena);
}

static void the_same_event_opens_the_same_session(void **state)
{
    struct arena *arena = arena_create(1 << 20);
    struct ingest_device a = {.tenant = {1}, .device = {2}}, b = a, other = {.tenant = {2}};
    struct slice none = slice_make(NULL, 0), id = SLICE_LITERAL("m1");
    struct slice first =
        ingest_device_visit(&a, none, id, HOUR_US, INGEST_IDLE_US, arena).session_id;
    assert_true(slice_equal(
        first, ingest_device_visit(&b, none, id, DAY_US, INGEST_IDLE_US, arena).session_id));
    assert_false(slice_equal(
        first, ingest_device_visit(&other, none, id, HOUR_US, INGEST_IDLE_US, arena).session_id));
    arena_destroy(&arena);
}

/* ---- what was seen ---- */

static void message_ids_are_known_by_chunks(void **state)
{
    struct arena *arena = arena_create(16 << 20);
    struct slice chunks[64];
    int64_t times[64], at_us, now_us = 500 * HOUR_US + 7 * MINUTE_US;
    unsigned n = 0, noted = 0;
    bool fresh;
    while (ingest_seen_place(now_us, n ? times[n - 1] : 0, n ? chunks[n - 1].size : 0, &at_us,
                             &fresh)) {
        char *id = arena_printf(arena, "message %u", noted++);
        if (fresh) {
            times[n] = at_us;
            chunks[n++] = slice_make(NULL, 0);
        }
        assert_int_equal(times[n - 1], at_us);
        chunks[n - 1] = ingest_seen_append(chunks[n - 1], ingest_seen_hash(slice_str(id)), arena);
        assert_true(ingest_seen_holds(chunks[n - 1], ingest_seen_hash(slice_str(id))));
    }
    assert_int_equal(noted, INGEST_SEEN_PER_HOUR);
    assert_int_equal(times[0], 500 * HOUR_US);
    assert_true(times[n - 1] < 501 * HOUR_US);
    assert_false(ingest_seen_holds(chunks[0], ingest_seen_hash(SLICE_LITERAL("message 4095"))));
    /* the next hour has room again; a clock that goes back stays where it was */
    assert_true(ingest_seen_place(501 * HOUR_US, times[n - 1], chunks[n - 1].size, &at_us, &fresh));
    assert_true(fresh && at_us == 501 * HOUR_US);
    assert_true(ingest_seen_place(now_us, 501 * HOUR_US, 8, &at_us, &fresh));
    assert_true(!fresh && at_us == 501 * HOUR_US);
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
        cmocka_unit_test(message_ids_are_known_by_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
