/* Sessions as they stand in the tables. */
#include "database.h"
#include "operate.h"
#include "tenants.h"

#include <stdio.h>

/* Read through a cursor: a tenant may have millions. The encoded state is the row once more, for its service alone. */
static const char AS_JSON[] =
    "declare list cursor for select to_jsonb(s) - 'state' from journey.journey_sessions s where "
    "tenant_id = $1 order by start_timestamp desc, session_id limit $2::bigint";
static const char AS_LINES[] =
    "declare list cursor for select format('%-32s  %s  %-13s %5s touchpoints  %6s s  %s  %s', "
    "session_id, to_char(start_timestamp, 'YYYY-MM-DD HH24:MI:SS'), current_stage, "
    "total_touchpoints, coalesce(total_session_time, 0), case when end_timestamp is null then "
    "'open ' "
    "else 'ended' end, journey_path) from journey.journey_sessions where tenant_id = $1 order by "
    "start_timestamp desc, session_id limit $2::bigint";

static int print_all(struct ctl *ctl, int64_t *shown)
{
    for (int n = 1; n > 0;) {
        _cleanup_(database_free) PGresult *rows = NULL;
        int status = database_query(ctl, &rows, "fetch 1000 from list", 0);
        if (status != CTL_DONE)
            return status;
        n = PQntuples(rows);
        *shown += n;
        for (int i = 0; i < n; i++)
            printf("%s\n", PQgetvalue(rows, i, 0));
    }
    return CTL_DONE;
}

int command_sessions_list(struct ctl *ctl, const struct args *args)
{
    struct tenant tenant = {0};
    struct err err;
    int64_t limit, shown = 0;
    if (args_int(args, "limit", 0, 1, INT64_MAX, &limit, &err) < 0)
        return ctl_fail(CTL_USAGE, "%s", err.message);
    const char *most = limit > 0 ? arena_printf(ctl->arena, "%lld", (long long)limit) : NULL;
    int status = tenant_find(ctl, args_get(args, "tenant"), &tenant);
    if (status == CTL_DONE)
        status = database_run(ctl, "begin", 0);
    if (status == CTL_DONE)
        status = database_run(ctl, args_has(args, "json") ? AS_JSON : AS_LINES, 2, tenant.id, most);
    if (status == CTL_DONE)
        status = print_all(ctl, &shown);
    if (status == CTL_DONE && shown == 0)
        (void)fprintf(stderr, "%s has no session yet\n", tenant.name);
    return status;
}
