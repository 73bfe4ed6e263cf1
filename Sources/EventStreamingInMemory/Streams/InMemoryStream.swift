import EventStreamingCore
import EventStreamingStoreKit
import Synchronization

/// A stream: its state, the lock around it, and what is done after the lock is released.
///
/// Locks are always taken in this order: an entry of a directory, a stream, a dead-letter box. Nobody holds two streams.
final class InMemoryStream: Sendable {
    let name: StreamName
    let type: StreamType
    /// Where dead letters for this stream arrive.
    let deadLetters: DeadLetterBox
    private let observers: ObserverList
    private let dropsOldest: Atomic<Bool>
    private let state: Mutex<StreamState>

    init(_ definition: StreamDefinition, observers: ObserverList) {
        let deadLetters = DeadLetterBox()
        name = definition.name
        type = definition.type
        self.deadLetters = deadLetters
        self.observers = observers
        dropsOldest = Atomic(definition.overflow == .dropOldest)
        state = Mutex(StreamState(definition, deadLetters: deadLetters))
    }

    /// Whether it makes a difference to an append what ran out before: where events are forgotten with their last consumer,
    /// or those are counted that somebody still had to finish.
    var dependsOnTime: Bool { type == .ephemeral || dropsOldest.load(ordering: .relaxed) }

    /// Changes what may be changed of a stream.
    func update(_ definition: StreamDefinition, at moment: Moment) {
        change(at: moment) { state, _, _ in
            state.capacity = definition.capacity
            state.overflow = definition.overflow
            state.retention = definition.retention
        }
        dropsOldest.store(definition.overflow == .dropOldest, ordering: .relaxed)
    }

    /// Calls `body` with the state as it is at `moment`: what ran out has ended, dead letters that arrived are in the
    /// log. Does what the effects say when the lock is released, whether `body` throws or not.
    func change<Result: Sendable, Failure: Error>(
        at moment: Moment,
        _ body: (inout StreamState, Moment, inout Effects) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var effects = Effects()
        defer { perform(effects) }
        return try state.withLock { (state) throws(Failure) in
            let moment = state.arrive(at: moment, effects: &effects)
            return try body(&state, moment, &effects)
        }
    }

    private func perform(_ effects: Effects) {
        if effects.hasNews {
            observers.notify(name)
        }
        for stream in effects.deadLetterStreams {
            observers.notify(stream)
        }
    }
}
