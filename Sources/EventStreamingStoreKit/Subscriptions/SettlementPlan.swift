package import EventStreamingCore

/// A settlement that was checked against its lease and can be applied without failing.
struct SettlementPlan: Sendable {
    struct Rejected: Sendable {
        let offsets: OffsetRanges
        let action: Rejection.Action
        let reason: String
    }

    private(set) var rejections: [Rejected] = []
    /// What the settlement leaves unsettled.
    private(set) var rest: OffsetRanges

    init(_ settlement: Settlement, of delivery: Delivery) throws(EventStreamingError) {
        rest = delivery.remaining
        for offsets in settlement.completed {
            _ = try take(offsets, of: delivery)
        }
        for rejection in settlement.rejections {
            if case .retry(let delay?) = rejection.action, delay < .zero || delay > Limits.longestTimeout {
                throw EventStreamingError(
                    .invalidArgument,
                    "The delay of a retry must be at least zero and at most \(Limits.longestTimeout)."
                )
            }
            let offsets = try take(rejection.offsets, of: delivery)
            if !offsets.isEmpty {
                let reason = rejection.reason.prefix(bytes: Rejection.maximumReasonLength)
                rejections.append(Rejected(offsets: offsets, action: rejection.action, reason: reason))
            }
        }
    }

    /// What the settlement finishes.
    func completed(of delivery: Delivery) -> OffsetRanges {
        var completed = delivery.remaining
        completed.subtract(rest)
        for rejection in rejections {
            completed.subtract(rejection.offsets)
        }
        return completed
    }

    /// Takes out of the rest what must wait in a consumer group because an earlier event of its key was rejected: its
    /// holder has not begun with it, and gets it again when its turn comes.
    mutating func takeBehindRejections(of delivery: Delivery) -> OffsetRanges {
        guard let keys = delivery.keys, !rejections.isEmpty, !rest.isEmpty else { return OffsetRanges() }
        var first: [PartitionKey: Int64] = [:]
        for rejection in rejections {
            keys.forEach(in: rejection.offsets) { offset, key in
                first[key] = min(first[key] ?? offset, offset)
            }
        }
        var behind = OffsetRanges()
        keys.forEach(in: rest) { offset, key in
            if let rejected = first[key], rejected < offset {
                behind.append(offset)
            }
        }
        rest.subtract(behind)
        return behind
    }

    /// Takes offsets out of the rest. Those that the filter passed over, or that were trimmed since, may be named and
    /// are ignored.
    private mutating func take(
        _ offsets: Range<StreamOffset>,
        of delivery: Delivery
    ) throws(EventStreamingError) -> OffsetRanges {
        let range = offsets.lowerBound.rawValue..<offsets.upperBound.rawValue
        guard !range.isEmpty else { return OffsetRanges() }
        guard delivery.span.lowerBound <= range.lowerBound, range.upperBound <= delivery.span.upperBound else {
            throw EventStreamingError(
                .invalidArgument,
                "Offsets \(range) are not in the lease, which covers \(delivery.span)."
            )
        }
        let scheduled = delivery.scheduled.count(in: range)
        guard rest.count(in: range) == scheduled else {
            guard delivery.remaining.count(in: range) == scheduled else {
                throw EventStreamingError(.alreadySettled, "Some of the offsets \(range) were settled before.")
            }
            throw EventStreamingError(.invalidArgument, "A settlement must not name an offset twice, as in \(range).")
        }
        let taken = rest.intersection(range)
        rest.subtract(range)
        return taken
    }
}

extension Settlement {
    /// Whether this just finishes a lease of which nothing was settled yet: by far the most frequent settlement.
    func finishesAll(of delivery: Delivery) -> Bool {
        guard completed.count == 1, rejections.isEmpty else { return false }
        return completed[0].lowerBound.rawValue == delivery.span.lowerBound
            && completed[0].upperBound.rawValue == delivery.span.upperBound
            && delivery.remaining.count == delivery.scheduled.count
    }
}

extension EventStreamingError {
    package static func leaseEnded(_ settlement: Settlement) -> Self {
        Self(
            .leaseExpired,
            "Lease \(settlement.leaseEpoch) of consumer '\(settlement.holder.consumer)' has ended: it was settled, "
                + "released, or ran out."
        )
    }
}

extension String {
    /// The beginning, as much as fits into `limit` bytes without cutting a character.
    func prefix(bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
            end = utf8.index(before: end)
        }
        return String(self[..<end])
    }
}
