import Synchronization

/// Makes message ids that grow: every id is greater than all made before it by the same generator.
///
/// The layout is UUID version 7 (RFC 9562, section 6.2, method 2): 48 bits of milliseconds, then 74 bits that start
/// at random in every millisecond and count up within it. A clock that goes back does not make ids go back.
/// Safe to use from any thread; the lock is held for a few instructions, and asking for a batch takes it once.
public final class MessageIDGenerator: Sendable {
    private struct State {
        var milliseconds: UInt64 = 0
        var counterHigh: UInt64 = 0
        var counterLow: UInt64 = 0
    }

    private let state = Mutex(State())
    private let clock: any EventStreamingClock

    /// Creates a generator that takes the time from `clock`.
    public init(clock: any EventStreamingClock) {
        self.clock = clock
    }

    /// The next id.
    public func next() -> MessageID {
        let now = Self.milliseconds(clock.now)
        return state.withLock { state in
            Self.advance(&state, to: now)
            return Self.id(state)
        }
    }

    /// Calls `body` with the next `count` ids in growing order, under one lock.
    ///
    /// `body` must be short and must not call the generator.
    public func next(_ count: Int, _ body: (MessageID) -> Void) {
        let now = Self.milliseconds(clock.now)
        state.withLock { state in
            for _ in 0..<max(0, count) {
                Self.advance(&state, to: now)
                body(Self.id(state))
            }
        }
    }

    private static func milliseconds(_ time: Timestamp) -> UInt64 {
        UInt64(max(0, time.nanosecondsSinceEpoch / 1_000_000)) & 0xFFFF_FFFF_FFFF
    }

    private static func advance(_ state: inout State, to now: UInt64) {
        if now > state.milliseconds {
            state.milliseconds = now
            var random = SystemRandomNumberGenerator()
            // The top bit of each counter starts at zero, so that counting up has room for 2^61 ids a millisecond.
            state.counterHigh = random.next() & 0x7FF
            state.counterLow = random.next() & 0x1FFF_FFFF_FFFF_FFFF
        } else if state.counterLow < 0x3FFF_FFFF_FFFF_FFFF {
            state.counterLow += 1
        } else if state.counterHigh < 0xFFF {
            state.counterLow = 0
            state.counterHigh += 1
        } else {
            // Out of ids in this millisecond: borrow from the next one.
            state.milliseconds = (state.milliseconds + 1) & 0xFFFF_FFFF_FFFF
            state.counterHigh = 0
            state.counterLow = 0
        }
    }

    private static func id(_ state: State) -> MessageID {
        MessageID(
            high: state.milliseconds << 16 | 0x7000 | state.counterHigh,
            low: 0x8000_0000_0000_0000 | state.counterLow
        )
    }
}
