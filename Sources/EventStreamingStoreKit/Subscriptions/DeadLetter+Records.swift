package import EventStreamingCore

extension [DeadLetter] {
    /// The events of the dead-letter stream, with new ids that ascend.
    package func records(at time: Timestamp) -> [NewEvent] {
        let first = MessageID.first(of: count, at: time)
        return enumerated().map { index, letter in
            letter.record(id: MessageID(high: first.high, low: first.low &+ UInt64(index)))
        }
    }
}

extension MessageID {
    /// An id of version 7 at a time, after which `count` more can be counted up.
    fileprivate static func first(of count: Int, at time: Timestamp) -> MessageID {
        var random = SystemRandomNumberGenerator()
        let milliseconds = UInt64(max(0, time.nanosecondsSinceEpoch / 1_000_000)) & 0xFFFF_FFFF_FFFF
        return MessageID(
            high: milliseconds << 16 | 0x7000 | (random.next() & 0xFFF),
            // The top bit of what is random stays zero, so that counting up does not reach the variant's bits.
            low: 0x8000_0000_0000_0000 | (random.next() & 0x1FFF_FFFF_FFFF_FFFF)
        )
    }
}
