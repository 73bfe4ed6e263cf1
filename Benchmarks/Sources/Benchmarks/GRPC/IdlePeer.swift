#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A connection with one call that takes no memory here: a socket, and the bytes that were prepared for it.
struct IdlePeer {
    /// What a peer sends, as messages of gRPC.
    struct Script {
        let path: String
        let first: [UInt8]
        let signOfLife: [UInt8]?
    }

    /// A consumer of the benchmarks' subscription.
    static func subscriber(_ number: Int) -> Script {
        let credit = Protobuf.field(1, 256) + Protobuf.field(2, 1 << 20)
        let open =
            Protobuf.field(1, 1) + Protobuf.field(2, RemoteService.subscription)
            + Protobuf.field(3, "idle-\(number)") + Protobuf.field(6, credit)
        return Script(
            path: "/eventstreaming.v1.EventDelivery/Subscribe",
            first: Protobuf.field(1, open),
            signOfLife: Protobuf.field(3, [])
        )
    }

    /// A call of the bare server.
    static let bare = Script(path: "/benchmarks.Bare/Idle", first: BareServer.answer, signOfLife: nil)

    private let descriptor: Int32
    private let signOfLife: [UInt8]?

    /// Connects, makes the call, and waits for its first answer.
    init(port: Int, _ script: Script) async throws {
        descriptor = try Self.connect(port)
        signOfLife = script.signOfLife.map(Self.data)
        send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(4, flags: 0, stream: 0, []))
        send(Self.frame(1, flags: 4, stream: 1, Self.headers(script.path)) + Self.data(script.first))
        try await waitForAnswer()
    }

    func giveSignOfLife() {
        if let signOfLife { send(signOfLife) }
    }

    func close() {
        #if canImport(Darwin)
        _ = Darwin.close(descriptor)
        #elseif canImport(Musl)
        _ = Musl.close(descriptor)
        #else
        _ = Glibc.close(descriptor)
        #endif
    }

    // MARK: - HTTP/2

    private static func frame(_ type: UInt8, flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), type, flags, 0, 0, 0, stream]
            + payload
    }

    /// A message of gRPC.
    private static func data(_ message: [UInt8]) -> [UInt8] {
        frame(0, flags: 0, stream: 1, [0, 0, 0, UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message)
    }

    /// The headers of a call, none of them compressed.
    private static func headers(_ path: String) -> [UInt8] {
        func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
        // POST, http, the path, the authority, the type of the content, and the one more that gRPC wants.
        return [0x83, 0x86, 0x04] + text(path) + [0x01] + text("localhost") + [0x0F, 0x10] + text("application/grpc")
            + [0x00] + text("te") + text("trailers")
    }

    /// Reads frames until there is one with data.
    private func waitForAnswer() async throws {
        var bytes: [UInt8] = []
        let watch = Stopwatch()
        while watch.seconds < 30 {
            var buffer = [UInt8](repeating: 0, count: 1024)
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count != 0 else { throw Problem("The server has closed the connection.") }
            guard count > 0 else {
                try await Task.sleep(for: .microseconds(200))
                continue
            }
            bytes += buffer[..<count]
            while bytes.count >= 9 {
                let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
                guard bytes.count >= 9 + length else { break }
                if bytes[3] == 0 { return }
                bytes.removeFirst(9 + length)
            }
        }
        throw Problem("The server did not answer.")
    }

    // MARK: - System

    private func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    private static func connect(_ port: Int) throws -> Int32 {
        raiseLimit()
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #if canImport(Darwin)
                Darwin.connect(descriptor, $0, length) == 0
                #elseif canImport(Musl)
                Musl.connect(descriptor, $0, length) == 0
                #else
                Glibc.connect(descriptor, $0, length) == 0
                #endif
            }
        }
        guard descriptor >= 0, isConnected else { throw Problem("No connection can be made: error \(errno).") }
        return descriptor
    }

    /// As many open files as the system allows: both ends of each connection are here.
    private static func raiseLimit() {
        var limit = rlimit()
        #if canImport(Glibc)
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let files = RLIMIT_NOFILE
        #endif
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < 4096 else { return }
        limit.rlim_cur = min(4096, limit.rlim_max)
        _ = setrlimit(files, &limit)
    }
}
