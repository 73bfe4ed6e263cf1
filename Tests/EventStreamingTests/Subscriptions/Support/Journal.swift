import Synchronization

@testable import EventStreaming

/// Gathers what happens in other tasks, for a test to wait for and to look at.
final class Journal<Entry: Sendable>: Sendable {
    private let state = Mutex<[Entry]>([])
    private let changes = Signal()

    var entries: [Entry] { state.withLock { $0 } }
    var count: Int { state.withLock { $0.count } }

    func add(_ entry: Entry) {
        state.withLock { $0.append(entry) }
        changes.notify()
    }

    /// Waits until there are `count` entries, and returns all there are.
    @discardableResult
    func wait(for count: Int, within limit: Duration = .seconds(60)) async throws -> [Entry] {
        try await wait(within: limit) { $0.count >= count }
    }

    /// Waits until the entries satisfy `isEnough`, and returns all there are.
    @discardableResult
    func wait(
        within limit: Duration = .seconds(60),
        until isEnough: @escaping @Sendable ([Entry]) -> Bool
    ) async throws -> [Entry] {
        try await inTime(limit, "the journal has \(self.count) entries") {
            while true {
                let version = self.changes.version
                let entries = self.entries
                if isEnough(entries) { return entries }
                try Task.checkCancellation()
                await self.changes.wait(since: version)
            }
        }
    }
}

/// A door that is closed until somebody opens it.
final class Latch: Sendable {
    private let isOpen = Atomic(false)
    private let changes = Signal()

    func open() {
        isOpen.store(true, ordering: .releasing)
        changes.notify()
    }

    /// Waits for the door to open; throws when the task is cancelled first.
    func wait() async throws {
        while !isOpen.load(ordering: .acquiring) {
            let version = changes.version
            if isOpen.load(ordering: .acquiring) { return }
            try Task.checkCancellation()
            await changes.wait(since: version)
        }
    }

    /// Waits for the door to open, cancelled or not.
    func waitStubbornly() async {
        while !isOpen.load(ordering: .acquiring) {
            await Task.yield()
        }
    }
}

/// A number that many tasks change.
final class Tally: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .sequentiallyConsistent) }

    /// Returns the new value.
    @discardableResult
    func add(_ count: Int) -> Int {
        number.add(count, ordering: .sequentiallyConsistent).newValue
    }

    func raise(to value: Int) {
        number.max(value, ordering: .sequentiallyConsistent)
    }
}

/// What was waited for did not come in time.
struct LateError: Error, CustomStringConvertible {
    let description: String
}

/// Does `work`, for at most `limit` of real time.
func inTime<Result: Sendable>(
    _ limit: Duration = .seconds(60),
    _ state: @autoclosure @escaping @Sendable () -> String = "",
    _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit, clock: .continuous)
            return nil
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() ?? nil else {
            throw LateError(description: "Not within \(limit); \(state())")
        }
        return result
    }
}
