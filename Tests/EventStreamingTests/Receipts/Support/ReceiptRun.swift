import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Synchronization

/// One random history: users who read in loops, leave and come back, whose marks come in through another service as well,
/// while the store fails now and then. What the receipts say is held against what the users did.
final class ReceiptRun: Sendable {
    /// What one user did.
    private struct Book: Sendable {
        var shown: Set<MessageID> = []
        var acknowledged: Set<MessageID> = []
        var marked: Set<MessageID> = []
        /// Marks whose outcome is unknown.
        var tried: Set<MessageID> = []
    }

    private static let users = ["ada", "bob", "cleo"]
    private static let sessions: Int64 = 6

    private let seed: UInt64
    private let store: FaultInjectingStore
    /// Where the loops are.
    private let streaming: EventStreaming
    /// Where marks come in from outside.
    private let other: EventStreaming
    private let books = Mutex<[String: Book]>([:])
    private let violations = Mutex<[String]>([])
    private let isOver = Atomic(false)

    init(seed: UInt64) throws {
        self.seed = seed
        let store = FaultInjectingStore(wrapping: InMemoryEventStreamStore())
        func makeService() throws -> EventStreaming {
            try makeNotes(
                storage: .shared(store),
                notes: { subscription in
                    subscription.retry.maximumAttempts = 100_000
                    subscription.retry.initialDelay = .zero
                }
            )
        }
        self.store = store
        streaming = try makeService()
        other = try makeService()
    }

    /// Runs it, and tells what was wrong.
    func callAsFunction() async throws -> [String] {
        var chance = Chance(seed: seed)
        let unavailable = EventStreamingError(.storeUnavailable, "not now")
        try await streaming.place(0..<20)
        for operation in [FaultInjectingStore.Operation.settle, .markRead] where chance.happens(60) {
            let effect: FaultInjectingStore.Effect = chance.happens(50) ? .before : .after
            store.fail(operation, with: unavailable, on: .every(chance.number(2...9)), effect: effect)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // There is always more to come, so that no loop waits in vain.
                var number = 20
                while !self.isOver.load(ordering: .acquiring) {
                    try await self.streaming.place(number..<number + 5)
                    number += 5
                    for _ in 0..<20 { await Task.yield() }
                }
            }
            group.addTask {
                defer { self.isOver.store(true, ordering: .releasing) }
                try await withThrowingTaskGroup(of: Void.self) { users in
                    for (index, user) in Self.users.enumerated() {
                        users.addTask { try await self.read(user, Int64(index)) }
                    }
                    try await users.waitForAll()
                }
            }
            for (index, user) in Self.users.enumerated() {
                group.addTask { try await self.mark(user, Int64(index)) }
            }
            try await group.waitForAll()
        }
        store.heal()
        for user in Self.users {
            try await finish(user)
            try await check(user)
        }
        return violations.withLock { $0 }
    }

    // MARK: - Users

    /// Reads in loops that are left for one reason or another.
    private func read(_ user: String, _ index: Int64) async throws {
        for session in 0..<Self.sessions {
            var chance = Chance(seed: seed, [1, index, session])
            var left = chance.number(1...15)
            do {
                for try await delivery in try streaming.subscribe(to: "notes", as: user) {
                    let event = delivery.record.id
                    note(user) { book in
                        book.acknowledged.contains(event) ? "\(delivery.number) came again" : nil
                    } then: {
                        $0.shown.insert(event)
                    }
                    try await handle(delivery, by: user, &chance)
                    left -= 1
                    if left == 0 { break }
                }
            } catch let error as EventStreamingError where error.isRetriable || error.code == .leaseExpired {
                continue
            }
        }
    }

    private func handle(_ delivery: Delivery, by user: String, _ chance: inout Chance) async throws {
        let event = delivery.record.id
        for _ in 0..<chance.number(0...3) { await Task.yield() }
        switch chance.number(1...100) {
        case ...35:
            do {
                try await delivery.markAsRead()
                note(user) { _ in
                    nil
                } then: { book in
                    book.marked.insert(event)
                    book.acknowledged.insert(event)
                }
            } catch {
                note(user) { _ in
                    nil
                } then: {
                    $0.tried.insert(event)
                }
                throw error
            }
        case ...50:
            try await delivery.acknowledge()
            note(user) { _ in
                nil
            } then: {
                $0.acknowledged.insert(event)
            }
        case ...60:
            try await delivery.reject(.retry(after: .zero))
        default:
            break
        }
    }

    /// Marks what a user was shown from outside.
    private func mark(_ user: String, _ index: Int64) async throws {
        var chance = Chance(seed: seed, [2, index])
        while !isOver.load(ordering: .acquiring) {
            for _ in 0..<chance.number(1...10) { await Task.yield() }
            let (shown, acknowledged) = books.withLock { books in
                (books[user]?.shown.sorted() ?? [], books[user]?.acknowledged ?? [])
            }
            guard let event = shown.randomElement(using: &chance) else { continue }
            do {
                try await other.markAsRead(event, of: "notes", by: user)
                note(user) { _ in
                    nil
                } then: {
                    $0.marked.insert(event)
                }
            } catch {
                note(user) { _ in
                    switch error.code {
                    case .storeUnavailable: nil
                    case .notDelivered where !acknowledged.contains(event): nil
                    default: "marking \(event): \(error)"
                    }
                } then: {
                    $0.tried.insert(event)
                }
            }
        }
    }

    private func note(_ user: String, _ problem: (Book) -> String?, then change: (inout Book) -> Void) {
        let problem = books.withLock { books in
            let problem = problem(books[user, default: Book()])
            change(&books[user, default: Book()])
            return problem
        }
        if let problem {
            violations.withLock { $0.append("\(user): \(problem)") }
        }
    }

    // MARK: - The end

    /// Has everything delivered that is left.
    private func finish(_ user: String) async throws {
        while try await streaming.position(of: "notes", user)?.isFinished != true {
            try await streaming.withSubscription(to: "notes", as: user) { subscription in
                for try await batch in subscription.batches {
                    try await batch.acknowledge()
                    break
                }
            }
        }
    }

    /// Compares the receipts of a user with what he did.
    private func check(_ user: String) async throws {
        let book = books.withLock { $0[user, default: Book()] }
        let ids = try await streaming.ids()
        var unread: [MessageID] = []
        for event in ids {
            let status = try await streaming.receipt(event, of: user)?.status
            let isRead = status == .read
            let isFine =
                switch status {
                case .read: book.marked.contains(event) || book.tried.contains(event)
                case .delivered: !book.marked.contains(event)
                case .requeued, .expired, nil: false
                }
            note(user) { _ in
                isFine ? nil : "\(event) is \(status.map { "\($0)" } ?? "without a receipt")"
            } then: { _ in
            }
            if !isRead { unread.append(event) }
        }
        let listed = try await streaming.unread(of: "notes", for: user, limit: 10_000).map(\.id)
        let count = try await other.unreadCount(of: "notes", for: user)
        note(user) { _ in
            listed == unread && count == unread.count
                ? nil : "\(count) counted and \(listed.count) listed of \(unread.count) unread"
        } then: { _ in
        }
    }
}
