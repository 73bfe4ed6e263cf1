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
        guard definition.mode == .broadcast || definition.mode == .exclusive else {
            throw EventStreamingError(
                .unsupported,
                "The store has the modes broadcast and exclusive, not \(definition.mode)."
            )
        }
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
