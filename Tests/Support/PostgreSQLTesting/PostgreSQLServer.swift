#if PostgreSQL
import Foundation

/// A PostgreSQL server that the tests start, use, and stop.
///
/// It lives in a directory of its own and is reachable by a socket there and by loop-back. A shell looks after it: as
/// soon as the test process ends, however it ends, the shell's input ends too, and it stops the server and removes the
/// directory. So nothing is left behind, not even by a test that was killed.
package final class PostgreSQLServer: Sendable {
    /// What the server is made for.
    package enum Purpose: Sendable {
        /// Fast: nothing is forced to the disk.
        case plain
        /// As in production: what was committed survives a crash.
        case durable
        /// With TLS: a certificate for the name `localhost`, signed by ``PostgreSQLServer/rootCertificate``.
        case encrypted
    }

    /// The one that tests share, for as long as they run. Started by who needs it first.
    package static let shared = Result { try PostgreSQLServer(.plain) }

    /// The directory of the server; its socket is in there.
    package let directory: String
    /// The port on 127.0.0.1.
    package let port: Int
    /// The process id of the server; as root, that of its children's parent, not of a helper.
    package var processID: Int32 {
        get throws {
            let lines = try String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8)
            guard let first = lines.split(separator: "\n").first, let id = Int32(first) else {
                throw ServerProblem("the server has no process id")
            }
            return id
        }
    }

    private let keeper: Keeper

    /// Starts a server and waits until it answers.
    ///
    /// - Throws: What the server's log says when it does not start.
    package init(_ purpose: Purpose) throws {
        directory = NSTemporaryDirectory() + "/event-streaming-postgresql-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let script = directory + "/keep"
        try Self.script.write(toFile: script, atomically: true, encoding: .utf8)
        keeper = try Keeper(
            script: script,
            [directory, purpose == .durable ? "on" : "off", purpose == .encrypted ? "on" : "off"]
        )
        let text = Self.line(of: keeper.socket)
        guard let port = Int(text) else {
            throw ServerProblem("the server did not start: \(text)")
        }
        self.port = port
    }

    deinit {
        stop()
    }

    /// Crashes the server, as `pg_ctl stop -m immediate` does, and starts it again at the same place. Returns when it
    /// answers; blocks a thread for that long.
    package func crash() throws {
        try keeper.socket.write(contentsOf: Data("crash\n".utf8))
        let text = Self.line(of: keeper.socket)
        guard text == "\(port)" else { throw ServerProblem("after a crash: \(text)") }
    }

    private static func line(of handle: FileHandle) -> String {
        var answer = Data()
        while !answer.contains(UInt8(ascii: "\n")) {
            let more = handle.availableData
            if more.isEmpty { break }
            answer += more
        }
        return String(decoding: answer, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Stops the server and removes all it had. Returns when it is gone.
    package func stop() {
        keeper.end()
    }

    /// With ``Purpose/encrypted``, the file of the certificate that vouches for the server's.
    package var rootCertificate: String { directory + "/root.crt" }

    /// A URL by the socket.
    package func url(user: String = "postgres", database: String = "postgres") -> String {
        let host = directory.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "postgresql://\(user)@\(host):\(port)/\(database)"
    }

    /// A URL by loop-back.
    package func loopbackURL(
        user: String = "postgres",
        password: String? = nil,
        database: String = "postgres",
        parameters: String = ""
    ) -> String {
        let password = password.map { ":\($0)" } ?? ""
        return "postgresql://\(user)\(password)@127.0.0.1:\(port)/\(database)\(parameters)"
    }

    /// Makes the server, tells its port, waits until nobody needs it, and cleans up. Signals to the whole group of
    /// processes, as from a terminal, do not end it before.
    private static let script = #"""
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
        while read -r line; do
            # A crash: nothing is written down, connections break off. Then the server starts again.
            id=$(head -n 1 "$directory/data/postmaster.pid")
            kill -QUIT "$id"
            for i in $(seq 200); do kill -0 "$id" 2>/dev/null || break; sleep 0.05; done
            if start "$port"; then echo "$port"; else echo "it did not start again"; fi
        done
        id=$(head -n 1 "$directory/data/postmaster.pid" 2>/dev/null)
        if [ -n "$id" ]; then
            kill -QUIT "$id" 2>/dev/null
            for i in $(seq 100); do kill -0 "$id" 2>/dev/null || break; sleep 0.05; done
            kill -KILL "$id" 2>/dev/null
        fi
        rm -rf "$directory"
        """#
}

/// What is wrong with the server.
package struct ServerProblem: Error, CustomStringConvertible {
    /// For people.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
#endif
