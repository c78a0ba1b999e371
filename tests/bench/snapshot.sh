# shellcheck shell=bash disable=SC2154
# What a snapshot that is held open costs: events at a fixed rate and commands beside them, without it, then in each quarter of
# its time. Nothing that changed since it began can be cleaned up.

# Events and commands for so long: JSON of the CPU of all processes, by event or command, and of the commands' latencies.
slice() { # rate, seconds, number
    local before cpu pid
    before=$(decided) cpu=$(cpu_all)
    "$load" --port "$http_port" --write-key "$write_key" --seed "$((seed + $3))" --seconds "$2" --batch "$batch" --rate "$(($1 / batch))" >"$work/load" &
    pid=$!
    seconds=$2 commands_run slice
    wait "$pid" || say "  the load generator failed"
    until_quiet # so that all that was sent is paid for
    cpu_since "$cpu" "$(($(decided) - before))" |
        jq -c --slurpfile commands "$out/slice.json" --slurpfile events "$work/load" --argjson load "$(machine_load)" \
            '. + {cpu_us_per_event: ([.processes[].cpu_us_per_event] | add * 100 | round / 100), commands: $commands[0], events: $events[0], machine_load: $load}'
    rm "$out/slice.json"
}

part_snapshot() {
    local rate length k
    rate=$(half_rate) length=$(($snapshot / 4))
    title "a snapshot held open for $snapshot s, beside $rate events and $commands commands a second" "CPU per event ≤ 1.3, p99 ≤ 1.5 of those without"
    slice "$rate" "$warm" 10 >/dev/null
    slice "$rate" "$length" 11 >"$work/slices"
    coproc HOLDER { psql "$DATABASE_URL" -qAtX; }
    local holder=$HOLDER_PID answer
    echo "begin isolation level repeatable read; select count(*) from journey.journey_sessions where tenant_id = '$tenant_id';" >&"${HOLDER[1]}"
    read -r answer <&"${HOLDER[0]}"
    for k in 1 2 3 4; do
        slice "$rate" "$length" "$((11 + k))" >>"$work/slices"
    done
    echo "commit; \\q" >&"${HOLDER[1]}"
    wait "$holder" || true
    jq -s --argjson seconds "$snapshot" --argjson rate "$rate" --argjson rows "$answer" '
        {seconds: $seconds, events_per_second: $rate, rows_seen: $rows, without: .[0], quarters: .[1:],
         cost_ratio: {first: (.[1].cpu_us_per_event / .[0].cpu_us_per_event), last: (.[4].cpu_us_per_event / .[0].cpu_us_per_event)},
         p99_ratio: (.[0].commands.latency_ms as $a | .[4].commands.latency_ms | {start: (.start.p99 / $a.start.p99), stage: (.stage.p99 / $a.stage.p99)})}' "$work/slices" >"$out/snapshot.json"
    jq -r 'def two: . * 100 | round / 100;
        def row(name): "\(name)\t\(.cpu_us_per_event)\t\(.processes[] | select(.name == "postgres") | .cpu_us_per_event)\t\(.commands.latency_ms.start.p99)\t\(.commands.latency_ms.stage.p99)\t\(.machine_load)";
        (.without | row("without")), (.quarters | to_entries[] | (.key + 1) as $k | .value | row("quarter \($k)")),
        "last to without\t\(.cost_ratio.last | two)\t\t\(.p99_ratio.start | two)\t\(.p99_ratio.stage | two)\t"' "$out/snapshot.json" |
        awk -F'\t' 'BEGIN { printf "  %-16s %14s %10s %13s %13s %6s\n", "", "CPU µs/message", "Postgres", "start p99 ms", "stage p99 ms", "load" }
            { printf "  %-16s %14s %10s %13s %13s %6s\n", $1, $2, $3, $4, $5, $6 }'
}
