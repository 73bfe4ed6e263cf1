import EventStreaming
import EventStreamingCore

extension WireSubscriptionMode {
    init(_ mode: SubscriptionMode) {
        self =
            switch mode {
            case .broadcast: .broadcast
            case .exclusive: .exclusive
            case .consumerGroup: .consumerGroup
            case .readReceipt: .readReceipt
            }
    }
}

extension SubscriptionMode {
    /// `nil` for a mode that is not known here.
    init?(_ wire: WireSubscriptionMode) {
        switch wire {
        case .broadcast: self = .broadcast
        case .exclusive: self = .exclusive
        case .consumerGroup: self = .consumerGroup
        case .readReceipt: self = .readReceipt
        case .unspecified, .UNRECOGNIZED: return nil
        }
    }
}

extension DeliverySemantics {
    /// `nil` for semantics that are not known here.
    init?(_ wire: WireDeliverySemantics) {
        switch wire {
        case .atMostOnce: self = .atMostOnce
        case .atLeastOnce: self = .atLeastOnce
        case .unspecified, .UNRECOGNIZED: return nil
        }
    }
}

extension WireOpened {
    init(_ registration: ConsumerRegistration, _ terms: ConsumerTerms, heartbeatInterval: Duration) {
        self.init()
        protocolVersion = Self.currentVersion
        consumer = registration.consumer.rawValue
        registrationEpoch = registration.epoch
        stream = terms.stream.rawValue
        mode = WireSubscriptionMode(terms.mode)
        semantics = terms.semantics == .atMostOnce ? .atMostOnce : .atLeastOnce
        partitions = Int32(clamping: terms.partitions)
        visibilityTimeoutMs = terms.visibilityTimeout.wholeMilliseconds
        consumerTimeoutMs = terms.consumerTimeout.wholeMilliseconds
        heartbeatIntervalMs = heartbeatInterval.wholeMilliseconds
    }

    /// The version of the protocol that this library speaks.
    static let currentVersion: Int32 = 1
}

extension ConsumerTerms {
    /// - Throws: `unsupported` for a mode or semantics that are not known here; `invalidName`.
    init(_ wire: WireOpened) throws(EventStreamingError) {
        guard let mode = SubscriptionMode(wire.mode), let semantics = DeliverySemantics(wire.semantics) else {
            throw EventStreamingError(
                .unsupported,
                "The server's subscription has a mode or semantics that this version of the client does not know."
            )
        }
        self.init(
            stream: try StreamName(wire.stream),
            mode: mode,
            semantics: semantics,
            partitions: max(0, Int(wire.partitions)),
            visibilityTimeout: .milliseconds(max(1, wire.visibilityTimeoutMs)),
            consumerTimeout: .milliseconds(max(1, wire.consumerTimeoutMs))
        )
    }
}
