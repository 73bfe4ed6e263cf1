import EventStreamingCore
import EventStreamingSQLite
import GRDB
import Testing

@Suite("The audit of dead letters in an SQLite file", .timeLimit(.minutes(5)))
struct DeadLetterAuditTests {
    private let note = AuditNote(by: "ada", because: "a test order")

    /// Gives up three events, discards the first and redrives the second.
    private func prepare(_ fixture: Fixture) async throws -> [NewEvent] {
        try await fixture.withStore { store in
            try await fixture.makeStream(in: store)
            try await fixture.makeSubscription(in: store)
            let events = try await fixture.append(3, to: store)
            let lease = try await fixture.lease(3, as: try await fixture.register(in: store), in: store)
            try await store.nack(lease.offsets, of: lease, action: .deadLetter, reason: "no")
            let number = StreamOffset.zero
            _ = try await store.discard([number..<number.advanced(by: 1)], of: fixture.subscription, by: note)
            let next = number.advanced(by: 1)
            _ = try await store.redrive([next..<next.advanced(by: 1)], of: fixture.subscription, by: note)
            return events
        }
    }

    @Test("What was done is known to the next process, and stays done")
    func survives() async throws {
        try await Fixture.with { fixture in
            let events = try await prepare(fixture)
            try await fixture.withStore { store in
                let audit = try await store.deadLetterAudit(of: fixture.subscription, from: 0, limit: 10)
                #expect(audit.map(\.action) == [.discarded, .redriven])
                #expect(audit.map(\.event) == events.prefix(2).map(\.id))
                #expect(audit.map(\.note) == [note, note])
                let open = try await store.deadLetters(of: fixture.subscription, from: .zero, limit: 10)
                #expect(open.map(\.event.id) == [events[2].id])
                let consumer = try await fixture.register(in: store)
                let lease = try await fixture.lease(10, as: consumer, in: store)
                #expect(lease.isRedriven)
                #expect(lease.events.map(\.id) == [events[1].id])
            }
        }
    }

    @Test("An entry that this library cannot have written is told as damage", arguments: ["action", "consumer"])
    func damaged(column: String) async throws {
        try await Fixture.with { fixture in
            _ = try await prepare(fixture)
            try fixture.withConnection { try $0.execute(sql: "UPDATE dead_letter_audit SET \(column) = 'a b'") }
            try await fixture.withStore { store in
                let error = await storeError {
                    _ = try await store.deadLetterAudit(of: fixture.subscription, from: 0, limit: 10)
                }
                #expect(error?.code == .storeDamaged)
            }
        }
    }
}
