package import EventStreamingCore

/// The receipt of one user for neighbouring events with one state, as a store keeps it.
package struct ReceiptRun: Sendable, Hashable {
    package var offsets: Range<Int64>
    package var status: ReadReceipt.Status
    package var deliveredAt: Timestamp
    package var readAt: Timestamp?
    package var deliveries: Int

    package init(
        _ offsets: Range<Int64>,
        _ status: ReadReceipt.Status,
        deliveredAt: Timestamp,
        readAt: Timestamp? = nil,
        deliveries: Int
    ) {
        self.offsets = offsets
        self.status = status
        self.deliveredAt = deliveredAt
        self.readAt = readAt
        self.deliveries = deliveries
    }

    /// The receipt that callers see.
    package func receipt(of consumer: ConsumerID, in subscription: SubscriptionID) -> ReadReceipt {
        ReadReceipt(
            subscription: subscription,
            consumer: consumer,
            offsets: StreamOffset(offsets.lowerBound)..<StreamOffset(offsets.upperBound),
            status: status,
            deliveredAt: deliveredAt,
            readAt: readAt,
            deliveries: deliveries
        )
    }

    /// The same state for other events.
    func with(_ offsets: Range<Int64>) -> ReceiptRun {
        var run = self
        run.offsets = offsets
        return run
    }

    // MARK: - Merging

    /// Whether one run can stand for this and its neighbour. What is finished is merged whenever it was finished; what is
    /// unread only where nothing gets lost, because its time decides what becomes of it.
    private func canMerge(with next: ReceiptRun) -> Bool {
        guard offsets.upperBound == next.offsets.lowerBound, status == next.status else { return false }
        return !status.isUnread || (deliveredAt == next.deliveredAt && deliveries == next.deliveries)
    }

    /// Takes in the neighbour behind, if both can be one.
    ///
    /// - Parameter first: The oldest event that the stream keeps. What lies before it counts as gone and is not merged.
    mutating func merge(with next: ReceiptRun, keepingFrom first: Int64) -> Bool {
        guard first < offsets.upperBound, canMerge(with: next) else { return false }
        offsets = offsets.lowerBound..<next.offsets.upperBound
        deliveredAt = max(deliveredAt, next.deliveredAt)
        readAt = [readAt, next.readAt].compactMap(\.self).max()
        deliveries = max(deliveries, next.deliveries)
        return true
    }

    // MARK: - Going on

    /// How many deliveries are counted at most.
    private static let maximumDeliveries = Int(Int32.max)

    /// One delivery more; what is finished does not change.
    func delivered(at time: Timestamp) -> ReceiptRun {
        guard status.isUnread else { return self }
        let count = min(max(deliveries, 0), Self.maximumDeliveries - 1) + 1
        return ReceiptRun(offsets, .delivered, deliveredAt: time, deliveries: count)
    }

    /// Read, unless it was given up; what was read already does not change.
    func read(at time: Timestamp) -> ReceiptRun {
        guard status.isUnread else { return self }
        return ReceiptRun(offsets, .read, deliveredAt: deliveredAt, readAt: time, deliveries: deliveries)
    }
}

extension ReadReceipt.Status {
    /// How the status is written down. What is unread has the lowest numbers.
    package var number: Int64 {
        switch self {
        case .delivered: 1
        case .requeued: 2
        case .read: 3
        case .expired: 4
        }
    }

    /// The status that is written down as a number.
    package init?(number: Int64) {
        guard let status = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = status
    }

    /// Whether the user still can, and should, read the event.
    package var isUnread: Bool {
        switch self {
        case .delivered, .requeued: true
        case .read, .expired: false
        }
    }
}
