import EventStreaming

extension ConfigurationCase {
    /// A case about a subscription in mode `readReceipt` to a persistent stream.
    private static func receipts(
        _ name: String,
        _ texts: String...,
        configure: @escaping @Sendable (inout SubscriptionConfiguration) -> Void
    ) -> Self {
        Self(name, texts: texts) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addSubscription("notes") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .readReceipt
                configure(&subscription)
            }
        }
    }

    static let badReceipts: [ConfigurationCase] = [
        .subscription("receipts of a queue", "readReceipt needs a stream of type persistent") {
            $0.mode = .readReceipt
        },
        .receipts("receipts at most once", "has semantics atLeastOnce", "atMostOnce was set") {
            $0.semantics = .atMostOnce
        },
        .receipts("receipts exactly once", "has semantics atLeastOnce", "exactlyOnceByMark was set") {
            $0.semantics = .exactlyOnce(.lockAndMark)
        },
        ConfigurationCase("receipts of a stream at most once", "here or for the stream") { streaming in
            streaming.addStream(OrderWorkflow.self) { stream in
                stream.type = .persistent
                stream.semantics = .atMostOnce
            }
            streaming.addSubscription("notes") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .readReceipt
            }
        },
        .receipts("a handler for nobody", "every consumer is a user", "set consumer") { $0.handle { _ in } },
        .receipts("a policy without a time-out", "onUnreadExpired", "set onUnreadTimeout, too") {
            $0.onUnreadExpired = .drop
        },
        .receipts("no time to read", "onUnreadTimeout is 0.0 seconds", "more than zero to 365 days") {
            $0.onUnreadTimeout = .zero
        },
        .receipts("negative time to read", "onUnreadTimeout is -1.0 seconds") { $0.onUnreadTimeout = .seconds(-1) },
        .receipts("endless time to read", "onUnreadTimeout is") { $0.onUnreadTimeout = .seconds(Int64.max) },
        .subscription("a time-out in another mode", "only mode readReceipt has onUnreadTimeout", "mode broadcast") {
            $0.onUnreadTimeout = .seconds(60)
        },
        .subscription("a policy in another mode", "only mode readReceipt has onUnreadExpired", "mode exclusive") {
            $0.mode = .exclusive
            $0.onUnreadExpired = .requeue
        },
        .receipts("partitions of users", "only mode consumerGroup has partitions") { $0.partitions = 4 },
    ]

    static let goodReceipts: [ConfigurationCase] = [
        .receipts("receipts") { _ in },
        .receipts("the least time to read") { $0.onUnreadTimeout = .nanoseconds(1) },
        .receipts("the most time to read") { subscription in
            subscription.onUnreadTimeout = .seconds(365 * 86_400)
            subscription.onUnreadExpired = .deadLetter
        },
        .receipts("a handler for somebody") { subscription in
            subscription.consumer = "admin-123"
            subscription.handle(OrderPlaced.self) { _, _ in }
        },
        ConfigurationCase("receipts of dead letters") { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
            streaming.addSubscription("operators") { subscription in
                subscription.stream("mail-dead-letters")
                subscription.mode = .readReceipt
            }
        },
    ]
}
