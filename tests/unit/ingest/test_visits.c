/* Visits through the real runtime: what leads to them, who sends, whose they are, how long they last. */
#include "say.h"
#include "tables.h"

#include <stdio.h>

#define BOT "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

struct story {
    struct rig *rig;
    uint8_t device;
    unsigned n_events, opened, automatic;
    char labels[4][8], ids[4][40];
    unsigned n;
};

static bool is_labelled(struct story *story, const char *label, const char *id)
{
    for (unsigned i = 0; i < story->n; i++) {
        if (strcmp(story->labels[i], label) == 0 || strcmp(story->ids[i], id) == 0)
            return strcmp(story->labels[i], label) == 0 && strcmp(story->ids[i], id) == 0;
    }
    assert_true(story->n < ARRAY_SIZE(story->labels));
    assert_true(snprintf(story->labels[story->n], 8, "%s", label) < 8);
    assert_true(snprintf(story->ids[story->n++], 40, "%s", id) < 40);
    return true;
}

static const Journey__V1__Accepted *send(struct story *story, const struct table_row *row)
{
    struct rig *rig = story->rig;
    bool bot = strcmp(row->columns[3], "bot") == 0;
    char *id = arena_printf(rig->arena, "m%u", ++story->n_events);
    int64_t day_us = RIG_NOW_US - RIG_NOW_US % DAY_US - 10 * DAY_US;
    Journey__V1__Event *event =
        rig_event(rig, story->device, id, day_us + table_duration_us(row->columns[0]));
    event->prefetch = strcmp(row->columns[3], "prefetch") == 0;
    event->context = arena_printf(
        rig->arena, "{\"userAgent\":\"%s\",\"page\":{\"referrer\":\"%s\",\"url\":\"%s\"}}",
        bot ? BOT : "Mozilla/5.0", row->columns[1], row->columns[2]);
    rig_send_event(rig, event);
    rig_settle(rig);
    return rig_accepted(rig, id);
}

static void visit_row(const struct table_row *row, void *user)
{
    struct story *story = user;
    const char *marks = row->columns[5];
    if (row->columns[0][0] == '=') {
        story->device++;
        story->n = 0;
        return;
    }
    const Journey__V1__Accepted *a = send(story, row);
    bool automatic = strstr(marks, "bot") || strstr(marks, "prefetch");
    assert_row(row, is_labelled(story, row->columns[4], a->session_id));
    assert_row(row, (a->opens != NULL) == (strstr(marks, "opens") != NULL));
    assert_row(row, a->enrichment->bot == (strstr(marks, "bot") != NULL));
    assert_row(row, a->enrichment->prefetch == (strstr(marks, "prefetch") != NULL));
    assert_row(row, strcmp(a->enrichment->channel, row->columns[6]) == 0);
    if (!a->opens)
        return;
    story->opened += !automatic;
    story->automatic += automatic;
    assert_row(row, strcmp(a->opens->channel, row->columns[7]) == 0);
    assert_row(row, a->opens->bot == a->enrichment->bot);
    assert_row(row, a->opens->prefetch == a->enrichment->prefetch);
}

static void visits(void **state)
{
    struct story story = {.rig = rig_create(&ingest_service)};
    table_each("visits.txt", 8, visit_row, &story);
    assert_true(rig_counter(story.rig, "journey_ingest_sessions_opened_total") == story.opened);
    assert_true(rig_counter(story.rig, "journey_ingest_sessions_automatic_total") ==
                story.automatic);
    assert_true(rig_counter(story.rig, "journey_ingest_bots_total") == 3);
    assert_true(rig_counter(story.rig, "journey_ingest_prefetched_total") == 2);
    rig_destroy(&story.rig);
}

