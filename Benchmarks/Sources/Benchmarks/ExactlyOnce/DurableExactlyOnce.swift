import EventStreaming
import Synchronization

/// A database in whose transactions a handler writes a row for each event.
protocol EffectsDatabase: DurableDatabase {
    /// Makes the table of the rows, empty.
    func makeEffectsTable() throws
    /// Inserts one row.
    static func insertEffect(_ number: Int, _ transaction: any StoreTransaction) throws
    /// How many rows there are, each once.
    func countEffects() throws -> Int
    /// The same inserts alone, in C, a transaction for each batch; in rows a second.
    func insertEffects(_ batches: Int, of size: Int) throws -> Double
}

extension EffectsDatabase {
    static var exactlyOnceTransactional: Benchmark {
        Benchmark(
            "\(name)-exactly-once-transactional",
            "a handler that inserts a row for each event in its transaction, batches of 100, against the inserts in C",
            target: .ratio(atLeast: 0.5)
        ) { rounds in
            let (count, size) = (rounds.isFull ? 200_000 : 50_000, DurableService.batch)
            let turn = Atomic(0)
            return try await withEvents(count) { database in
                try await rounds.compare(unit: "events/s") {
                    try database.makeEffectsTable()
                    let rate = try await ProcessingService.rate(
                        database.storage,
                        of: count,
                        turn: turn.add(1, ordering: .relaxed).newValue
                    ) { subscription, tally in
                        subscription.semantics = .exactlyOnce
                        subscription.handleInTransaction(StoredPacket.self) { packet, _, transaction in
                            try insertEffect(packet.label.number, transaction)
                            tally.add(packet)
                        }
                    }
                    let rows = try database.countEffects()
                    guard rows == count else { throw Problem("There are \(rows) effects instead of \(count).") }
                    return rate
                } with: {
                    try database.makeEffectsTable()
                    return try database.insertEffects(count / size, of: size)
                }
            }
        }
    }

    static var exactlyOnceMark: Benchmark {
        Benchmark(
            "\(name)-exactly-once-mark",
            "a handler with lock and mark, batches of 100, against the same handler at least once",
            target: .ratio(atLeast: 0.5)
        ) { rounds in
            let count = rounds.isFull ? 200_000 : 50_000
            let turn = Atomic(0)
            return try await withEvents(count) { database in
                @Sendable func rate(_ semantics: DeliverySemantics) async throws -> Double {
                    try await ProcessingService.rate(
                        database.storage,
                        of: count,
                        turn: turn.add(1, ordering: .relaxed).newValue
                    ) { subscription, tally in
                        subscription.semantics = semantics
                        subscription.handle(StoredPacket.self) { packet, _ in tally.add(packet) }
                    }
                }
                return try await rounds.compare(unit: "events/s") {
                    try await rate(.exactlyOnce(.lockAndMark))
                } with: {
                    try await rate(.atLeastOnce)
                }
            }
        }
    }
}
