import Synchronization

/// Counts what a handler was given.
final class HandledTally: Sendable {
    private let handled = Atomic(0)
    private let numbers = Atomic(0)

    var count: Int { handled.load(ordering: .relaxed) }
    var sum: Int { numbers.load(ordering: .relaxed) }

    func add(_ packet: StoredPacket) {
        numbers.add(packet.label.number, ordering: .relaxed)
        handled.add(1, ordering: .relaxed)
    }
}
