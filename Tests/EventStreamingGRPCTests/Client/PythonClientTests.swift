import EventStreaming
import EventStreamingTesting
import Foundation
import ProcessTesting
import Testing

/// The client in `Examples/python`: code that is not ours on the other side of the wire.
@Suite("A client in Python", .serialized, .timeLimit(.minutes(5)))
struct PythonClientTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func path(_ name: String) -> String { root.appending(path: name).path }

    private struct Line: Decodable {
        var offset: Int64?
        var type: String?
        var attempt: Int?
        var payload: String?
    }

    private func lines(_ outcome: ProgramOutcome) throws -> [Line] {
        try outcome.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }.filter { $0.offset != nil }
    }

    @Test("subscribes, acknowledges, reconnects and resumes")
    func consume() async throws {
        let setup = try await runProgram(at: Self.path("Examples/python/setup"), deadline: .seconds(240))
        try #require(setup.exitCode == 0, "\(setup.errors)")
        let store = try EventStreamingStorage.inMemory.makeStore(
            in: EventStreamingStorage.Environment(clock: ManualClock())
        )
        let storage = EventStreamingStorage { _ in store }
        let proxy = try LoopbackProxy(to: 1)
        defer { proxy.close() }
        let arguments = [
            Self.path("Examples/python/consume.py"), "--address", "127.0.0.1:\(proxy.port)", "--subscription", "queue",
            "--consumer", "python",
        ]
        let python = Self.path(".build/python/environment/bin/python")
        try await withProgram(at: python, arguments + ["--count", "60"], deadline: .seconds(120)) { program in
            try await ShopServer.run(storage: storage) { server in
                proxy.redirect(to: server.port)
                try await server.place(1...20)
                try await eventually("they were acknowledged") { try await server.isQueueFinished() }
                proxy.cut()
                try await server.place(21...40)
                try await eventually("they were acknowledged") { try await server.isQueueFinished() }
            }
            // The service is gone, and comes again.
            try await ShopServer.run(storage: storage) { server in
                proxy.redirect(to: server.port)
                try await server.place(41...60)
                let outcome = try await program.outcome()
                #expect(outcome.exitCode == 0, "\(outcome.errors)")
                let events = try lines(outcome)
                #expect(events.compactMap(\.offset) == Array(0..<60))
                // What was sent before a lost connection was noticed comes again.
                #expect(events.allSatisfy { (1...2).contains($0.attempt ?? 0) && $0.type == "OrderPlaced" })
                #expect(events.first?.payload == #"{"number":1}"#)
                try await eventually("all is acknowledged") { try await server.isQueueFinished() }
            }
        }
    }

    @Test("ends with the code of the server where another attempt would be for nothing")
    func refused() async throws {
        let setup = try await runProgram(at: Self.path("Examples/python/setup"), deadline: .seconds(240))
        try #require(setup.exitCode == 0, "\(setup.errors)")
        try await ShopServer.run { server in
            let outcome = try await runProgram(
                at: Self.path(".build/python/environment/bin/python"),
                [
                    Self.path("Examples/python/consume.py"), "--address", "127.0.0.1:\(server.port)",
                    "--subscription", "nothing",
                ]
            )
            #expect(outcome.exitCode == 1)
            #expect(outcome.count("eventStreaming.unknownSubscription") == 1)
        }
    }
}

extension ProgramOutcome {
    fileprivate func count(_ text: String) -> Int { lines.count { $0.contains(text) } }
}
