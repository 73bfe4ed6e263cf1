import EventStreaming
import Synchronization

/// What this program saw with its own eyes: which commands were accepted and which events its consumers finished.
///
/// Kept apart from what the streams and subscriptions say about themselves, so that one can be held against the other.
final class Ledger: Sendable {
    private struct State {
        /// Where the streams were when the program began.
        var beginnings: [String: StreamOffset] = [:]
        var accepted: [String: Int] = [:]
        var tallies: [String: Tally] = [:]
        /// How often anything happened.
        var count = 0
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

    /// A consumer of this program finished an event.
    func finished(_ sighting: Sighting) {
        update { state in
            guard state.beginnings[sighting.stream] ?? .zero <= sighting.offset else { return }
            state.tallies[sighting.subscription, default: Tally()].add(sighting)
        }
    }

    /// Something else happened: a consumer gave an event back, or one in another process went on.
    func touch() {
        update { _ in }
    }

    private func update(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.count += 1
        }
    }
}
