# shellcheck shell=bash disable=SC2034,SC2154
# What de-duplication costs: bytes on disk, memory and CPU per event, measured on what the services leave after visits of 20 events
# and after devices of 300 within an hour; multiplied to a day at the aimed rate.
#
#   load ─► ingest ─► device_sessions (the open chunk at the end of `state`), seen ─► sizes
#                         └─► copies with and without the open chunk, updated in turn ─► CPU and log per event
#
# The bytes of the open chunk are read from the state's encoding: members 5 and 6 of DeviceRecord are its last. They stay until the
# device's next event of a later hour; rows of seen for a day. CPU and log of the state are those of chunks as they stand in the end,
# so for visits at most: while one fills, its chunk is half as long. Page overhead is in the bytes of seen, not in those of states.

seen_bytes() { # table and index of all its partitions
    sql "select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'ingest.seen'::regclass"
}

# Of a tenant's devices: state, and how many of its last bytes are the open chunk.
open_chunk_sql="select d.*, coalesce((select 9 + tail from (select n, 8 * n + case when n < 16 then 2 else 3 end as tail from generate_series(1, 64) n) x
    where length(state) > tail + 9 and get_byte(state, length(state) - tail) = 50 and get_byte(state, length(state) - tail - 9) = 40
    and get_byte(state, length(state) - tail + 1) = case when n < 16 then 8 * n else (8 * n) % 128 + 128 end limit 1), 0) as open
    from ingest.device_sessions d where tenant_id = "

# Events of new devices, so many each; JSON of what stands in the tables, and of what it took.
dedupe_fill() { # name, events, events of a device
    local tenant_id write_key before cpu entries
    "$journeyctl" tenants create "bench-$$-$1" --analytics-basis legitimate_interest --reason "a benchmark" --rate none >"$work/tenant"
    tenant_id=$(cat "$work/tenant")
    write_key=$("$journeyctl" keys create --tenant "bench-$$-$1" --kind write)
    before=$(seen_bytes) cpu=$(cpu_all)
    "$load" --port "$http_port" --write-key "$write_key" --seed "$seed" --seconds 600 --limit "$(($2 / batch))" --batch "$batch" \
        --visit "$3" --visitors "$(($2 / $3 / 10 + 1))" --admin "$(admin_port)" >"$work/load"
    until_quiet
    cpu_since "$cpu" "$(jq .events "$work/load")" >"$work/cpu"
    sql "create table bench_$1 as select *, row_number() over () as n from ($open_chunk_sql '$tenant_id') x where length(state) > 0"
    sql "select row_to_json(x) from (select count(*) as devices, round(avg(length(state))) as state_bytes, round(avg(open), 1) as open_bytes,
            max(length(state)) as largest_state, (select count(*) from ingest.seen s where s.tenant_id = '$tenant_id') as seen_rows,
            (select coalesce(sum(length(hashes)) / 8, 0) from ingest.seen s where s.tenant_id = '$tenant_id') as seen_ids,
            $(seen_bytes) - $before as seen_bytes from bench_$1) x" >"$work/fill"
    jq -n --arg name "$1" --argjson visit "$3" --slurpfile load "$work/load" --slurpfile fill "$work/fill" --slurpfile cpu "$work/cpu" '
        {name: $name, events_a_device: $visit, events: $load[0].events} + $fill[0] + {
         cpu_us_per_event: ($cpu[0].processes | map({key: .name, value: .cpu_us_per_event}) | from_entries | {ingest, postgres})}'
}

