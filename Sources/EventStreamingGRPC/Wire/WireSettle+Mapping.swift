import EventStreamingCore

extension Settlement {
    /// - Throws: `invalidArgument` for ranges that are none, and for a delay that is negative.
    init(_ wire: WireSettle, of holder: ConsumerRegistration) throws(EventStreamingError) {
        self.init(
            of: holder,
            leaseEpoch: wire.leaseEpoch,
            completed: try Range.all(wire.completed),
            releasesRest: wire.releasesRest
        )
        rejections.reserveCapacity(wire.rejections.count)
        for rejection in wire.rejections {
            rejections.append(try Rejection(rejection))
        }
        read = try Range.all(wire.read)
    }
}

extension WireSettle {
    init(_ settlement: Settlement, sequence: UInt64) {
        self.init()
        self.sequence = sequence
        leaseEpoch = settlement.leaseEpoch
        completed = settlement.completed.map(WireOffsetRange.init)
        rejections = settlement.rejections.map(WireRejection.init)
        releasesRest = settlement.releasesRest
        read = settlement.read.map(WireOffsetRange.init)
    }
}

extension Rejection {
    fileprivate init(_ wire: WireRejection) throws(EventStreamingError) {
        let action: Action
        switch wire.action {
        case nil, .requeue:
            action = .retry(after: nil)
        case .deadLetter:
            action = .deadLetter
        case .retryAfterMs(let milliseconds):
            guard milliseconds >= 0 else {
                throw EventStreamingError(.invalidArgument, "A retry is to wait \(milliseconds) ms; use 0 or more.")
            }
            action = .retry(after: .milliseconds(milliseconds))
        }
        self.init(offsets: try Range(wire.offsets), action: action, reason: wire.reason)
    }
}

extension WireRejection {
    fileprivate init(_ rejection: Rejection) {
        self.init()
        offsets = WireOffsetRange(rejection.offsets)
        reason = rejection.reason
        switch rejection.action {
        case .retry(after: nil): requeue = .init()
        case .retry(after: let delay?): retryAfterMs = delay.wholeMilliseconds
        case .deadLetter: deadLetter = .init()
        }
    }
}

extension ReceiptSelection {
    /// - Throws: `invalidArgument` where nothing is selected.
    init(_ wire: WireMarkRead) throws(EventStreamingError) {
        switch wire.selection {
        case .events(let events):
            self = .events(events.ids.map { MessageID($0) })
        case .offsets(let offsets):
            self = .offsets(try Range.all(offsets.ranges))
        case .unreadBefore(let offset):
            self = .unread(before: offset < 0 ? nil : StreamOffset(offset))
        case nil:
            throw EventStreamingError(.invalidArgument, "Nothing is selected to be marked as read.")
        }
    }
}

extension WireMarkRead {
    init(_ selection: ReceiptSelection, sequence: UInt64) {
        self.init()
        self.sequence = sequence
        switch selection {
        case .events(let ids): events.ids = ids.map(WireMessageId.init)
        case .offsets(let offsets): self.offsets.ranges = offsets.map(WireOffsetRange.init)
        case .unread(let before): unreadBefore = before?.rawValue ?? -1
        }
    }
}

extension Duration {
    /// The duration in milliseconds, a part of one counted as one; within what 64 bits can hold.
    var wholeMilliseconds: Int64 {
        let nanoseconds = clampedNanoseconds
        let milliseconds = nanoseconds / 1_000_000
        return nanoseconds > milliseconds * 1_000_000 ? milliseconds + 1 : milliseconds
    }
}
