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
        keeper = try Keeper(
            script: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "server.sh").path,
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
    package func crash() throws { try tell("crash") }

    /// Stops the server in good order, ending all connections; ``startAgain()`` starts it. Returns when it is gone; blocks a
    /// thread for that long.
    package func stopForNow() throws { try tell("stop") }

    /// Starts the server after ``stopForNow()``, at the same place. Returns when it answers; blocks a thread for that long.
    package func startAgain() throws { try tell("start") }

    private func tell(_ word: String) throws {
        try keeper.socket.write(contentsOf: Data("\(word)\n".utf8))
        let text = Self.line(of: keeper.socket)
        guard text == "\(port)" else { throw ServerProblem("after '\(word)': \(text)") }
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
