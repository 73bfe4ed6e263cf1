import EventStreamingCore

/// A call of a history that is about receipts.
enum ParityReceiptCall: Sendable {
    case markDelivered([Range<StreamOffset>], ConsumerID)
    case markRead(ReceiptSelection, ConsumerID)
    case unread(ConsumerID, StreamOffset, limit: Int)
    case receipts(StreamOffset, ConsumerID?, limit: Int)
    case overdue(Duration, limit: Int)
    case expire(Duration, UnreadPolicy, limit: Int)
    case cleanUp
}

extension ParityHistory {
    mutating func receiptCall() throws -> ParityCall {
        // Mostly where receipts are kept.
        let subscription = try number(0..<10) == 0 ? subscriptionID() : SubscriptionID(Self.receiptSubscription)
        let call: ParityReceiptCall
        switch number(0..<20) {
        case 0..<3: call = .markDelivered(try ranges(), try consumer())
        case 3..<8: call = .markRead(try selection(), try consumer())
        case 8..<11: call = .unread(try consumer(), offset(), limit: limit())
        case 11..<14: call = .receipts(offset(), try maybe { try $0.consumer() }, limit: limit())
        case 14..<16: call = .overdue(timeout(), limit: limit())
        case 16..<19: call = .expire(timeout(), pick(UnreadPolicy.allCases), limit: limit())
        default: call = .cleanUp
        }
        return .receipts(call, subscription)
    }

    private mutating func timeout() -> Duration { .seconds(number(-1..<20)) }

    private mutating func ranges() throws -> [Range<StreamOffset>] {
        (0..<number(1..<4)).map { _ in
            let start = offset()
            return start..<start.advanced(by: number(0..<8))
        }
    }

    private mutating func selection() throws -> ReceiptSelection {
        switch number(0..<6) {
        case 0..<3: .unread(before: maybe { $0.offset() })
        case 3, 4: .offsets(try ranges())
        default: .events((0..<number(1..<3)).map { _ in knownEvent() })
        }
    }
}

extension ParitySide {
    func outcome(of call: ParityReceiptCall, _ subscription: SubscriptionID) async throws(EventStreamingError) -> String
    {
        let store = harness.store
        // Who has run out by now may be found by this very call, or by a later one.
        _ = try await store.expireConsumers()
        switch call {
        case .markDelivered(let offsets, let consumer):
            try await store.markDelivered(offsets, to: consumer, of: subscription)
        case .markRead(let selection, let consumer):
            return "\(try await store.markRead(selection, by: consumer, of: subscription))"
        case .unread(let consumer, let offset, let limit):
            let count = try await store.unreadCount(of: consumer, in: subscription)
            let receipts = try await store.unreadReceipts(of: consumer, in: subscription, from: offset, limit: limit)
            return "\(count) \(receipts.map(Self.text))"
        case .receipts(let offset, let consumer, let limit):
            let receipts = try await store.receipts(for: offset, in: subscription, after: consumer, limit: limit)
            return "\(receipts.map(Self.text))"
        case .overdue(let timeout, let limit):
            let receipts = try await store.expiredUnreadReceipts(of: subscription, after: timeout, limit: limit)
            return "\(receipts.map(Self.text))"
        case .expire(let timeout, let policy, let limit):
            return "\(try await store.expireUnread(of: subscription, after: timeout, policy: policy, limit: limit))"
        case .cleanUp:
            return "\(try await store.cleanUpReceipts(of: subscription, limit: 1000))"
        }
        return "done"
    }

    private static func text(_ receipt: ReadReceipt) -> String {
        let readAt = receipt.readAt.map { "\($0.nanosecondsSinceEpoch)" } ?? "-"
        return "\(receipt.consumer) \(receipt.offsets) \(receipt.status) \(receipt.deliveredAt.nanosecondsSinceEpoch) "
            + "\(readAt) \(receipt.deliveries)"
    }
}
