# shellcheck shell=bash disable=SC2034,SC2154
# Two figures that a large or a busy database could spoil: with many sessions in the tables, and with a snapshot held open.
#
# The old population belongs to a tenant of its own; $JOURNEY_RUN_DIR/population remembers it, so that a kept run directory is
# filled once; another BENCH_SEED then brings back visitors whose rows were not read yet.

small_sessions=20000 # so that visitors come back in both measurements

# --- filling -----------------------------------------------------------------------------------------------------------------

# Sets the tenant and its keys to the population's, and population: its sessions so far.
population_tenant() {
    local file=$JOURNEY_RUN_DIR/population
    if [ ! -f "$file" ]; then
        "$journeyctl" tenants create population --analytics-basis legitimate_interest --reason "a benchmark" --rate none >"$work/population"
        {
            echo "tenant_id=$(cat "$work/population")"
            echo "write_key=$("$journeyctl" keys create --tenant population --kind write)"
            echo "secret_key=$("$journeyctl" keys create --tenant population --kind secret)"
            echo "population=0"
        } >"$file"
    fi
    # shellcheck source=/dev/null
    . "$file"
}

# SQL that drops a table's indexes and constraints on them, and SQL that makes them again. Indexes of partitioned tables stay:
# theirs grow at the end; those that only a partition has are as random as the others.
indexes_sql() { # drop|make, table
    sql "select case when c.oid is null then case '$1' when 'drop' then 'drop index ' || i.indexrelid::regclass else pg_get_indexdef(i.indexrelid) end
                else format('alter table %s ', i.indrelid::regclass) ||
                     case '$1' when 'drop' then format('drop constraint %I', c.conname) else format('add constraint %I %s', c.conname, pg_get_constraintdef(c.oid)) end
                end || ';'
         from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
         where not exists (select from pg_inherits h where h.inhrelid = i.indexrelid) and i.indrelid in
             (select '$2'::regclass union all select inhrelid from pg_inherits where inhparent = '$2'::regclass)
           and (select relkind from pg_class where oid = i.indrelid) = 'r'"
}

# One transaction, so that a table is never seen half filled or without its indexes.
population_table() { # table, from, to, since, until
    local hash_key make
    hash_key=$(sql "select encode(hash_key, 'hex') from accounts.organizations where tenant_id = '$tenant_id'")
    make=$(indexes_sql make "$1")
    {
        echo "set maintenance_work_mem = '512MB'; begin;"
        [ "$(($3 - $2))" -lt 100000 ] || indexes_sql drop "$1"
        "$population_program" "$1" "$tenant_id" "$hash_key" "$JOURNEY_PARTITIONS" "${@:2}"
        [ "$(($3 - $2))" -lt 100000 ] || echo "$make"
        echo "commit; vacuum analyze $1;"
    } | psql "$DATABASE_URL" -qX -v ON_ERROR_STOP=1 >/dev/null
}

population_fill() { # sessions that there shall be
    local begin=$SECONDS since until table jobs=()
    [ "$1" -gt "$population" ] || return 0
    # of this month: the touchpoints' partition that there is
    IFS='|' read -r since until < <(sql "select (extract(epoch from greatest(date_trunc('month', now()), now() - interval '20 days')) * 1000000)::bigint, (extract(epoch from now()) * 1000000)::bigint")
    for table in journey.journey_sessions ingest.device_sessions; do
        population_table "$table" "$population" "$1" "$since" "$until" &
        jobs+=($!)
    done
    wait "${jobs[1]}"
    population_table journey.journey_touchpoints "$population" "$1" "$since" "$until"
    population_table journey.timers "$population" "$1" "$since" "$until"
    wait "${jobs[0]}"
    sql checkpoint
    population=$1
    sed -i "s/^population=.*/population=$1/" "$JOURNEY_RUN_DIR/population"
    say "  filled to $1 sessions in $((SECONDS - begin)) s: $(sql "select pg_size_pretty(pg_database_size(current_database()))")"
}

# --- growth ------------------------------------------------------------------------------------------------------------------

growth_measure() { # name
    local wal
    # others than those who are measured: whose rows are read before they come are no longer cold
    "$load" --port "$http_port" --write-key "$write_key" --seed "$((seed + 1000))" --seconds "$warm" --admin "$(admin_port)" --population "$population" >"$work/load"
    until_quiet
    wal=$(sql "select pg_current_wal_lsn()")
    pipeline "$1" 32 --batch "$batch" --rate "$((rate / batch))" --population "$population"
    wal=$(sql "select pg_current_wal_lsn() - '$wal'")
    commands_warm --population "$population"
    commands_run "$1-commands" --population "$population"
    jq -n --argjson sessions "$population" --argjson wal "$wal" --slurpfile p "$out/$1.json" --slurpfile c "$out/$1-commands.json" \
        '{sessions: $sessions, wal_bytes_per_event: ($wal / ([$p[0].load.events, 1] | max) | round), commands: $c[0]} + $p[0]' >"$work/merged"
    mv "$work/merged" "$out/$1.json"
    rm "$out/$1-commands.json"
}

# The same visits before and after: a tenth of the visitors, and of the stages, are of the old population.
part_growth() {
    local tenant_id write_key secret_key population=0 small=$JOURNEY_RUN_DIR/growth-small.json
    title "pipeline and commands with $sessions sessions" "CPU per event ≤ 1.3, p99 of commands ≤ 1.5 of those with $small_sessions"
    population_tenant
    if [ ! -f "$small" ] || [ "$population" -le "$small_sessions" ]; then
        population_fill "$small_sessions"
        growth_measure growth-small
        cp "$out/growth-small.json" "$small"
    fi
    population_fill "$sessions"
    growth_measure growth-large
    jq -n --slurpfile a "$small" --slurpfile b "$out/growth-large.json" '
        def p99(x): x.commands.latency_ms | {start: .start.p99, stage: .stage.p99};
        {before: $a[0], after: $b[0], cost_ratio: ($b[0].cpu_us_per_event / $a[0].cpu_us_per_event),
         p99_ratio: {start: (p99($b[0]).start / p99($a[0]).start), stage: (p99($b[0]).stage / p99($a[0]).stage)}}' >"$out/growth.json"
    jq -r 'def two: . * 100 | round / 100;
        (.before, .after | "\(.sessions)\t\(.cpu_us_per_event)\t\(.processes[] | select(.name == "postgres") | .cpu_us_per_event)\t\(.events_per_second | round)\t\(.wal_bytes_per_event)\t\(.commands.latency_ms.start.p99)\t\(.commands.latency_ms.stage.p99)\t\(.load.failed + .commands.failed)\t\(.machine_load)"),
        "ratio\t\(.cost_ratio | two)\t\t\t\t\(.p99_ratio.start | two)\t\(.p99_ratio.stage | two)\t\t"' "$out/growth.json" |
        awk -F'\t' 'BEGIN { printf "  %10s %12s %10s %9s %9s %12s %12s %8s %6s\n", "sessions", "CPU µs/event", "Postgres", "events/s", "WAL bytes", "start p99 ms", "stage p99 ms", "not 200", "load" }
            { printf "  %10s %12s %10s %9s %9s %12s %12s %8s %6s\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }'
}
