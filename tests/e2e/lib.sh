# shellcheck shell=bash
# What the end-to-end tests share: an engine, requests, and saying what holds.
#
#   engine_start          an engine: that of JOURNEY_URL, else a private one that is stopped at the end
#   tenant NAME           makes a tenant; sets write_key, secret_key
#   ask, expect           a request, and what its answer must be
#   ok NAME, not_ok NAME, is NAME GOT WANTED

set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
journeyctl=${JOURNEY_BIN:-$top/bin}/journeyctl
work=$(mktemp -d)
engine_is_ours=
failures=0
# Names of tenants, sessions and ids are new in each run, so that an engine may be used again; letters alone, for what looks
# like somebody's number is masked.
# shellcheck disable=SC2034
run=$(od -An -N5 -tx1 /dev/urandom | tr -d ' \n' | tr 0-9 g-p)

# A test that has an engine of another kind replaces these two.
engine_stop() {
    "$here/engine" stop "$work/run" >/dev/null 2>&1
}
engine_last_words() {
    tail -n 3 "$work"/run/log/*.log 2>/dev/null
}

finish() {
    local code=$?
    trap - EXIT
    if [ -n "$engine_is_ours" ]; then
        [ "$failures$code" = 00 ] || engine_last_words | cut -c1-300 | sed 's/^/# /'
        engine_stop
    fi
    rm -rf "$work"
    [ "$code" != 0 ] || [ "$failures" = 0 ] || code=1
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
    printf '# %s\n' "$@"
    echo "not ok - $(basename "$0")"
    failures=$((failures + 1))
    exit 1
}

engine_start() {
    if [ -z "${JOURNEY_URL:-}" ]; then
        engine_is_ours=yes
        "$here/engine" start "$work/run" >"$work/env" 2>"$work/start.log" || die "the engine did not start:" "$(cat "$work/start.log")"
        # shellcheck source=/dev/null
        . "$work/env"
    fi
    JOURNEY_URL2=${JOURNEY_URL2:-$JOURNEY_URL}
    [ -x "$journeyctl" ] || die "$journeyctl is not built: make"
}

# shellcheck disable=SC2034 # the caller's
tenant() {
    "$journeyctl" tenants create "$1" --analytics-basis legitimate_interest --reason "a test" --rate none >"$work/tenant" || die "no tenant $1"
    tenant_id=$(cat "$work/tenant")
    write_key=$("$journeyctl" keys create --tenant "$1" --kind write) || die "no write key"
    secret_key=$("$journeyctl" keys create --tenant "$1" --kind secret) || die "no secret key"
}

# --- saying what holds ---------------------------------------------------------------------------------------------------

ok() {
    echo "ok - $1"
}

not_ok() { # name, why...
    failures=$((failures + 1))
    echo "not ok - $1"
    shift
    printf '%s\n' "$@" | cut -c1-2000 | sed 's/^/# /'
}

is() { # name, got, wanted
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got    $2" "wanted $3"; fi
}

# --- waiting -------------------------------------------------------------------------------------------------------------

pause() {
    read -rt "$1" <> <(:) || true
}

# Until the command holds; false after so many seconds.
wait_for() { # seconds, command...
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || return 1
        pause 0.2
    done
}

sql() {
    psql "$DATABASE_URL" -qAtX -F ' ' -v ON_ERROR_STOP=1 -c "$1"
}

# --- requests ------------------------------------------------------------------------------------------------------------

# Sets status (000: no answer) and answer. More arguments are headers.
ask() { # method, path, key, body, header...
    local method=$1 path=$2 key=$3 body=${4-} arguments=() header
    shift "$(($# > 4 ? 4 : $#))"
    for header in "$@"; do arguments+=(-H "$header"); done
    [ -z "$key" ] || arguments+=(-H "Authorization: Bearer $key")
    [ -z "$body" ] || arguments+=(-H 'Content-Type: application/json' --data-binary "$body")
    status=$(curl -sS -m 30 -o "$work/answer" -D "$work/headers" -w '%{http_code}' -X "$method" "${arguments[@]}" "${url:-$JOURNEY_URL}$path" 2>"$work/curl.log") || status=000
    answer=$(cat "$work/answer" 2>/dev/null)
}

# The last answer: its status, and what jq must find true in it.
expect() { # name, status, filter...
    local name=$1 wanted=$2 filter
    shift 2
    if [ "$status" != "$wanted" ]; then
        not_ok "$name" "status $status, not $wanted" "$answer" "$(cat "$work/curl.log")"
        return
    fi
    for filter in "$@"; do
        if ! jq -e "$filter" "$work/answer" >/dev/null 2>&1; then
            not_ok "$name" "does not hold: $filter" "$answer"
            return
        fi
    done
    ok "$name"
}

# A problem of this code, naming these fields.
expect_problem() { # name, status, code, field...
    local name=$1 wanted=$2 code=$3 filters=() field
    shift 3
    filters=(".code == \"$code\"" ".status == $wanted" 'has("type") and (.title | type == "string")')
    for field in "$@"; do filters+=("any(.errors[]; .field == \"$field\" and (.code | length > 0) and (.message | length > 0))"); done
    if [ "$status" = "$wanted" ] && ! grep -qi '^content-type: *application/problem+json' "$work/headers"; then
        not_ok "$name" "its type is not application/problem+json" "$(cat "$work/headers")"
        return
    fi
    expect "$name" "$wanted" "${filters[@]}"
}
