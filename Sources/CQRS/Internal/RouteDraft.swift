/// What a builder has been told about one type of message.
struct RouteDraft<Message: BusMessage>: AnyRouteDraft {
    let context: BusContext
    var handlers: [BusNext<Message>] = []
    var rules: [ValidationRule<Message>] = []
    var isRequired = false

    var name: String { context.name }
    var typeName: String { String(reflecting: Message.self) }

    /// What is wrong with this draft on its own.
    func problems() -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        if handlers.count > 1 {
            let text = "The \(context.kind) \(name) has \(handlers.count) handlers; register exactly one."
            problems.append(ConfigurationProblem(code: .duplicateHandler, text: text))
        }
        if handlers.isEmpty, isRequired {
            let text = "The \(context.kind) \(name) is required but has no handler; register one."
            problems.append(ConfigurationProblem(code: .noHandler, text: text))
        }
        if handlers.isEmpty, !rules.isEmpty {
            let text = "The \(context.kind) \(name) has validation rules but no handler; register one."
            problems.append(ConfigurationProblem(code: .noHandler, text: text))
        }
        return problems
    }

    /// Folds middleware and validation around the handler; `nil` without a handler.
    ///
    /// - Parameter middleware: The outermost first.
    func makeRoute(middleware: [any BusMiddleware]) -> (any AnyObject & Sendable)? {
        guard let handler = handlers.first else { return nil }
        var entry = validated(handler)
        for middleware in middleware.reversed() {
            entry = intercepted(entry, by: middleware)
        }
        return Route(entry: entry)
    }

    private func validated(_ next: BusNext<Message>) -> BusNext<Message> {
        let rules = (ValidationRule<Message>.own.map { [$0] } ?? []) + rules
        guard !rules.isEmpty else { return next }
        let name = name
        return BusNext { message in
            var violations = Violations()
            for rule in rules {
                rule.check(message, &violations)
            }
            guard violations.isEmpty else {
                throw ValidationError(messageName: name, violations: violations.all)
            }
            return try await next.body(message)
        }
    }

    /// Generic, so that the existential is opened here and not for each message.
    private func intercepted(
        _ next: BusNext<Message>,
        by middleware: some BusMiddleware
    ) -> BusNext<Message> {
        let context = context
        return BusNext { message in
            try await middleware.intercept(message, context: context, next: next)
        }
    }
}
