import EventStreaming
import EventStreamingSQLite
import Foundation
import Testing

private struct NoteWorkflow: Workflow {}

private struct NoteTaken: Event {
    typealias Process = NoteWorkflow
    var number: Int
}

@Suite("Opening a file again", .timeLimit(.minutes(5)))
struct ReopeningTests {
    private func makeService(_ path: String) throws -> EventStreaming {
        try EventStreaming(storage: .sqlite(path: path)) { streaming in
            streaming.addStream(NoteWorkflow.self) { $0.type = .persistent }
            streaming.addSubscription("readers") { subscription in
                subscription.stream(NoteWorkflow.self)
                subscription.handle(NoteTaken.self) { _, _ in }
            }
        }
    }

    @Test("As soon as a service that ran is gone, the next one opens its file")
    func afterRunning() async throws {
        try await withTemporaryFolder { folder in
            for count in 1...60 {
                let head = try await withEventStreaming(makeService(folder + "/events.sqlite")) { streaming in
                    try await streaming.emitter.emit(NoteTaken(number: count))
                    return try await streaming.metadata(of: "note-events").head
                }
                #expect(head == StreamOffset(Int64(count)))
            }
        }
    }

    @Test("As soon as a service that never ran is gone, the next one opens its file")
    func withoutRunning() async throws {
        try await withTemporaryFolder { folder in
            for count in 1...60 {
                let streaming = try makeService(folder + "/events.sqlite")
                try await streaming.emitter.emit(NoteTaken(number: count))
            }
        }
    }

    @Test("As soon as a store is gone, the next one opens its file, whoever used it last", arguments: [true, false])
    func stores(writesLast: Bool) async throws {
        try await Fixture.with { fixture in
            var count = 0
            for _ in 1...150 {
                try await fixture.withStore { store in
                    try await fixture.makeStream(in: store)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for number in 0..<6 {
                            group.addTask {
                                if writesLast || number.isMultiple(of: 2) {
                                    // Large, so that there is something to bring from the log into the file.
                                    try await fixture.append(4, bytes: 2_000, to: store)
                                }
                                if !writesLast {
                                    _ = try await fixture.ids(in: store)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                count += writesLast ? 24 : 12
                #expect(try openDescriptors(of: fixture.path) == 0)
            }
            #expect(try await fixture.withStore { try await fixture.ids(in: $0).count } == count)
        }
    }

    @Test("A closure that keeps its store alive lets go of the file with it")
    func closureThatKeepsTheStore() async throws {
        try await Fixture.with { fixture in
            for count in 1...50 {
                let store = try await whenFree { try fixture.open() }
                try await fixture.makeStream(in: store)
                _ = try await store.withSQLiteTransaction { [store] transaction in
                    _ = store
                    return try transaction.append(StreamAppend(stream: fixture.stream, events: fixture.events(count)))
                }
            }
        }
    }

    /// How many descriptors this process has open of the files of a database. Those of a store that is gone would keep its
    /// locks.
    private func openDescriptors(of path: String) throws -> Int {
        #if os(Linux)
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { descriptor in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + descriptor)
            return target?.hasPrefix(path) == true
        }
        #else
        0
        #endif
    }

    /// Calls `body` until the file is free; fails when it is not within a generous time.
    private func whenFree<Result>(_ body: () throws -> Result) async throws -> Result {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try body()
            } catch let error as EventStreamingError where error.code == .storeUnavailable && .now < deadline {
                await Task.yield()
            }
        }
    }
}
