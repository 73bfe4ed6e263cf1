import Synchronization

/// The charges of a service that keeps everything in memory.
final class ChargeList: Sendable {
    private let state = Mutex<[SeatCharge]>([])

    var charges: [SeatCharge] { state.withLock { $0 } }

    func append(_ charge: SeatCharge) {
        state.withLock { $0.append(charge) }
    }
}
