#if os(Linux)
import EventStreaming
import EventStreamingGRPC
import EventStreamingSQLite
import Foundation
import ProcessTesting
import Testing

/// How much memory a server takes, in a process of its own, whose peers do what they can to have it take more.
@Suite("Memory of a server", .serialized, .timeLimit(.minutes(3)))
struct MemoryTests {
    /// Calls `body` with a server that has events of so many bytes, and with its process.
    private static func withServer(
        events count: Int,
        of size: Int,
        _ body: (Program, _ port: Int) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "grpc-memory-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let arguments = ["serve", folder.appending(path: "events").path, "60"]
        try await withProgram(at: builtProgram("GRPCProbe"), arguments, deadline: .seconds(120)) { server in
            let port = Int(try await server.lines(until: "port ").last?.dropFirst("port ".count) ?? "") ?? 0
            try await TestClient.run(port: port) { client in
                for first in stride(from: 0, to: count, by: 1000) {
                    try await client.emitter.emit((first..<first + 1000).map { Parcel(number: $0, size: size) })
                }
            }
            try await body(server, port)
        }
    }

    /// The resident memory of a process, in MiB.
    private static func resident(_ program: Program) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(program.processID)/statm", encoding: .utf8)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (try #require(pages) * sysconf(Int32(_SC_PAGESIZE))) >> 20
    }

    /// Whether a consumer is served as if nothing had happened.
    private static func expectService(port: Int) async throws {
        try await TestClient.run(port: port) { _ in
        } configure: { client in
            client.addEvent(Parcel.self)
        } _: { client in
            var iterator = try client.subscribe(to: "news", as: "bystander", from: .beginning).makeAsyncIterator()
            let parcel = try await iterator.next()?.event(as: Parcel.self)
            #expect(parcel != nil)
        }
    }

    @Test("peers that do not read cost no more than the credit they gave, whatever their windows")
    func notReading() async throws {
        let (count, size, peers) = (20_000, 2000, 20)
        try await Self.withServer(events: count, of: size) { server, port in
            try await Self.expectService(port: port)
            let before = try Self.resident(server)
            var sockets = 0
            try await Self.withSockets(peers, port: port) { number, socket in
                socket.send(RawCall.subscribe("news", as: "deaf-\(number)", events: 10_000))
                sockets += 1
            } _: {
                try await Self.expectService(port: port)
                var most = 0
                for _ in 0..<20 {
                    most = max(most, try Self.resident(server) - before)
                    try await Self.expectService(port: port)
                }
                // Mostly 2 to 4 MiB each; more where the machine is busy, as writers are ahead of the transport then. The credit
                // is 16 MiB, and there is a stream of 40 MB.
                #expect(sockets == peers)
                #expect(most < 18 * peers, "\(most) MiB for \(peers) peers")
            }
        }
    }

    @Test("floods of calls that are reset, and of metadata without end, leave nothing behind")
    func floods() async throws {
        try await Self.withServer(events: 1000, of: 100) { server, port in
            try await Self.expectService(port: port)
            // The first of them have the server make what is there once.
            try await Self.flood(port, rounds: 10)
            let before = try Self.resident(server)
            try await Self.flood(port, rounds: 40)
            let more = try Self.resident(server) - before
            try await Self.expectService(port: port)
            // What was sent is 15 MB of metadata and 400 000 calls.
            #expect(more < 24, "\(more) MiB")
        }
    }

    private static func flood(_ port: Int, rounds: Int) async throws {
        for _ in 0..<rounds {
            try await RawSocket.with(port: port) { _ = $0.send(Self.resets) }
            try await RawSocket.with(port: port) { _ = $0.send(Self.metadata) }
        }
    }

    /// Ten thousand calls, each reset at once.
    private static let resets: [UInt8] = {
        let headers = RawCall.headers("Subscribe")
        var bytes = RawCall.wideOpen
        for call in 0..<10_000 {
            let stream = UInt32(call * 2 + 1)
            for (type, flags, payload) in [(1, 4, headers), (3, 0, [0, 0, 0, 8])] as [(UInt8, UInt8, [UInt8])] {
                var frame = RawConnection.frame(type, flags: flags, stream: 0, payload)
                for index in 0..<4 { frame[5 + index] = UInt8(truncatingIfNeeded: stream >> UInt32(24 - index * 8)) }
                bytes += frame
            }
        }
        return bytes
    }()

    /// One call with ten thousand entries of metadata, some 400 KB, in frames that go on and on.
    private static let metadata: [UInt8] = {
        var block = RawCall.headers("Subscribe")
        for number in 0..<10_000 {
            let name = "entry-\(number)"
            let value = String(repeating: "v", count: 24)
            block += [0x00, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
        }
        var bytes = RawCall.wideOpen
        var isFirst = true
        while !block.isEmpty {
            let part = Array(block.prefix(16_384))
            block.removeFirst(part.count)
            bytes += RawConnection.frame(isFirst ? 1 : 9, flags: block.isEmpty ? 4 : 0, stream: 1, part)
            isFirst = false
        }
        return bytes
    }()

    /// Calls `body` while so many sockets are open, each of which was told to `begin`.
    private static func withSockets(
        _ count: Int,
        port: Int,
        _ begin: (Int, RawSocket) -> Void,
        _ body: () async throws -> Void
    ) async throws {
        guard count > 0 else { return try await body() }
        try await RawSocket.with(port: port) { socket in
            begin(count, socket)
            try await withSockets(count - 1, port: port, begin, body)
        }
    }
}

/// An event of any size.
private struct Parcel: Event {
    typealias Process = ShopWorkflow
    var number: Int
    var text: String

    init(number: Int, size: Int) {
        self.number = number
        text = String(repeating: "x", count: size)
    }
}
#endif
