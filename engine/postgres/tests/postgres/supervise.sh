#!/bin/sh
# Runs a cluster of PostgreSQL for a test, whose orders come on the standard input: `start` and `kill`, each answered by a
# line. When the input ends, be it because the test was killed, the server is stopped and the cluster removed.
#
# supervise.sh BINARIES DIRECTORY
binaries=$1 directory=$2 server=

# Whether a process is there, and more than the remains of one.
lives() {
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
    [ -n "$state" ] && [ "$state" != Z ]
}

# Starts the server and waits until it answers; tries again while the memory of the one before is still there.
start() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        # A process group of its own: what a terminal sends to the test is not for the server.
        setsid "$binaries/postgres" -D "$directory/data" -k "$directory" -c listen_addresses= >>"$directory/log" 2>&1 &
        server=$!
        while lives "$server"; do
            "$binaries/pg_isready" -q -h "$directory" && return 0
            sleep 0.05
        done
        wait "$server"
        sleep 0.2
    done
    return 1
}

# Kills the server and every process that it has started, none of which gets to do anything about it.
kill_all() {
    kill -STOP "$server"
    victims=$server
    for status in /proc/[0-9]*/status; do
        parent=$(sed -n 's/^PPid:[[:space:]]*//p' "$status" 2>/dev/null)
        [ "$parent" = "$server" ] && victims="$victims $(basename "$(dirname "$status")")"
    done
    kill -KILL $victims
    wait "$server"
    server=
}

while read -r order; do
    case $order in
    start) start && echo done || echo failed ;;
    kill) kill_all && echo done || echo failed ;;
    esac
done
if [ -n "$server" ]; then
    kill -INT "$server"
    wait "$server"
fi
cd / && rm -rf "$directory"
