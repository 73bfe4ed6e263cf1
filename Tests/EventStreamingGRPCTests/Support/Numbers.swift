import Synchronization

/// Numbers that look random and are the same for each seed: SplitMix64.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Offsets that were finished, each of which must be so once.
final class Done: Sendable {
    private let offsets = Mutex<Set<Int64>>([])

    var count: Int { offsets.withLock { $0.count } }

    func add(_ offset: Int64) {
        _ = offsets.withLock { $0.insert(offset) }
    }
}
