import EventStreamingCore

extension ConfigurationCheck {
    /// What is wrong with how a subscription's events are handled, given how often that may happen.
    static func handlerProblems(
        of configuration: SubscriptionConfiguration,
        semantics: DeliverySemantics,
        subject: String
    ) -> [String] {
        var problems: [String] = []
        let isTransactional = semantics.exactlyOnceForm == .transactional
        if configuration.handler != nil, configuration.transactionalHandler != nil {
            problems.append("\(subject) has handlers of both kinds; use handle or handleInTransaction.")
        } else if isTransactional, configuration.handler != nil {
            problems.append(
                "\(subject): exactlyOnce needs a handler whose writes are committed with the event; use "
                    + "handleInTransaction, or say .exactlyOnce(.lockAndMark), with which a crash between an effect of the "
                    + "handler and the mark repeats the effect."
            )
        } else if !isTransactional, configuration.transactionalHandler != nil {
            problems.append(
                "\(subject): handleInTransaction is for semantics .exactlyOnce; set that, or use handle."
            )
        }
        return problems
    }
}

extension SubscriptionPlan {
    /// Whether only a transaction can finish an event.
    var needsTransaction: Bool { definition.semantics.exactlyOnceForm == .transactional }

    /// Whether an event's acknowledgement marks it as processed.
    var marksWhenSettling: Bool { definition.semantics.exactlyOnceForm == .lockAndMark }

    /// Who marks events as processed; `nil` where nobody does.
    func processor(of consumer: ConsumerID) -> ProcessorID? {
        definition.semantics.exactlyOnceForm.map { _ in definition.processor(of: consumer) }
    }
}
