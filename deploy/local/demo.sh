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

demo_once() {
    local key question answer
    set -a
    # shellcheck source=/dev/null
    . "$run/env"
    set +a
    if [ ! -s "$run/demo.key" ]; then
        "$bin/journeyctl" tenants create demo --analytics-basis legitimate_interest --reason demo >"$run/demo.tenant" || return 1
        (umask 077 && "$bin/journeyctl" keys create --tenant demo --kind write >"$run/demo.key.part") || return 1
        mv "$run/demo.key.part" "$run/demo.key"
    fi
    key=$(cat "$run/demo.key")
    question="{\"session_id\":\"demo-$(date +%s)\",\"persona\":{\"type\":\"TechEarlyAdopter\"},\"device_context\":{\"type\":\"mobile\"},\"entry_point\":{\"source\":\"tiktok\"}}"
    echo
    echo "POST http://127.0.0.1:$http_port/api/journey/sessions/start"
    echo "$question"
    answer=$(http POST "$http_port" /api/journey/sessions/start "$key" "$question") || return 1
    printf '→ %s\n\n' "$answer"
    [[ $answer == 20[02]$'\n'* ]] || { echo "the session start was refused; logs: $run/log" >&2; return 1; }
}

# One line, rewritten each second. A series that is missing is a figure that is left out.
live_figures() {
    local name port before='' columns text
    while :; do
        before=$(
            while read -r _ _ name _; do
                port=$(port_of "$name.admin")
                { http GET "$port" /metrics 2>/dev/null || true; } | sed "s/^/$name /"
            done < <(instances) | awk -v before="$before" -v now="$(date +%s.%N)" -f "$here/figures.awk"
        )
        read -r _ columns < <(stty size 2>/dev/null) || columns=200
        text=${before#*|}
        printf '\r\033[K%s' "${text:0:columns - 1}" # a line that wraps could not be rewritten
        sleep 1 &
        wait $! || true
    done
}
