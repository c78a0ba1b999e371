# shellcheck shell=bash
# What the scripts here share: the run directory, its ports, and the three servers as processes of the supervisor's table.
#
#   $run/ports       name port                chosen once
#   $run/env         export lines (0600)      where the servers are
#   $run/kafka postgres redis                 data and configuration
#   $run/table       for the supervisor       written anew at each start
#   $run/lock status log/                     the supervisor's

# shellcheck disable=SC2034
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
supervisor=$top/build/supervisor
kafka_libs=$top/build/kafka/libs
kafka_classes=$top/build/kafka/classes.jsa

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Sets run: the run directory, absolute, made if need be.
run_dir() {
    mkdir -p "$1" || die "cannot make the run directory $1: set JOURNEY_RUN_DIR to a folder that you may write"
    run=$(cd "$1" && pwd)
}

supervisor_build() {
    MAKEFLAGS='' make -s -f "$here/module.mk" -C "$top" build/supervisor >&2 || die "the supervisor does not build: try deploy/local/install"
}

# Ports that something listens on, decimal, in one line.
ports_taken() {
    local address state hex taken=" "
    while read -r _ address _ state _; do
        [ "$state" = 0A ] || continue
        hex=${address##*:}
        taken+="$((16#$hex)) "
    done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    printf '%s' "$taken"
}

# Chooses a port for each NAME that has none yet in this run directory, or whose port somebody else has taken meanwhile.
# Below the range from which outgoing connections get theirs, so that none of them can hold it at the next start.
ports_choose() {
    local name port taken
    taken=$(ports_taken)
    for name in "$@"; do
        port=$(port_of "$name")
        [ -z "$port" ] || [[ $taken == *" $port "* ]] || continue
        while port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000)); do
            [[ $taken == *" $port "* ]] || grep -qs " $port\$" "$run/ports" || break
        done
        { grep -sv "^$name " "$run/ports" || true; echo "$name $port"; } >"$run/ports.part"
        mv "$run/ports.part" "$run/ports"
    done
}

port_of() {
    sed -n "s/^$1 //p" "$run/ports" 2>/dev/null || true
}

random_word() {
    od -An -N18 -tx1 /dev/urandom | tr -d ' \n'
}

# --- Kafka ---------------------------------------------------------------------------------------------------------------

kafka_prepare() {
    local port controller dir=$run/kafka
    port=$(port_of kafka) controller=$(port_of kafka-controller)
    [ -n "$(ls "$kafka_libs" 2>/dev/null)" ] || die "Kafka's jars are not in $kafka_libs: run deploy/local/install"
    mkdir -p "$dir"
    {
        cat "$top/deploy/kafka/server.properties"
        echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller"
        echo "advertised.listeners=PLAINTEXT://127.0.0.1:$port"
        echo "controller.quorum.voters=1@127.0.0.1:$controller"
        echo "log.dirs=$dir/data"
    } >"$dir/server.properties"
    if [ ! -f "$dir/data/meta.properties" ]; then
        rm -rf "$dir/data"
        # a cluster id is 16 random bytes in URL-safe base64 without padding
        java "@$top/deploy/kafka/jvm.options" -cp "$kafka_libs/*" kafka.tools.StorageTool format \
            -t "$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '=')" -c "$dir/server.properties" >"$run/kafka/format.log" 2>&1 ||
            die "Kafka's storage could not be formatted:" "$(cat "$run/kafka/format.log")"
    fi
}

