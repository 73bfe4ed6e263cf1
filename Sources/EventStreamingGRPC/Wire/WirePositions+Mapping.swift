import EventStreamingCore

extension StartPosition {
    /// `nil` where the message says nothing.
    ///
    /// - Throws: `invalidArgument` for a negative offset.
    init?(_ wire: WireStartPosition) throws(EventStreamingError) {
        switch wire.position {
        case nil: return nil
        case .beginning: self = .beginning
        case .latest: self = .latest
        case .offset(let offset): self = .offset(try StreamOffset(wire: offset))
        case .timestampNanos(let time): self = .timestamp(Timestamp(nanosecondsSinceEpoch: time))
        case .event(let id): self = .event(MessageID(id))
        }
    }
}

extension WireStartPosition {
    init(_ position: StartPosition) {
        self.init()
        switch position {
        case .beginning: beginning = .init()
        case .latest: latest = .init()
        case .offset(let offset): self.offset = offset.rawValue
        case .timestamp(let time): timestampNanos = time.nanosecondsSinceEpoch
        case .event(let id): event = WireMessageId(id)
        }
    }
}

extension EndPosition {
    /// The newest event where the message says nothing.
    ///
    /// - Throws: `invalidArgument` for a negative offset.
    init(_ wire: WireEndPosition) throws(EventStreamingError) {
        switch wire.position {
        case nil, .latest: self = .latest
        case .offset(let offset): self = .offset(try StreamOffset(wire: offset))
        case .timestampNanos(let time): self = .timestamp(Timestamp(nanosecondsSinceEpoch: time))
        case .event(let id): self = .event(MessageID(id))
        }
    }
}

extension WireEndPosition {
    init(_ position: EndPosition) {
        self.init()
        switch position {
        case .latest: latest = .init()
        case .offset(let offset): self.offset = offset.rawValue
        case .timestamp(let time): timestampNanos = time.nanosecondsSinceEpoch
        case .event(let id): event = WireMessageId(id)
        }
    }
}

extension ExpectedVersion {
    /// Anything where the message says nothing.
    ///
    /// - Throws: `invalidArgument` for a negative length.
    init(_ wire: WireExpectedVersion) throws(EventStreamingError) {
        switch wire.expectation {
        case nil: self = .any
        case .noStream: self = .noStream
        case .exists: self = .exists
        case .exactly(let length): self = .exactly(try StreamOffset(wire: length))
        }
    }
}

extension WireExpectedVersion {
    init(_ expectation: ExpectedVersion) {
        self.init()
        switch expectation {
        case .any: break
        case .noStream: noStream = .init()
        case .exists: exists = .init()
        case .exactly(let length): exactly = length.rawValue
        }
    }
}

extension StreamOffset {
    /// - Throws: `invalidArgument` for a negative number.
    init(wire: Int64) throws(EventStreamingError) {
        guard wire >= 0 else {
            throw EventStreamingError(.invalidArgument, "An offset is \(wire); offsets begin with 0.")
        }
        self.init(wire)
    }
}

extension Range<StreamOffset> {
    /// - Throws: `invalidArgument` for a range that is empty, ends before it begins, or begins before 0.
    init(_ wire: WireOffsetRange) throws(EventStreamingError) {
        guard wire.begin >= 0, wire.begin < wire.end else {
            throw EventStreamingError(
                .invalidArgument,
                "A range of offsets goes from \(wire.begin) up to \(wire.end); it must begin at 0 or later, and not be empty."
            )
        }
        self = StreamOffset(wire.begin)..<StreamOffset(wire.end)
    }

    /// The ranges.
    ///
    /// - Throws: as for one of them.
    static func all(_ wire: [WireOffsetRange]) throws(EventStreamingError) -> [Range<StreamOffset>] {
        var ranges: [Range<StreamOffset>] = []
        ranges.reserveCapacity(wire.count)
        for range in wire {
            ranges.append(try Range(range))
        }
        return ranges
    }
}

extension WireOffsetRange {
    init(_ offsets: Range<StreamOffset>) {
        self.init()
        begin = offsets.lowerBound.rawValue
        end = offsets.upperBound.rawValue
    }
}
