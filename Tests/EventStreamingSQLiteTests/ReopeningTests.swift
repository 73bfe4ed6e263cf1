import EventStreaming
import EventStreamingSQLite
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
}