static void the_tenant_s_length_limit_holds(void **state)
{
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "consent", "session_max_seconds", "3600");
    int64_t t = rig->now_us - 10 * HOUR_US;
    for (int64_t i = 0; i < 5; i++) {
        char *id = arena_printf(rig->arena, "m%d", (int)i);
        rig_send_event(rig, rig_event(rig, 1, id, t + i * 20 * MINUTE_US));
        rig_settle(rig);
        assert_true((rig_accepted(rig, id)->opens != NULL) == (i == 0 || i == 4));
    }
    Journey__V1__Event *named = rig_event(rig, 1, "named", t + 2 * HOUR_US);
    named->session_id = arena_str(rig->arena, slice_str(rig_accepted(rig, "m0")->session_id));
    rig_send_event(rig, named);
    rig_settle(rig);
    assert_null(rig_accepted(rig, "named")->opens);
    assert_true(rig_accepted(rig, "named")->enrichment->over_length);
    assert_true(rig_counter(rig, "journey_ingest_over_length_total") == 1);
    rig_settings(rig, "consent", "session_max_seconds", "59"); /* out of range: the default */
    rig_send_event(rig, rig_event(rig, 2, "a", t));
    rig_send_event(rig, rig_event(rig, 2, "b", t + 25 * MINUTE_US));
    rig_settle(rig);
    assert_null(rig_accepted(rig, "b")->opens);
    rig_destroy(&rig);
}

static Journey__V1__DeviceRecord *device_record(struct rig *rig)
{
    const struct store_value *rows[2];
    assert_int_equal(store_mem_rows(rig->db, &ingest_devices_table, rows, 2), 1);
    struct slice state = rows[0][ingest_devices_table.n_columns - 1].s;
    Journey__V1__DeviceRecord *record =
        journey__v1__device_record__unpack(NULL, state.size, state.data);
    assert_non_null(record);
    return record;
}

static void send_of(struct rig *rig, const char *id, uint8_t user, int64_t time_us)
{
    Journey__V1__Event *event = rig_event(rig, 1, id, time_us);
    uint8_t hash[16] = {user};
    if (user)
        event->user = (ProtobufCBinaryData){16, arena_copy(rig->arena, hash, sizeof(hash))};
    rig_send_event(rig, event);
    rig_settle(rig);
}

static void the_last_known_user_stays_with_the_device(void **state)
{
    static const struct {
        const char *id;
        int minutes, user, known, since_minutes;
    } cases[] = {
        {"anonymous", 0, 0, 0, 0},         {"login", 10, 1, 1, 10},
        {"anonymous again", 15, 0, 1, 10}, {"the same", 20, 1, 1, 10},
        {"another", 30, 2, 2, 30},         {"an old event", 25, 1, 2, 30},
        {"the first again", 40, 1, 1, 40},
    };
    struct rig *rig = rig_create(&ingest_service);
    rig_settings(rig, "legitimate_interest", NULL, NULL);
    int64_t t = rig->now_us - 10 * HOUR_US;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        send_of(rig, cases[i].id, (uint8_t)cases[i].user, t + cases[i].minutes * MINUTE_US);
        Journey__V1__DeviceRecord *record = device_record(rig);
        assert_case(cases[i].id, (record->user.len ? record->user.data[0] : 0) == cases[i].known);
        assert_case(cases[i].id, !cases[i].known || record->user_since_us ==
                                                        t + cases[i].since_minutes * MINUTE_US);
        journey__v1__device_record__free_unpacked(record, NULL);
    }
    assert_string_equal(rig_accepted(rig, "anonymous")->session_id,
                        rig_accepted(rig, "login")->session_id);
    assert_string_equal(rig_accepted(rig, "the first again")->session_id,
                        rig_accepted(rig, "login")->session_id);
    assert_string_not_equal(rig_accepted(rig, "another")->session_id,
                            rig_accepted(rig, "login")->session_id);
    assert_true(rig_accepted(rig, "another")->opens->returning);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits),
        cmocka_unit_test(the_tenant_s_length_limit_holds),
        cmocka_unit_test(the_last_known_user_stays_with_the_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