kafka_table() {
    local port
    port=$(port_of kafka)
    cat <<EOF
process kafka
stage 1
dir $run/kafka
arg java
arg @$top/deploy/kafka/jvm.options
$([ ! -s "$kafka_classes" ] || echo "arg -XX:SharedArchiveFile=$kafka_classes")
arg -cp
arg $kafka_libs/*
arg kafka.Kafka
arg $run/kafka/server.properties
port $port
ready log Kafka Server started
ready-seconds 120
stop-seconds 20
process kafka-groups
stage 2
arg $top/deploy/kafka/await-groups
arg 127.0.0.1
arg $port
ready exit
EOF
}

# Keeps the classes that a broker loads as an archive: a start then takes a third less CPU. Without it all works the same.
kafka_archive() (
    run_dir "$(mktemp -d)" # in this subshell
    trap '"$supervisor" stop "$run" || true; rm -rf "$run"' EXIT
    ports_choose kafka kafka-controller
    kafka_prepare
    kafka_table >"$run/table"
    supervisor_build
    JAVA_TOOL_OPTIONS=-XX:ArchiveClassesAtExit=$kafka_classes.part "$supervisor" start "$run" "$run/table"
    "$supervisor" stop "$run"
    mv "$kafka_classes.part" "$kafka_classes"
)

# --- Postgres ------------------------------------------------------------------------------------------------------------

# Sets pg: the folder of its programs; of the version that made the data, else the newest.
postgres_find() {
    local version=
    [ ! -f "$run/postgres/data/PG_VERSION" ] || version=$(cat "$run/postgres/data/PG_VERSION" 2>/dev/null || true)
    pg=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -name "${version:-*}" 2>/dev/null | sort -V | tail -1)
    pg=${pg:+$pg/bin}
    [ -n "$pg" ] || pg=$(dirname "$(command -v postgres || echo /)")
    [ -x "$pg/postgres" ] || die "PostgreSQL${version:+ $version} is not installed: run deploy/local/install"
}

# Sets as_postgres: what to put before a command so that Postgres does not see root, which it refuses.
# Where its user may not even enter the run directory (below /root, say), it gets the right to, and nothing else.
postgres_user() {
    as_postgres=()
    [ "$(id -u)" = 0 ] || return 0
    id postgres >/dev/null 2>&1 || die "there is no user postgres: run deploy/local/install"
    as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups)
    local capability
    for capability in '' dac_read_search dac_override; do
        ! "${as_postgres[@]}" ${capability:+--inh-caps=+$capability --ambient-caps=+$capability} test -w "$run/postgres/." 2>/dev/null || break
    done
    [ -z "$capability" ] || as_postgres+=(--inh-caps=+"$capability" --ambient-caps=+"$capability")
    as_postgres+=(--pdeathsig=QUIT) # changing the user has cleared what the supervisor set
}

postgres_prepare() {
    local dir=$run/postgres
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then
        chown postgres: "$dir" || die "there is no user postgres: run deploy/local/install"
    fi
    postgres_user
    postgres_find
    if [ ! -f "$run/postgres.ready" ]; then
        rm -rf "$dir/data"
        (umask 077 && random_word >"$dir/password")
        [ "$(id -u)" != 0 ] || chown postgres: "$dir/password"
        {
            "${as_postgres[@]}" "$pg/initdb" -D "$dir/data" -U journey -A scram-sha-256 -E UTF8 --locale=C \
                --pwfile="$dir/password" --no-instructions &&
                echo 'CREATE DATABASE journey' | "${as_postgres[@]}" "$pg/postgres" --single -D "$dir/data" postgres
        } >"$run/postgres.init.log" 2>&1 || die "Postgres could not make its data:" "$(tail -20 "$run/postgres.init.log")"
        touch "$run/postgres.ready"
    fi
    install -m 644 "$top/deploy/local/postgresql.conf" "$dir/postgresql.conf"
    echo "port = $(port_of postgres)" >>"$dir/postgresql.conf"
}

postgres_table() {
    local word
    cat <<EOF
process postgres
stage 1
dir /
EOF
    for word in "${as_postgres[@]}" "$pg/postgres" -D "$run/postgres/data" -c "config_file=$run/postgres/postgresql.conf"; do
        echo "arg $word"
    done
    cat <<EOF
port $(port_of postgres)
ready log database system is ready to accept connections
stop-signal 2
stop-seconds 20
EOF
}

# --- Redis: holds only what can be derived again, so it writes nothing to disk ------------------------------------------------

redis_prepare() {
    command -v redis-server >/dev/null || die "redis-server is not installed: run deploy/local/install"
    mkdir -p "$run/redis"
}

redis_table() {
    local port word
    port=$(port_of redis)
    echo "process redis"
    echo "stage 1"
    for word in redis-server --bind 127.0.0.1 --port "$port" --dir "$run/redis" --appendonly no --save "\"\"" \
        --maxmemory 128mb --maxmemory-policy allkeys-lru --daemonize no; do
        echo "arg $word"
    done
    echo "port $port"
    echo "ready log Ready to accept connections"
}

# --- all three -------------------------------------------------------------------------------------------------------------

# Prepares the servers named and writes $run/table and $run/env. A variable that is set names a server of somebody else's.
servers_prepare() {
    rm -f "$run/table.part"
    ports_choose kafka kafka-controller postgres redis
    if [ -z "${KAFKA_BROKERS:-}" ]; then
        kafka_prepare &
        trap wait EXIT # nothing goes on in the background when one of the others fails
        local formatting=$!
    fi
    if [ -z "${DATABASE_URL:-}" ]; then
        postgres_prepare
        postgres_table >>"$run/table.part"
        DATABASE_URL=postgresql://journey:$(cat "$run/postgres/password")@127.0.0.1:$(port_of postgres)/journey
    fi
    if [ -z "${REDIS_URL:-}" ]; then
        redis_prepare
        redis_table >>"$run/table.part"
        REDIS_URL=redis://127.0.0.1:$(port_of redis)
    fi
    if [ -z "${KAFKA_BROKERS:-}" ]; then
        wait "$formatting" || exit 1
        trap - EXIT
        kafka_table >>"$run/table.part"
        KAFKA_BROKERS=127.0.0.1:$(port_of kafka)
    fi
    (umask 077 && printf 'export %s=%q\n' KAFKA_BROKERS "$KAFKA_BROKERS" DATABASE_URL "$DATABASE_URL" REDIS_URL "$REDIS_URL" >"$run/env")
    : >>"$run/table.part"
    chmod 600 "$run/table.part"
    mv "$run/table.part" "$run/table"
}
