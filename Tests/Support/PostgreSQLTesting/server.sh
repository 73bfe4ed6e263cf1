# Runs a PostgreSQL server of its own in a directory: sh server.sh <directory> <fsync: on or off> <tls: on or off>
#
# Makes the server, tells its port on standard output, and waits until nobody needs it: until standard input ends, however
# whoever started this ends. Then it stops the server and removes the directory. The line "stop" on standard input stops the
# server, "start" starts it again, and "crash" does both at once, as a crash would; each is answered by the port. Signals to
# the whole group of processes, as from a terminal, do not end it before.
trap '' INT TERM HUP
directory=$1; fsync=$2; tls=$3
binaries=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$binaries" ] || binaries=$(dirname "$(command -v initdb)")
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
if [ "$tls" = on ]; then
    (
        cd "$directory" || exit 1
        openssl req -new -x509 -nodes -days 2 -subj "/CN=root" -keyout root.key -out root.crt
        openssl req -new -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
        echo "subjectAltName=DNS:localhost" >names
        openssl x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 -extfile names \
            -out server.crt
        chmod 600 server.key
    ) >"$directory/openssl.log" 2>&1
fi
if [ "$(id -u)" = 0 ]; then chown -R postgres "$directory"; fi
cd /
as_owner "$binaries/initdb" -D "$directory/data" -A trust -U postgres --no-sync -E UTF8 --locale=C \
    >"$directory/initdb.log" 2>&1 || { tail -n 3 "$directory/initdb.log" | tr '\n' ' '; exit 1; }
{
    echo "local all secured scram-sha-256"
    echo "host all secured 127.0.0.1/32 scram-sha-256"
    cat "$directory/data/pg_hba.conf"
} >"$directory/hba" && cat "$directory/hba" >"$directory/data/pg_hba.conf"
start() {
    as_owner "$binaries/postgres" -D "$directory/data" -p "$1" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories="$directory" -c max_connections=200 \
        -c ssl="$tls" -c ssl_cert_file="$directory/server.crt" -c ssl_key_file="$directory/server.key" \
        -c fsync="$fsync" -c shared_buffers=64MB -c max_wal_size=4GB -c log_min_messages=fatal \
        >"$directory/log" 2>&1 </dev/null &
    server=$!
    for i in $(seq 200); do
        "$binaries/pg_isready" -q -h "$directory" -p "$1" -U postgres && return 0
        kill -0 $server 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}
for attempt in 1 2 3 4 5; do
    port=$(shuf -i 20000-32000 -n 1)
    if start "$port"; then
        echo "$port"
        break
    fi
    [ $attempt = 5 ] && { tail -n 3 "$directory/log" | tr '\n' ' '; exit 1; }
done
# Ends the server by a signal: QUIT as a crash does, where nothing is written down; INT in good order, connections broken off.
end() {
    id=$(head -n 1 "$directory/data/postmaster.pid")
    kill -"$1" "$id"
    for i in $(seq 200); do kill -0 "$id" 2>/dev/null || break; sleep 0.05; done
}
while read -r line; do
    case $line in
        stop) end INT ;;
        crash) end QUIT ;;
    esac
    if [ "$line" = stop ] || start "$port"; then echo "$port"; else echo "it did not start again"; fi
done
id=$(head -n 1 "$directory/data/postmaster.pid" 2>/dev/null)
if [ -n "$id" ]; then
    kill -QUIT "$id" 2>/dev/null
    for i in $(seq 100); do kill -0 "$id" 2>/dev/null || break; sleep 0.05; done
    kill -KILL "$id" 2>/dev/null
fi
rm -rf "$directory"
