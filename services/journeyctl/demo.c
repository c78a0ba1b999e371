/*
 * demo: a year of real shopping through the front door, and what the engine made of it.
 *
 *     tenant and key ──► replay, moved so that it ends now ──► wait until the tables stand still ──► figures, what to try
 */
#include "database.h"
#include "operate.h"
#include "replay.h"
#include "settings.h"
#include "tenants.h"

#include <stdio.h>
#include <time.h>

#define TENANT        "demo"
#define KEY_LIFE_S    INT64_C(86400) /* the key is shown to nobody */
#define CONNECTIONS   4
#define WAIT_EVERY_NS 300000000
#define STILL_ROUNDS  10  /* 3 s without a change */
#define WAIT_ROUNDS   400 /* 2 minutes */

static int demo_tenant(struct ctl *ctl, struct tenant *tenant)
{
    _cleanup_(database_free) PGresult *rows = NULL;
    int status =
        database_query(ctl, &rows,
                       "select o.tenant_id, coalesce(s.value, '') from accounts.organizations o "
                       "left join accounts.settings s on s.tenant_id = o.tenant_id and s.key = "
                       "'rate_limit' where o.status = 'active' and o.name = $1",
                       1, TENANT);
    if (status != CTL_DONE)
        return status;
    if (PQntuples(rows) == 0) {
        (void)fprintf(stderr, "making the tenant " TENANT "\n");
        return tenant_create(ctl, TENANT, "legitimate_interest", "a demonstration with public data",
                             "none", tenant);
    }
    status = tenant_find(ctl, TENANT, tenant);
    if (status == CTL_DONE && strcmp(PQgetvalue(rows, 0, 1), "none") != 0)
        status = settings_set(ctl, tenant, "rate_limit", "none");
    return status;
}

/* ---- waiting for what was sent to arrive in the tables ---- */

static const char COUNT[] = "select count(*) from journey.journey_touchpoints where tenant_id = $1 "
                            "and touchpoint_type <> 'stage_transition'";

static int wait_still(struct ctl *ctl, const struct tenant *tenant, size_t expected)
{
    const struct timespec pause = {0, WAIT_EVERY_NS};
    int64_t before = -1, count = 0;
    (void)fprintf(stderr, "waiting for the engine to have taken it all in\n");
    for (int round = 0, still = 0; round < WAIT_ROUNDS && still < STILL_ROUNDS; round++) {
        _cleanup_(database_free) PGresult *rows = NULL;
        int status = database_query(ctl, &rows, COUNT, 1, tenant->id);
        if (status != CTL_DONE)
            return status;
        if (args_number(PQgetvalue(rows, 0, 0), &count) < 0 || (size_t)count == expected)
            return CTL_DONE;
        still = count == before ? still + 1 : 0;
        before = count;
        (void)nanosleep(&pause, NULL);
    }
    return CTL_DONE;
}

/* ---- figures ---- */

struct figure {
    const char *title, *sql; /* sql: lines of text, for $1 the tenant */
};

static const struct figure FIGURES[] = {
    {NULL,
     "select format(E'sessions     %s\\ntouchpoints  %s, from %s to %s', (select count(*) from "
     "journey.journey_sessions where tenant_id = $1), count(*), to_char(min(timestamp), "
     "'YYYY-MM-DD'), to_char(max(timestamp), 'YYYY-MM-DD')) from journey.journey_touchpoints where "
     "tenant_id = $1"},
    {NULL, "select format('conversions  %s, worth %s %s', count(*), sum(event_value), "
           "event_currency) from "
           "journey.conversion_events where tenant_id = $1 group by event_currency order by "
           "count(*) desc "
           "limit 3"},
    {"Stage that sessions have reached",
     "select format('%-28s %7s', current_stage, count(*)) from journey.journey_sessions where "
     "tenant_id = $1 group by current_stage order by count(*) desc"},
    {"Paths they are led on",
     "select format('%-28s %7s', journey_path, count(*)) from journey.journey_sessions where "
     "tenant_id = $1 group by journey_path order by count(*) desc limit 5"},
    {"What happens most often in one session (repeats merged)",
     "select format('%7s  %s', count(*), path) from (select string_agg(event_name, ' → ' order by "
     "touchpoint_sequence) path from (select session_id, touchpoint_sequence, event_name, "
     "lag(event_name) over (partition by session_id order by touchpoint_sequence) before from "
     "journey.journey_touchpoints where tenant_id = $1 and touchpoint_type <> 'stage_transition') "
     "t "
     "where before is distinct from event_name group by session_id) paths group by path order by "
     "count(*) desc limit 5"},
};

static int print_figures(struct ctl *ctl, const struct tenant *tenant)
{
    printf("\nWhat the engine now knows of %s\n\n", tenant->name);
    for (unsigned i = 0; i < ARRAY_SIZE(FIGURES); i++) {
        _cleanup_(database_free) PGresult *rows = NULL;
        int status = database_query(ctl, &rows, FIGURES[i].sql, 1, tenant->id);
        if (status != CTL_DONE)
            return status;
        if (FIGURES[i].title)
            printf("\n%s\n", FIGURES[i].title);
        for (int row = 0; row < PQntuples(rows); row++)
            printf("%s%s\n", FIGURES[i].title ? "  " : "", PQgetvalue(rows, row, 0));
    }
    return CTL_DONE;
}

static void print_next(void)
{
    printf("\nTry next\n"
           "  bin/journeyctl sessions list --tenant " TENANT " --limit 5\n"
           "  bin/journeyctl tail touchpoints --tenant " TENANT " --json --limit 3\n"
           "  bin/journeyctl settings get --tenant " TENANT "\n"
           "  bin/journeyctl keys create --tenant " TENANT
           " --kind secret    a key to ask the API with\n");
}

int command_demo(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    struct sender_figures figures = {0};
    const char *key = NULL, *url = args_get(args, "url");
    const char *folder = args->n_positional > 0 ? args->positional[0]
                                                : ctl_find_file(ctl, "shared/data/completejourney");
    if (!folder)
        return ctl_fail(CTL_USAGE, "where is the data? journeyctl demo FOLDER, with "
                                   "transactions_sample.csv of the data set completejourney");
    int status = demo_tenant(ctl, &tenant);
    if (status == CTL_DONE)
        status = key_create(ctl, &tenant, APIKEY_WRITE, NULL, KEY_LIFE_S, &key);
    if (status != CTL_DONE)
        return status;
    const struct replay_options options = {
        .path = folder,
        .url = url ? url : replay_default_url(ctl),
        .key = key,
        .connections = CONNECTIONS,
        .shift_to_now = true,
    };
    status = replay_run(ctl, &options, &figures);
    if (status != CTL_DONE)
        return status;
    status = wait_still(ctl, &tenant, figures.accepted);
    if (status == CTL_DONE)
        status = print_figures(ctl, &tenant);
    if (status == CTL_DONE)
        print_next();
    return status;
}
