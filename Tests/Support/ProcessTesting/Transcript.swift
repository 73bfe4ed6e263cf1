import Subprocess
import Synchronization

/// What a program has said so far, and how it ended; others can wait for either.
final class Transcript: Sendable {
    struct Content {
        var lines: [String] = []
        var errors: [String] = []
        /// Whether nothing more will be read. The program may be gone then, and its number be another's.
        var isSilent = false
        /// Set after the last line; a failure when the program could not be run.
        var ending: Result<TerminationStatus, any Error>?
        /// Whether the deadline has passed. The program is killed then.
        var isOverdue = false
    }

    private struct State {
        var content = Content()
        var observers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextObserver = 0
    }

    private let state = Mutex(State())

    var content: Content { state.withLock { $0.content } }

    func update(_ change: (inout Content) -> Void) {
        let observers = state.withLock { state in
            change(&state.content)
            return Array(state.observers.values)
        }
        for observer in observers {
            observer.yield()
        }
    }

    /// Does `body`, unless the program is silent; it does not become so meanwhile. Returns whether `body` was done.
    func unlessSilent(_ body: () throws -> Void) rethrows -> Bool {
        try state.withLock { state in
            guard !state.content.isSilent else { return false }
            try body()
            return true
        }
    }

    /// Adds the lines of a pipe, until its other end is closed or the program has ended.
    func read(
        _ pipe: SubprocessOutputSequence,
        to lines: any WritableKeyPath<Content, [String]> & Sendable
    ) async throws {
        // Only at line feeds: whatever else breaks lines is part of what the program wrote.
        for try await line in pipe.strings(
            separatedBy: .unicodeScalarSequence("\n".unicodeScalars),
            bufferingPolicy: .unbounded
        ) {
            update { $0[keyPath: lines].append(line) }
        }
    }

    /// Calls `find` at once and after changes, until it finds something.
    ///
    /// - Returns: What was found; `nil` when nothing will be, for the program has ended or its deadline has passed.
    /// - Throws: `CancellationError`.
    func first<Found>(_ find: (Content) -> Found?) async throws -> Found? {
        let (changes, observer) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            defer { state.nextObserver += 1 }
            state.observers[state.nextObserver] = observer
            return state.nextObserver
        }
        defer { state.withLock { $0.observers[number] = nil } }
        observer.yield()
        for await _ in changes {
            let (found, isOver) = state.withLock { state in
                (find(state.content), state.content.ending != nil || state.content.isOverdue)
            }
            if found != nil || isOver { return found }
        }
        throw CancellationError()
    }
}
