# shellcheck shell=bash disable=SC2034,SC2154
# The benchmark's engine: started in a run directory of its own, stopped at the end whatever happens.

say() {
    printf '%s\n' "$@"
}
title() { # what, aim
    printf '\n%s   [aim: %s]\n' "$1" "$2"
}
pause() {
    read -rt "$1" <> <(:) || true
}
since() { # from, to: seconds
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b - a }'
}
sql() {
    psql "$DATABASE_URL" -qAtX -v ON_ERROR_STOP=1 -c "$1"
}

engine_up() {
    env -u KAFKA_BROKERS -u DATABASE_URL -u REDIS_URL "$top/deploy/local/stack" up >"$work/start.log" 2>&1 || { cat "$work/start.log" >&2; exit 1; }
    # shellcheck source=/dev/null
    . "$JOURNEY_RUN_DIR/env"
    http_port=$JOURNEY_HTTP_PORT
}

engine_end() {
    local code=$?
    trap - EXIT
    jobs -p | xargs -r kill 2>/dev/null || true
    "$top/deploy/local/stack" down >/dev/null 2>&1 || true
    [ -n "${BENCH_RUN_DIR:-}" ] || rm -rf "$JOURNEY_RUN_DIR"
    rm -rf "$work"
    exit "$code"
}

engine_begin() {
    local begin=$EPOCHREALTIME port
    unset JOURNEY_INSTANCES
    export JOURNEY_RUN_DIR=${BENCH_RUN_DIR:-$(mktemp -d /tmp/journey-bench.XXXXXX)}
    mkdir -p "$JOURNEY_RUN_DIR" && chmod 755 "$JOURNEY_RUN_DIR"
    trap engine_end EXIT
    trap 'exit 130' INT TERM
    port=$(cat "$JOURNEY_RUN_DIR/http_port" 2>/dev/null || echo $((20000 + RANDOM % 10000)))
    echo "$port" >"$JOURNEY_RUN_DIR/http_port"
    export JOURNEY_HTTP_PORT=$port
    engine_up
    [ -n "${BENCH_RUN_DIR:-}" ] || first_start=$(since "$begin" "$EPOCHREALTIME")
    "$journeyctl" tenants create "bench-$$" --analytics-basis legitimate_interest --reason "a benchmark" --rate none >"$work/tenant"
    tenant_id=$(cat "$work/tenant")
    write_key=$("$journeyctl" keys create --tenant "bench-$$" --kind write)
    secret_key=$("$journeyctl" keys create --tenant "bench-$$" --kind secret)
}

until_up() {
    until ! "$top/deploy/local/stack" status 2>/dev/null | awk 'NR > 1 && $4 != "up" && $4 != "done" { found = 1 } END { exit !found }'; do
        pause 0.2
    done
}

# Events that have become touchpoints, exactly; not the moves that they caused.
touchpoints() { # tenant; ours when none is given
    sql "select count(*) from journey.journey_touchpoints where tenant_id = '${1:-$tenant_id}' and touchpoint_type <> 'stage_transition'"
}

admin_port() {
    sed -n 's/^journey-state.admin //p' "$JOURNEY_RUN_DIR/ports"
}

# What journey-state has decided since it started: cheap, so it may be asked often.
decided() {
    curl -s "http://127.0.0.1:$(admin_port)/metrics" | awk '$1 == "journey_stream_messages_total" { printf "%d", $2 }'
}

until_quiet() {
    local last=-1 now
    while now=$(decided) && [ "$now" != "$last" ]; do
        last=$now
        pause 1
    done
}

# Until so many more have been decided, and then are in the table; sets committed, and committed_at: when.
until_committed() { # touchpoints before, decided before, events
    local give_up=$((SECONDS + 300))
    until [ "$(($(decided) - $2))" -ge "$3" ] || [ "$SECONDS" -ge "$give_up" ]; do
        pause 0.1
    done
    committed_at=$EPOCHREALTIME
    while committed=$(($(touchpoints) - $1)) && [ "$committed" -lt "$3" ] && [ "$SECONDS" -lt "$give_up" ]; do
        committed_at=$EPOCHREALTIME
        pause 0.2
    done
}
