package import EventStreamingCore

/// A receipt whose time for reading has passed.
package struct OverdueReceipt: Sendable, Equatable {
    package let consumer: ConsumerID
    package let run: ReceiptRun

    package init(_ consumer: ConsumerID, _ run: ReceiptRun) {
        self.consumer = consumer
        self.run = run
    }
}

extension SubscriptionState {
    /// Whether there is a consumer of that name.
    package func hasConsumer(_ id: ConsumerID) -> Bool { consumers.place(of: id) != nil }

    // MARK: - What others do

    func note(
        _ delivered: OffsetRanges,
        read: OffsetRanges,
        of consumer: ConsumerID,
        effects: inout SubscriptionEffects
    ) {
        guard desk.keepsReceipts, !delivered.isEmpty else { return }
        effects.receipts.append(ReceiptChange(consumer, .deliver(delivered, read: read)))
    }

    /// An event that should be delivered once more for want of a reader and is given up for another reason has no more time
    /// to be read.
    func noteReceipt(of event: GivenUp, _ consumer: ConsumerID, effects: inout SubscriptionEffects) {
        guard desk.keepsReceipts, event.redriven != nil else { return }
        let offsets = OffsetRanges(event.offset..<event.offset + 1)
        effects.receipts.append(ReceiptChange(consumer, .move(offsets, from: .requeued, to: .expired)))
    }

    /// An event that was given up unread and is delivered again by an operator gets its time to be read once more.
    func noteReceipt(ofRedriven letter: DeadLetter, _ consumer: ConsumerID, effects: inout SubscriptionEffects) {
        guard desk.keepsReceipts else { return }
        let offset = letter.event.offset.rawValue
        let offsets = OffsetRanges(offset..<offset + 1)
        effects.receipts.append(ReceiptChange(consumer, .move(offsets, from: .expired, to: .requeued)))
    }

    // MARK: - Expiring

    /// What becomes of an event that was not read in time.
    private func outcome(of overdue: OverdueReceipt, policy: UnreadPolicy) -> UnreadPolicy {
        switch policy {
        case .requeue where consumers.place(of: overdue.consumer) == nil: .drop
        case .requeue where overdue.run.deliveries >= desk.retry.maximumAttempts: .deadLetter
        default: policy
        }
    }

    /// The events that ``expireUnread(_:policy:after:at:effects:event:)`` needs in order to deliver them again.
    package func eventsToRequeue(_ overdue: [OverdueReceipt], policy: UnreadPolicy) -> OffsetRanges {
        var offsets = OffsetRanges()
        for overdue in overdue where outcome(of: overdue, policy: policy) == .requeue {
            offsets.formUnion(OffsetRanges(overdue.run.offsets))
        }
        return offsets
    }

    /// Does with unread events what the policy says, as ``ReadReceiptStore/expireUnread(of:after:policy:limit:)``.
    ///
    /// - Parameters:
    ///   - overdue: Receipts that are delivered and unread, and whose events the stream keeps.
    ///   - event: Returns one of ``eventsToRequeue(_:policy:)``; what it does not have is given up.
    package mutating func expireUnread(
        _ overdue: [OverdueReceipt],
        policy: UnreadPolicy,
        after timeout: Duration,
        at moment: Moment,
        effects: inout SubscriptionEffects,
        event: (Int64) -> StoredEvent?
    ) -> UnreadExpiry {
        let failure = Delivery.Failure(at: moment.now, reason: "Not read within \(timeout.inWords).", after: nil)
        var result = UnreadExpiry()
        for overdue in overdue {
            switch outcome(of: overdue, policy: policy) {
            case .requeue: requeue(overdue, at: moment, effects: &effects, result: &result, event: event)
            case .deadLetter:
                for offset in overdue.run.offsets {
                    effects.givenUp.append(
                        GivenUp(
                            offset: offset,
                            redriven: nil,
                            attempts: overdue.run.deliveries,
                            failure: failure,
                            consumer: overdue.consumer
                        )
                    )
                }
                result.deadLettered += overdue.run.offsets.count
                end(OffsetRanges(overdue.run.offsets), of: overdue, as: .expired, effects: &effects)
            case .drop:
                result.dropped += overdue.run.offsets.count
                end(OffsetRanges(overdue.run.offsets), of: overdue, as: .expired, effects: &effects)
            }
        }
        return result
    }

    private mutating func requeue(
        _ overdue: OverdueReceipt,
        at moment: Moment,
        effects: inout SubscriptionEffects,
        result: inout UnreadExpiry,
        event: (Int64) -> StoredEvent?
    ) {
        guard let place = consumers.place(of: overdue.consumer) else { return }
        var requeued = OffsetRanges()
        for offset in overdue.run.offsets {
            guard let event = event(offset) else { continue }
            consumers[place].cursor.redrive(event, hasKey: false, at: moment.uptime, desk: &desk)
            requeued.append(offset)
        }
        markChanged(overdue.consumer)
        var lost = OffsetRanges(overdue.run.offsets)
        lost.subtract(requeued)
        result.requeued += requeued.count
        result.dropped += lost.count
        effects.hasNews = effects.hasNews || !requeued.isEmpty
        end(requeued, of: overdue, as: .requeued, effects: &effects)
        end(lost, of: overdue, as: .expired, effects: &effects)
    }

    private func end(
        _ offsets: OffsetRanges,
        of overdue: OverdueReceipt,
        as status: ReadReceipt.Status,
        effects: inout SubscriptionEffects
    ) {
        for range in offsets.ranges {
            effects.receipts.append(ReceiptChange(overdue.consumer, .overdue(overdue.run.with(range), status)))
        }
    }
}

extension Settlement {
    /// What is marked as read, checked to be among what is completed.
    func readOffsets(in mode: SubscriptionMode) throws(EventStreamingError) -> OffsetRanges {
        guard !read.isEmpty else { return OffsetRanges() }
        guard mode == .readReceipt else {
            throw EventStreamingError(
                .invalidArgument,
                "Subscription '\(holder.subscription)' has mode \(mode), which keeps no receipts; nothing can be marked as read."
            )
        }
        let offsets = OffsetRanges(merging: read)
        var others = offsets
        others.subtract(OffsetRanges(merging: completed))
        guard let other = others.lowest else { return offsets }
        throw EventStreamingError(
            .invalidArgument,
            "Offset \(other) is marked as read, but not among the offsets that the settlement completes."
        )
    }
}
