# shellcheck shell=bash disable=SC2154
# What journeyctl load was acknowledged over HTTP ($work/record), against the topic and the tables: nothing lost, nothing twice.
# Needs lib.sh and a tenant of its own. COMPARE_SECONDS: how long the topic may lag behind.

# Sets $work/topic: session, number, type, message, id, new stage, order. True once all that was acknowledged is in it.
topic_read() { # tenant
    "$journeyctl" tail touchpoints --tenant "$1" --json --until-end 2>"$work/tail.err" |
        jq -r '[.session_id, .touchpoint_sequence, .touchpoint_type, .message_id, .id, (.interaction_data.new_stage // "-"), .order_id] | @tsv' >"$work/topic" || return 1
    awk -F'\t' '$3 == "load_step" { print $4 }' "$work/topic" | sort >"$work/topic.events"
    [ "$(comm -23 "$work/acked.events" "$work/topic.events" | wc -l)" = 0 ]
}

differences() {
    diff "$@" | grep -c '^[<>]'
}

recorded() { # kind, column
    awk -F'\t' -v kind="$1" -v column="$2" '$1 == kind { print $column }' "$work/record" | sort
}

compare_with_topic() { # tenant, events that there must be at least
    local events session
    recorded event 3 >"$work/acked.events"
    awk -F'\t' '$1 == "stage" { print $2 "\t" $3 }' "$work/record" | sort >"$work/acked.stages"
    wait_for "${COMPARE_SECONDS:-60}" topic_read "$1" || not_ok "the topic holds all that was acknowledged" "$(cat "$work/tail.err")"
    events=$(wc -l <"$work/acked.events")
    if [ "$events" -ge "$2" ]; then ok "$events events were acknowledged"; else not_ok "enough events were acknowledged" "$events"; fi
    is "events: 0 lost" "$(comm -23 "$work/acked.events" "$work/topic.events" | wc -l)" 0
    is "events: 0 doubled" "$(uniq -d "$work/topic.events" | wc -l)" 0
    is "events: none that nobody sent" "$(comm -13 "$work/acked.events" "$work/topic.events" | wc -l)" 0
    awk -F'\t' '$3 == "stage_transition" { print $1 "\t" $6 }' "$work/topic" | sort >"$work/topic.stages"
    is "stages: each acknowledged move once, no other" "$(differences "$work/acked.stages" "$work/topic.stages")" 0
    # how those that differ, and their sessions' starts, were answered
    diff "$work/acked.stages" "$work/topic.stages" | awk '/^[<>]/ { print $2 }' | while read -r session; do
        awk -F'\t' -v s="$session" '$2 == s && ($1 == "start" || $1 == "stage")' "$work/record"
    done | head -20 | sed 's/^/# /'
    is "sequences: 0 gaps" "$(cut -f1,2 "$work/topic" | sort -k1,1 -k2,2n |
        awk -F'\t' '{ n = $1 == s ? n + 1 : 1; s = $1; bad += $2 != n } END { print bad + 0 }')" 0
}

compare_with_tables() {
    sql "select session_id, touchpoint_sequence, id from journey.journey_touchpoints where tenant_id = '$tenant_id'" | sort >"$work/table"
    awk -F'\t' '{ print $1, $2, $5 }' "$work/topic" | sort >"$work/topic.rows"
    is "table and topic hold the same touchpoints" "$(differences "$work/table" "$work/topic.rows")" 0
    is "each session counts its touchpoints" "$(sql "select count(*) from journey.journey_sessions s where tenant_id = '$tenant_id' and total_touchpoints <>
        (select count(*) from journey.journey_touchpoints t where t.tenant_id = s.tenant_id and t.session_id = s.session_id)")" 0
    is "each purchase is one conversion" "$(sql "select order_id from journey.conversion_events where tenant_id = '$tenant_id'" | sort | md5sum)" \
        "$(recorded conversion 3 | md5sum)"
    is "sessions that were started, and no other" "$(sql "select session_id from journey.journey_sessions where tenant_id = '$tenant_id'" | sort | md5sum)" \
        "$(recorded start 2 | md5sum)"
}

compare() { # tenant, events that there must be at least
    compare_with_topic "$@"
    compare_with_tables
}
