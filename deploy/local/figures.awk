# One line of figures from the services' metrics. Input: "INSTANCE SERIES VALUE" a line; before: what this printed the last
# time, up to the bar; now: seconds; columns: how wide the line may be. Output: NOW;KEY=COUNTER;...|TEXT. A figure without its
# series is left out, and so is what does not fit: the most telling come first.
# A pattern sees "INSTANCE NAME", without labels; all that it fits counts together.
#
#   rate   the counters' growth a second    mean_ms   a histogram of seconds: growth of its sum by growth of its count
#   sum    counters added up                max_ms    the largest gauge, seconds
#   some   the same, unless it is 0         last_ms   the same of what was last read: "-" when nothing was read since

function figure(label, kind, pattern)
{
    n++
    labels[n] = label
    kinds[n] = kind
    patterns[n] = pattern
}

BEGIN {
    figure("requests", "rate", " gateway_requests_total$")
    figure("events", "rate", " gateway_events_total$")
    figure("touchpoints", "sum", "^journey-state[-0-9]* journey_touchpoint_events$")
    figure("conversions", "sum", "^journey-state[-0-9]* journey_conversions$")
    figure("dead letters", "some", " journey_dead_letters_total$")
    figure("lag", "last_ms", " journey_stream_lag_seconds$")
    figure("commit", "mean_ms", " journey_stream_commit_seconds")
    figure("outbox", "max_ms", " journey_stream_outbox_age_seconds$")
    figure("ingest", "rate", "^ingest[-0-9]* journey_stream_messages_total$")
    figure("journey-state", "rate", "^journey-state[-0-9]* journey_stream_messages_total$")
    figure("", "read", " journey_stream_messages_total$")
    read = n
    parts = split(substr(before, 1, index(before "|", "|") - 1), old, ";")
    for (i = 2; i <= parts; i++) {
        split(old[i], pair, "=")
        previous[pair[1]] = pair[2]
    }
    elapsed = parts ? now - old[1] : 0
}

NF >= 3 && $2 !~ /^#/ {
    name = $1 " " $2
    sub(/\{.*/, "", name)
    value = $NF
    for (i = 1; i <= n; i++) {
        if (kinds[i] == "mean_ms") {
            if (name ~ patterns[i] "_sum$") { total[i "s"] += value; seen[i] = 1 }
            if (name ~ patterns[i] "_count$") total[i "c"] += value
        } else if (name ~ patterns[i]) {
            seen[i] = 1
            if (kinds[i] !~ /^(max|last)_ms$/) total[i] += value
            else if (value > total[i]) total[i] = value
        }
    }
}

function add(text)
{
    if (full || length(line) + length(text) + 3 > columns)
        full = 1
    else
        line = line (line == "" ? "" : "   ") text
}

END {
    state = now
    for (key in total)
        state = state ";" key "=" sprintf("%.6f", total[key])
    for (i = 1; i <= n && elapsed > 0; i++) {
        if (!seen[i])
            continue
        if (kinds[i] == "sum" || (kinds[i] == "some" && total[i] > 0))
            add(sprintf("%s %d", labels[i], total[i]))
        else if (kinds[i] == "max_ms")
            add(sprintf("%s %.1f ms", labels[i], total[i] * 1000))
        else if (kinds[i] == "last_ms")
            add(labels[i] " " (total[read] > previous[read] ? sprintf("%.1f ms", total[i] * 1000) : "-"))
        else if (kinds[i] == "rate" && (i in previous) && total[i] >= previous[i])
            add(sprintf("%s %.0f/s", labels[i], (total[i] - previous[i]) / elapsed))
        else if (kinds[i] == "mean_ms")
            add(labels[i] " " (total[i "c"] > previous[i "c"] ? sprintf("%.1f ms", 1000 * (total[i "s"] - previous[i "s"]) / (total[i "c"] - previous[i "c"])) : "-"))
    }
    printf "%s|%s", state, line == "" ? "no figures yet" : line
}
