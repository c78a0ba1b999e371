# What the engine makes of the rows other than what was expected of them: a line for each session, page view and device,
# "kind TAB id TAB ours TAB theirs"; "-" where one side has nothing. Inputs: $accepted, $rows, $sessions, $views, $users.
def time: .[:19] + "." + (.[20:] + "000" | .[:3]);
def index(key): reduce .[] as $one ({}; .[$one | key] += [$one]);
def compare(kind; ours; theirs): (ours) as $ours | (theirs) as $theirs |
    ($ours + $theirs | keys[]) as $id | ($ours[$id] // "-") as $one | ($theirs[$id] // "-") as $other |
    select($one != $other) | [kind, $id[:16], $one, $other] | @tsv;
($rows | index(.event_id) | map_values(.[0])) as $row |
($rows | map({key: (.domain_sessionid // ""), value: true}) | from_entries) as $named |
($accepted | map(. + {view: (.event.properties.page_view_id // ""), device: ($row[.event.message_id].domain_userid // "")})) as $events |
def page: .event.type == "EVENT_TYPE_PAGE";
compare("session";
    $events | index(if $named[.session_id] then .session_id else "opened by ingest" end) | map_values(
        "\([.[].time[:23]] | min | sub("T"; " ")) \([.[].time[:23]] | max | sub("T"; " ")) views \([.[] | select(page).view] | unique | length) events \(length)");
    $sessions | index(.domain_sessionid) | map_values(.[0] | "\(.start_tstamp | time) \(.end_tstamp | time) views \(.page_views) events \(.total_events)")),
compare("page view";
    $events | map(select(page)) | index(.view) | map_values("views \(length)");
    $views | index(.page_view_id) | map_values("views \(length)")),
compare("device";
    $events | index(.device) | map_values("events");
    $users | index(.domain_userid) | map_values("events"))
