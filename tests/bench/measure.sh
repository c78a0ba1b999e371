# shellcheck shell=bash disable=SC2034,SC2154
# CPU time and memory of the engine's processes, from /proc.

machine_load() {
    cut -d' ' -f1 /proc/loadavg
}

# name and pid of each process that runs
processes() {
    awk -F'\t' '$2 > 0 { print $1, $2 }' "$JOURNEY_RUN_DIR/status"
}

# Clock ticks of a process, of its children that live and of those that it has waited for.
ticks_of() { # pid
    local pid
    for pid in $1 $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        cat "/proc/$pid/stat" 2>/dev/null || true
    done | sed 's/^.*) //' | awk '{ n += $12 + $13 + $14 + $15 } END { print n + 0 }'
}

cpu_all() { # a line per process: name, ticks
    local name pid
    while read -r name pid; do
        echo "$name $(ticks_of "$pid")"
    done < <(processes)
}

# JSON of what was used since, per event.
cpu_since() { # output of cpu_all, events
    { printf '%s\n' "$1" && echo - && cpu_all; } | awk -v hz="$(getconf CLK_TCK)" -v events="$2" '
        $1 == "-" { after = 1; next }
        !after { before[$1] = $2; next }
        { printf "{\"name\":\"%s\",\"cpu_us_per_event\":%.2f}\n", $1, ($2 - before[$1]) * 1e6 / hz / (events ? events : 1) }' |
        jq -s '{processes: .}'
}

# MiB of memory of a process with its children; shared pages are counted in parts.
pss_of() { # pid
    local pid
    for pid in $1 $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        cat "/proc/$pid/smaps_rollup" 2>/dev/null || true
    done | awk '$1 == "Pss:" { n += $2 } END { printf "%.1f", n / 1024 }'
}

updates() { # table: updates, of them heap-only
    sql "select coalesce(sum(n_tup_upd), 0), coalesce(sum(n_tup_hot_upd), 0) from pg_stat_user_tables where relname = '$1'"
}

measure_begin() {
    : >"$work/memory" && : >"$work/progress"
    sessions_before=$(updates journey_sessions) devices_before=$(updates device_sessions)
    began_at=$EPOCHREALTIME load_at_begin=$(machine_load) cpu_before=$(cpu_all)
    measure_sample
}

measure_sample() {
    local name pid
    echo "$(since "$began_at" "$EPOCHREALTIME") $(decided)" >>"$work/progress"
    while read -r name pid; do
        echo "$(since "$began_at" "$EPOCHREALTIME") $name $(pss_of "$pid")" >>"$work/memory"
    done < <(processes)
}

heap_only() { # before, after
    awk -v b="$1" -v a="$2" 'BEGIN { split(b, x, "|"); split(a, y, "|"); n = y[1] - x[1]; printf "%.3f", n ? (y[2] - x[2]) / n : 0 }'
}

# JSON of everything since measure_begin.
measure_end() { # events, CPU µs of the load generator
    local cpu
    cpu=$(cpu_since "$cpu_before" "$1")
    measure_sample
    pause 1.2 # Postgres' counters are that old
    jq -Rs '[split("\n")[] | select(. != "") | split(" ") | {at: (.[0] | tonumber), name: .[1], pss_mib: (.[2] | tonumber)}]' "$work/memory" >"$work/memory.json"
    jq -Rs '[split("\n")[] | select(. != "") | split(" ") | {at: (.[0] | tonumber), decided: (.[1] | tonumber)}]' "$work/progress" >"$work/progress.json"
    jq -n --argjson events "$1" --argjson committed "${committed:-0}" --argjson load_us "$2" --argjson cpu "$cpu" --slurpfile memory "$work/memory.json" --slurpfile progress "$work/progress.json" \
        --argjson seconds "$(since "$began_at" "$committed_at")" --argjson load "$load_at_begin" \
        --argjson sessions "$(heap_only "$sessions_before" "$(updates journey_sessions)")" \
        --argjson devices "$(heap_only "$devices_before" "$(updates device_sessions)")" '
        def cents: . * 100 | round / 100;
        def mean: if length > 0 then add / length else 0 end;
        ($memory[0][-1].at) as $length |
        def quarter(k): map(select(.at >= $length * (k - 1) / 4 and .at <= $length * k / 4));
        # MiB a minute from the second quarter to the last: how the first ends depends on what was there before
        def slope: ((quarter(4) | map(.pss_mib) | mean) - (quarter(2) | map(.pss_mib) | mean)) / ($length / 2 / 60);
        def rate: if length > 1 and .[-1].at > .[0].at then (.[-1].decided - .[0].decided) / (.[-1].at - .[0].at) | round else 0 end;
        ($memory[0] | group_by(.name) | map({key: .[0].name, value: .}) | from_entries) as $by_name |
        {seconds: $seconds, committed: $committed, events_per_second: (if $seconds > 0 then $committed / $seconds else 0 end), machine_load: $load,
         heap_only: {journey_sessions: $sessions, device_sessions: $devices},
         processes: ([$cpu.processes[] | . + {pss_mib_first: $by_name[.name][0].pss_mib, pss_mib_last: $by_name[.name][-1].pss_mib,
                      pss_mib_max: ($by_name[.name] | map(.pss_mib) | max), pss_mib_a_minute: ($by_name[.name] | slope | cents)}] +
                     [{name: "load generator", cpu_us_per_event: ($load_us / ([$events, 1] | max) | cents)}]),
         decided_per_second_by_quarter: [range(1; 5) as $k | $progress[0] | quarter($k) | rate],
         memory: $memory[0], progress: $progress[0]} | . + {cpu_us_per_event: ([.processes[].cpu_us_per_event] | add | cents)}'
}

merge() { # file, file to add, machine's load before
    jq -s --argjson load "$3" '.[0] + .[1] + {machine_load: $load}' "$1" "$2" >"$work/merged"
    mv "$work/merged" "$1"
}

# perf's record of each process while the pipeline runs; call stacks by frame pointers where there are any.
perf_begin() {
    local name pid
    mkdir -p "$BENCH_PERF"
    perf_pids=()
    while read -r name pid; do
        perf record -q -F 997 -g -o "$BENCH_PERF/$name.data" -p "$(echo "$pid $(cat "/proc/$pid/task/$pid/children")" | xargs | tr ' ' ',')" 2>/dev/null &
        perf_pids+=($!)
    done < <(processes)
}
perf_end() {
    kill -INT "${perf_pids[@]}" 2>/dev/null || true
    wait "${perf_pids[@]}" 2>/dev/null || true
}
