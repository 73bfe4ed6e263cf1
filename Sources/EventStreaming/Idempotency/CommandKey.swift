import EventStreamingCore

/// A key under which a command is sent, and the ids that follow from it: the same in every process, for ever.
struct CommandKey: Sendable {
    private static let maximumLength = 255

    private let name: String
    /// The key as it was chosen.
    let key: String

    /// - Throws: `invalidArgument` for a key that is empty or longer than 255 bytes.
    init(_ key: String, ofCommand name: String) throws(EventStreamingError) {
        let length = key.utf8.count
        guard length > 0, length <= Self.maximumLength else {
            throw EventStreamingError(
                .invalidArgument,
                "An idempotency key has 1 to \(Self.maximumLength) bytes; this one has \(length)."
            )
        }
        self.name = name
        self.key = key
    }

    /// The id of the command; a workflow that it starts has the same.
    var commandID: MessageID { id(0) }

    /// The id of one of the events that it emits, counted from 0.
    func eventID(_ index: Int) -> MessageID { id(1 &+ UInt64(truncatingIfNeeded: index)) }

    /// A UUID of version 8 (RFC 9562). Its first byte is 0, so that it is less than every id that was made of the time:
    /// stores find out by the greatest id so far that an id must be new.
    private func id(_ number: UInt64) -> MessageID {
        // With the length of the name, as another name and key might give the same text together.
        let text = "event-streaming.idempotency-key.1:\(number):\(name.utf8.count):\(name)\(key)"
        let hash = SHA256.hash(Array(text.utf8))
        let high = UInt64(hash[0]) << 32 | UInt64(hash[1])
        let low = UInt64(hash[2]) << 32 | UInt64(hash[3])
        return MessageID(
            high: high & 0x00FF_FFFF_FFFF_0FFF | 0x8000,
            low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        )
    }
}
