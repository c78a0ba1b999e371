/*
 * A real clickstream through the domain: 31,106 events of 600 users, whose sessions are known. Fed as the file has them
 * (each user's in order), and in rounds over the users, as batches of many devices come.
 */
#include "domain/session.h"
#include "domain/timing.h"
#include "test.h"

#include <stdio.h>

#define HISTORY  "../shared/data/retentioneering_ecom/ecom.csv.gz"
#define EVENTS   31106
#define SESSIONS 3605
#define USERS    600

struct event {
    unsigned user;
    int64_t time_us;
    char session[16]; /* as the file says */
};

static struct event events[EVENTS + 1];
static unsigned n_events;

/* user_id,session_id,event,timestamp,... */
static bool parse(char *line, struct event *event)
{
    char *fields[4], *rest = line;
    for (int i = 0; i < 4; i++)
        fields[i] = strsep(&rest, ",");
    if (!fields[3] || strncmp(fields[0], "user_", 5) != 0)
        return false;
    event->user = (unsigned)strtoul(fields[0] + 5, NULL, 10);
    fields[3][10] = 'T';
    return snprintf(event->session, sizeof(event->session), "%s", fields[1]) > 0 &&
           time_parse(&event->time_us, NULL, slice_str(fields[3])) == 0 && event->user < USERS;
}

static int read_history(void **state)
{
    char line[512];
    FILE *pipe = popen("gzip -dc " HISTORY " 2>/dev/null", "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe)) {
        if (strncmp(line, "user_id,", 8) == 0)
            continue;
        if (n_events > EVENTS - 1 || !parse(line, &events[n_events++]))
            fail_msg("line %u of %s is not an event", n_events + 1, HISTORY);
    }
    if (pclose(pipe) != 0 || n_events != EVENTS)
        fail_msg("%s has to hold %d events, seen from the top of the tree; it holds %u", HISTORY,
                 EVENTS, n_events);
    return 0;
}

struct user {
    struct ingest_device device;
    char file_session[16];
    struct slice session;
};

static unsigned opened, split;

static void visit(struct user *users, unsigned number, struct arena *arena)
{
    const struct event *event = &events[number];
    struct user *user = &users[event->user];
    int64_t received_us = 20500 * DAY_US;
    struct ingest_timing timing = ingest_timing_of(event->time_us, 0, received_us);
    assert_true(timing.time_us == event->time_us);
    char *id = arena_printf(arena, "row-%u", number);
    const struct ingest_limits limits = {INGEST_IDLE_US, INGEST_MAX_US};
    const struct ingest_sighting sighting = {.message_id = slice_str(id),
                                             .time_us = timing.time_us};
    struct ingest_visit visit = ingest_device_visit(&user->device, &sighting, &limits, arena);
    opened += visit.opens;
    bool same = strcmp(user->file_session, event->session) == 0;
    split += same != slice_equal(user->session, visit.session_id);
    (void)snprintf(user->file_session, sizeof(user->file_session), "%s", event->session);
    user->session = visit.session_id;
}

static struct user *users_create(void)
{
    struct user *users = calloc(USERS, sizeof(*users));
    assert_non_null(users);
    for (unsigned i = 0; i < USERS; i++)
        memcpy(users[i].device.device, &i, sizeof(i));
    opened = split = 0;
    return users;
}

static void in_the_order_of_the_file(void **state)
{
    struct arena *arena = arena_create(64 << 20);
    struct user *users = users_create();
    for (unsigned i = 0; i < n_events; i++)
        visit(users, i, arena);
    assert_int_equal(opened, SESSIONS);
    assert_int_equal(split, 0);
    free(users);
    arena_destroy(&arena);
}

/* Each round takes the next few events of every user: batches in order for each device. */
static void in_rounds_over_the_users(void **state)
{
    struct arena *arena = arena_create(64 << 20);
    struct user *users = users_create();
    static bool done[EVENTS];
    for (unsigned left = n_events, taken[USERS]; left;) {
        memset(taken, 0, sizeof(taken));
        for (unsigned i = 0; i < n_events; i++) {
            if (done[i] || taken[events[i].user] == 7)
                continue;
            done[i] = true;
            taken[events[i].user]++;
            visit(users, i, arena);
            left--;
        }
    }
    assert_int_equal(opened, SESSIONS);
    assert_int_equal(split, 0);
    free(users);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_order_of_the_file),
        cmocka_unit_test(in_rounds_over_the_users),
    };
    return cmocka_run_group_tests(tests, read_history, NULL);
}
