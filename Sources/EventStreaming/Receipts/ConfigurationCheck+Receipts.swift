import EventStreamingCore

extension ConfigurationCheck {
    /// What is wrong with a subscription in mode `readReceipt`.
    ///
    /// - Parameter type: The type of its stream; `nil` where that is not known, or a dead-letter stream.
    static func receiptProblems(
        of configuration: SubscriptionConfiguration,
        semantics: DeliverySemantics,
        type: StreamType?,
        subject: String
    ) -> [String] {
        var problems: [String] = []
        if semantics != .atLeastOnce {
            problems.append(
                "\(subject): mode readReceipt has semantics atLeastOnce, as a receipt begins when a delivery is "
                    + "acknowledged; \(semantics) was set, here or for the stream."
            )
        }
        if type == .ephemeral {
            problems.append(
                "\(subject): mode readReceipt needs a stream of type persistent; an ephemeral one drops events when they "
                    + "are delivered, read or not."
            )
        }
        if configuration.hasHandler, configuration.consumer == nil {
            problems.append(
                "\(subject): in mode readReceipt every consumer is a user; set consumer to the one for whom the handler "
                    + "receives events."
            )
        }
        if configuration.onUnreadTimeout == nil, configuration.onUnreadExpired != nil {
            problems.append(
                "\(subject): onUnreadExpired says what becomes of events that are unread for too long, but not how long "
                    + "that is; set onUnreadTimeout, too."
            )
        }
        return problems
    }

    /// What is wrong with a subscription in another mode that says something about unread events.
    static func unreadProblems(of configuration: SubscriptionConfiguration, subject: String) -> [String] {
        let options = [
            configuration.onUnreadTimeout.map { _ in "onUnreadTimeout" },
            configuration.onUnreadExpired.map { _ in "onUnreadExpired" },
        ].compactMap { $0 }
        return options.map { option in
            "\(subject): only mode readReceipt has \(option), as in mode \(configuration.mode) nobody says what was read; "
                + "leave it out or set that mode."
        }
    }
}

extension SubscriptionConfiguration {
    /// Whether it consumes by itself while the service runs.
    var hasHandler: Bool { handler != nil || transactionalHandler != nil }
}