# In turns, so that a busy machine touches all alike, 128 rows at a time: updates devices with and without their open chunk (the
# state's last bytes change, as they do with an event), writes rows of seen, looks for those of devices that memory does not hold
# (services look only for those of devices that have a state: the first visit of a device does not pay for it).
# Says the CPU time that Postgres' process took for it (µs a row), and the bytes of log.
dedupe_trial() { # name
    sql "create table bench_source_with as select tenant_id, device, user_id, session_id, session_start, last_seen_at, sessions, state, n from bench_$1 limit 4096;
         create table bench_source_without as select tenant_id, device, user_id, session_id, session_start, last_seen_at, sessions,
            substr(state, 1, length(state) - open) as state, n from bench_$1 limit 4096;
         create table bench_with (like ingest.device_sessions including all) with (fillfactor = 65);
         create table bench_without (like ingest.device_sessions including all) with (fillfactor = 65);
         insert into bench_with select tenant_id, device, user_id, session_id, session_start, last_seen_at, sessions, state from bench_source_with;
         insert into bench_without select tenant_id, device, user_id, session_id, session_start, last_seen_at, sessions, state from bench_source_without;
         create table bench_seen (like ingest.seen including all);
         create table bench_day (like ingest.seen including all) partition by range (hour);
         do \$\$ begin for h in -25..6 loop execute format('create table bench_day_%s partition of bench_day for values from (%L) to (%L)', h + 25,
            date_trunc('hour', now()) + h * interval '1 hour', date_trunc('hour', now()) + (h + 1) * interval '1 hour'); end loop; end \$\$;
         insert into bench_day select tenant_id, md5(n::text || ' ' || h), date_trunc('hour', now()) - h * interval '1 hour',
            decode(repeat(md5(n::text), 32), 'hex') from bench_source_with, generate_series(0, 24) h;
         analyze bench_day;
         create index on bench_source_with (n); create index on bench_source_without (n);
         create table bench_took (what text, rows int, us float8, log_bytes float8)"
    psql "$DATABASE_URL" -qAtX -v ON_ERROR_STOP=1 >"$work/trial" <<'END'
create procedure bench_turns() language plpgsql as $$
declare
    what text; began float8; log pg_lsn; changed int; n_rows int; lowest int;
    cpu constant text := '/proc/self/schedstat';
begin
    for i in 1..12 loop
        foreach what in array array['with', 'without', 'seen', 'probe'] loop
            began := split_part(pg_read_file(cpu, 0, 100), ' ', 1)::float8; log := pg_current_wal_insert_lsn(); changed := 0;
            for lowest in select min(n) + g * 128 from bench_source_with, generate_series(0, 31) g group by g order by 1 loop
                if what = 'seen' then
                    insert into bench_seen select tenant_id, device, now(), decode(repeat(md5(n::text), 32), 'hex')
                        from bench_source_with where n >= lowest and n < lowest + 128
                        on conflict (tenant_id, id, hour) do update set hashes = excluded.hashes;
                elsif what = 'probe' then
                    perform k.i, r.o, r.hashes from unnest((select array_agg(tenant_id order by n) from bench_source_with where n >= lowest and n < lowest + 128),
                        (select array_agg(device order by n) from bench_source_with where n >= lowest and n < lowest + 128)) with ordinality as k(c0, c1, i)
                        cross join lateral (select t.hour as o, t.hashes from bench_day t
                            where t.tenant_id = k.c0 and t.id = k.c1 and t.hour > now() - interval '24 hours' order by t.hour) r order by k.i, r.o;
                    select count(*) into n_rows from bench_source_with where n >= lowest and n < lowest + 128;
                else
                    execute format('insert into bench_%1$s as t select tenant_id, device, user_id, session_id, session_start, clock_timestamp(), sessions,
                        substr(state, 1, length(state) - 8) || int8send((random() * 9e18)::bigint)
                        from bench_source_%1$s where n >= $1 and n < $1 + 128 on conflict (tenant_id, device) do update set user_id = excluded.user_id,
                        session_id = excluded.session_id, session_start = excluded.session_start, last_seen_at = excluded.last_seen_at,
                        sessions = excluded.sessions, state = excluded.state', what) using lowest;
                end if;
                if what <> 'probe' then
                    get diagnostics n_rows = row_count;
                end if;
                changed := changed + n_rows;
                commit;
            end loop;
            insert into bench_took values (what, changed, (split_part(pg_read_file(cpu, 0, 100), ' ', 1)::float8 - began) / 1000,
                pg_current_wal_insert_lsn() - log);
            commit;
        end loop;
    end loop;
end $$;
checkpoint;
call bench_turns();
with medians as (select what, percentile_cont(0.5) within group (order by us / rows) as us, percentile_cont(0.5) within group (order by log_bytes / rows) as log
    from bench_took group by what)
select json_object_agg(what, json_build_object('us', round(us::numeric, 2), 'log_bytes', round(log))) from medians;
drop procedure bench_turns;
END
    sql "drop table bench_source_with, bench_source_without, bench_with, bench_without, bench_seen, bench_day, bench_took, bench_$1"
    cat "$work/trial"
}

part_dedupe() {
    local profile events=${BENCH_EVENTS:-100000} load_before
    load_before=$(machine_load)
    : >"$work/profiles"
    for profile in "visits 20" "heavy 300"; do
        # shellcheck disable=SC2086
        dedupe_fill ${profile% *} "$events" ${profile#* } >"$work/profile"
        dedupe_trial "${profile% *}" >"$work/took"
        jq -c --slurpfile took "$work/took" '. + {trial: $took[0]}' "$work/profile" >>"$work/profiles"
    done
    # Per event; a visit's hour ends within one of six (ten minutes long), which writes one chunk more.
    jq -s --argjson rate 16667 --argjson load "$load_before" '
        def cents: . * 100 | round / 100;
        (map(select(.seen_rows > 0)) | (map(.seen_bytes) | add) / ([(map(.seen_rows) | add), 1] | max)) as $row_bytes |
        {rate: $rate, machine_load: $load, bytes_a_seen_row: ($row_bytes | round), profiles: map(
            (.seen_rows / .events + 1 / 6 / .events_a_device) as $rows |
            {rows_per_event: ($rows * 10000 | round / 10000),
             disk_bytes: {state: (.open_bytes * .devices / .events), seen: ($rows * $row_bytes)},
             postgres_us: {state: (.trial.with.us - .trial.without.us), seen: ($rows * .trial.seen.us), probe: (.trial.probe.us / .events_a_device)},
             log_bytes: {state: (.trial.with.log_bytes - .trial.without.log_bytes), seen: ($rows * .trial.seen.log_bytes)}} as $per_event |
            . + {per_event: ($per_event | .disk_bytes |= map_values(cents) | .postgres_us |= map_values(cents) | .log_bytes |= map_values(cents)),
                 memory_bytes_a_device: (.open_bytes + .seen_ids * 8 / .devices + 16 * .seen_rows / .devices | round),
                 day: (($rate * 86400) as $events | {devices: ($events / .events_a_device | round),
                     disk_mb: ($per_event.disk_bytes | map_values(. * $events / 1048576 | round)),
                     log_mb: (($per_event.log_bytes | add) * $events / 1048576 | round),
                     memory_mb_of_an_hour: ((.open_bytes + .seen_ids * 8 / .devices) * $rate * 3600 / .events_a_device / 1048576 | round)})})}' \
        "$work/profiles" >"$out/dedupe.json"
    title "de-duplication for 24 hours, at 16,667 events a second" "none"
    jq -r '(.profiles[] | "  \(.events_a_device) events a device: state \(.state_bytes) bytes, of them open chunk \(.open_bytes); \(.largest_state) at most",
        "    an event: disk \(.per_event.disk_bytes.state) + \(.per_event.disk_bytes.seen) bytes (state + seen)   Postgres CPU \(.per_event.postgres_us.state) + \(.per_event.postgres_us.seen) + \(.per_event.postgres_us.probe) µs (and one look for what a device sent, \(.trial.probe.us) µs)   log \(.per_event.log_bytes.state) + \(.per_event.log_bytes.seen) bytes   rows of seen \(.per_event.rows_per_event)",
        "    a day: \(.day.devices) devices   disk \(.day.disk_mb.state) + \(.day.disk_mb.seen) MiB   log \(.day.log_mb) MiB   memory, were all devices of an hour in it: \(.day.memory_mb_of_an_hour) MiB (\(.memory_bytes_a_device) bytes each)"),
        "  a row of seen with its index: \(.bytes_a_seen_row) bytes   (machine\u0027s load \(.machine_load))"' "$out/dedupe.json"
}
