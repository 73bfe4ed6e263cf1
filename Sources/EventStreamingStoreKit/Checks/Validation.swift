package import EventStreamingCore

/// Checks what callers pass.
package enum Validation {
    package static func checkLimit(_ limit: Int) throws(EventStreamingError) {
        guard limit >= 1 else {
            throw EventStreamingError(.invalidArgument, "The limit is \(limit); it must be at least 1.")
        }
    }

    /// Checks what a consumer asks for when it leases events.
    package static func check(
        _ limit: Int,
        _ settlement: Settlement?,
        of consumer: ConsumerRegistration
    ) throws(EventStreamingError) {
        try checkLimit(limit)
        guard let settlement, settlement.holder != consumer else { return }
        throw EventStreamingError(
            .invalidArgument,
            "The settlement is of another registration than the one that asks for events; settle it by itself."
        )
    }

    package static func check(_ definition: StreamDefinition) throws(EventStreamingError) {
        if let capacity = definition.capacity, capacity < 1 {
            throw EventStreamingError(
                .invalidArgument,
                "The capacity of stream '\(definition.name)' is \(capacity); it must be at least 1."
            )
        }
    }

    package static func check(_ definition: SubscriptionDefinition) throws(EventStreamingError) {
        let problems = self.problems(of: definition)
        guard problems.isEmpty else {
            throw EventStreamingError(
                .invalidArgument,
                "Subscription '\(definition.id)' has settings outside what is allowed.",
                problems: problems
            )
        }
    }

    private static func problems(of definition: SubscriptionDefinition) -> [String] {
        var problems: [String] = []
        for (name, timeout) in [
            ("visibilityTimeout", definition.visibilityTimeout), ("consumerTimeout", definition.consumerTimeout),
        ] where timeout <= .zero || timeout > Limits.longestTimeout {
            problems.append("\(name) is \(timeout); it must be more than zero and at most \(Limits.longestTimeout).")
        }
        if definition.mode == .consumerGroup, !(1...Limits.partitions).contains(definition.partitions) {
            problems.append("partitions is \(definition.partitions); it must be 1 to \(Limits.partitions).")
        }
        if definition.keepsOrder, definition.mode != .consumerGroup || definition.semantics == .atMostOnce {
            problems.append(
                "keepsOrder needs mode consumerGroup, whose events have an order by key, and another semantics than "
                    + "atMostOnce, which has no dead letters."
            )
        }
        if definition.mode == .readReceipt, definition.semantics != .atLeastOnce {
            problems.append("semantics is \(definition.semantics); mode readReceipt needs atLeastOnce.")
        }
        let retry = definition.retry
        if retry.maximumAttempts < 1 {
            problems.append("retry.maximumAttempts is \(retry.maximumAttempts); it must be at least 1.")
        }
        for (name, delay) in [("initialDelay", retry.initialDelay), ("maximumDelay", retry.maximumDelay)]
        where delay < .zero {
            problems.append("retry.\(name) is \(delay); it must be at least zero.")
        }
        if !(0...1).contains(retry.jitter) {
            problems.append("retry.jitter is \(retry.jitter); it must be from 0 to 1.")
        }
        return problems
    }
}

extension SubscriptionDefinition {
    /// What an existing subscription is that the definition is not, and that cannot be changed; `nil` where it can be
    /// changed to the definition.
    ///
    /// - Parameters:
    ///   - mode: The mode of the existing one.
    ///   - partitions: The number of its partitions.
    package func conflict(withMode mode: SubscriptionMode, partitions: Int) -> String? {
        if mode != self.mode {
            return "has mode \(mode), not \(self.mode)"
        }
        if mode == .consumerGroup, partitions != self.partitions {
            return "has \(partitions) partitions, not \(self.partitions): configure it so, or change the number for "
                + "everybody with repartition"
        }
        return nil
    }
}

extension EventStreamingError {
    package static func unknownConsumer(_ registration: ConsumerRegistration) -> Self {
        Self(
            .unknownConsumer,
            "Consumer '\(registration.consumer)' of subscription '\(registration.subscription)' is not registered, or "
                + "its registration has ended; register it again."
        )
    }

    package static func consumerReplaced(_ registration: ConsumerRegistration) -> Self {
        Self(
            .consumerReplaced,
            "Another registration of consumer '\(registration.consumer)' of subscription "
                + "'\(registration.subscription)' took over."
        )
    }
}
