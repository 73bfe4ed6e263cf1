import EventStreaming
import Synchronization

/// What this program saw with its own eyes: which commands were accepted and which events its consumers finished.
///
/// Kept apart from what the streams and subscriptions say about themselves, so that one can be held against the other.
final class Ledger: Sendable {
    /// What the consumers of one subscription saw.
    struct Tally: Equatable {
        /// The ids of the events they finished.
        var finished: Set<MessageID> = []
        /// How often they finished an event once more.
        var repeated = 0
    }

    private struct State {
        /// Where the streams were when the program began.
        var beginnings: [String: StreamOffset] = [:]
        var accepted: [String: Int] = [:]
        var tallies: [String: Tally] = [:]
        /// How often anything happened.
        var count = 0
        var observer: AsyncStream<Void>.Continuation?
    }

    private let state = Mutex(State())

    /// How often anything happened.
    var count: Int { state.withLock { $0.count } }

    /// The events that accepted commands emitted, by stream.
    var accepted: [String: Int] { state.withLock { $0.accepted } }

    /// Notes where the streams were when the program began. What was before is not counted.
    func begin(at heads: [String: StreamOffset]) {
        update { $0.beginnings = heads }
    }

    /// Where a stream was when the program began.
    func beginning(of stream: String) -> StreamOffset {
        state.withLock { $0.beginnings[stream] ?? .zero }
    }

    func tally(of subscription: String) -> Tally {
        state.withLock { $0.tallies[subscription] ?? Tally() }
    }

    /// A command was accepted, which emitted an event to `stream`.
    func accepted(stream: String) {
        update { $0.accepted[stream, default: 0] += 1 }
    }

    /// A consumer of `subscription`, which follows `stream`, finished an event.
    func finished(_ event: MessageID, at offset: StreamOffset, in stream: String, of subscription: String) {
        update { state in
            guard state.beginnings[stream] ?? .zero <= offset else { return }
            if !state.tallies[subscription, default: Tally()].finished.insert(event).inserted {
                state.tallies[subscription]?.repeated += 1
            }
        }
    }

    /// Something else may have changed: a consumer gave an event back.
    func touch() {
        update { _ in }
    }

    /// An element at once, and one after anything happened; for one observer at a time. Several changes may come as one.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let previous = state.withLock { state in
            defer { state.observer = continuation }
            return state.observer
        }
        previous?.finish()
        continuation.yield()
        return stream
    }

    private func update(_ body: (inout State) -> Void) {
        let observer = state.withLock { state in
            body(&state)
            state.count += 1
            return state.observer
        }
        observer?.yield()
    }
}
