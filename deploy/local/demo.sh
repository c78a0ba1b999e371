# shellcheck shell=bash disable=SC2154
# What `make run` shows: a demo tenant, one real session, then a line of live figures. Needs lib.sh, and $bin, $http_port of the caller.

# Prints the answer's status code on the first line, then its body. HTTP/1.0 with bash alone: curl need not be here.
http() {
    local method=$1 port=$2 path=$3 key=${4:-} body=${5:-} fd line code
    exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n%s%sContent-Length: %d\r\n\r\n%s' "$method" "$path" "$port" \
        "${key:+Authorization: Bearer $key$'\r\n'}" "${body:+Content-Type: application/json$'\r\n'}" "$(printf %s "$body" | wc -c)" "$body" >&"$fd"
    read -r -t 15 -u "$fd" _ code _ || code=000
    while read -r -t 15 -u "$fd" line && [ "${line%$'\r'}" != "" ]; do :; done
    echo "$code"
    timeout 15 cat <&"$fd" || true
    exec {fd}>&-
}

# Makes the tenant, unless it is there, and a key of each kind, once: $run/demo.key, $run/demo.secret.
demo_tenant() {
    local kind file
    [ ! -s "$run/demo.key" ] || [ ! -s "$run/demo.secret" ] || return 0
    "$bin/journeyctl" tenants create demo --if-missing --analytics-basis legitimate_interest --reason demo --rate none >"$run/demo.tenant" || return 1
    for kind in write:key secret:secret; do
        file=$run/demo.${kind#*:}
        (umask 077 && "$bin/journeyctl" keys create --tenant demo --kind "${kind%:*}" >"$file.part") || return 1
        mv "$file.part" "$file"
    done
}

# Asks for the session; sets answer, and took: milliseconds.
demo_ask() { # question
    local began=$EPOCHREALTIME
    answer=$(http POST "$http_port" /api/journey/sessions/start "$(cat "$run/demo.key")" "$1") || return 1
    took=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f ms", (b - a) * 1000 }')
}

demo_once() {
    local url=http://127.0.0.1:$http_port question answer took first folder=${run#"$PWD"/} ctl=bin/journeyctl
    set -a
    # shellcheck source=/dev/null
    . "$run/env"
    set +a
    demo_tenant || return 1
    [ -z "${JOURNEY_RUN_DIR:-}" ] || ctl="JOURNEY_RUN_DIR=$folder $ctl"
    question="{\"session_id\":\"demo-$(date +%s)\",\"persona\":{\"type\":\"TechEarlyAdopter\"},\"device_context\":{\"type\":\"mobile\"},\"entry_point\":{\"source\":\"tiktok\"}}"
    demo_ask "$question" || return 1
    first=$took
    demo_ask "$question" || return 1
    cat <<EOF

A visitor comes from TikTok, by phone. The shop's page asks where this visitor stands:

  curl $url/api/journey/sessions/start -H "Authorization: Bearer \$(cat $folder/demo.key)" \\
       -H 'Content-Type: application/json' -d '$question'

The engine answers ${answer%%$'\n'*} after $first, and after $took when asked again:

EOF
    awk -f "$here/json.awk" <<<"${answer#*$'\n'}"
    [[ $answer == 20[02]$'\n'* ]] || { echo "the session start was refused; logs: $run/log" >&2; return 1; }
    cat <<EOF

To see the figures below move, from another terminal:

  $ctl load --url $url --key \$(cat $folder/demo.key) --secret-key \$(cat $folder/demo.secret) --rate 200 --seconds 30
  $ctl sessions list --tenant demo

Ctrl-C stops everything.

EOF
}

# One line, rewritten each second; each on its own where there is no terminal.
live_figures() {
    local name port before='' columns rewrite='\r\033[K%s'
    [ -t 1 ] || rewrite='%s\n'
    while :; do
        { read -r _ columns < <(stty size 2>/dev/null) && [ "$columns" -gt 0 ]; } || columns=200
        before=$(
            while read -r _ _ name _; do
                port=$(port_of "$name.admin")
                { http GET "$port" /metrics 2>/dev/null || true; } | sed "s/^/$name /"
            done < <(instances) | awk -v before="$before" -v now="$(date +%s.%N)" -v columns="$columns" -f "$here/figures.awk"
        )
        # shellcheck disable=SC2059 # a line that wraps could not be rewritten
        printf "$rewrite" "${before#*|}"
        sleep 1 &
        wait $! || true
    done
}
