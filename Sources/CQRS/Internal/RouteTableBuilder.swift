/// Gathers what users register and checks it: what the builders of both buses are made of.
struct RouteTableBuilder: ~Copyable, Sendable {
    private let kind: BusContext.Kind
    private var drafts: [ObjectIdentifier: any AnyRouteDraft] = [:]
    /// The keys of `drafts` in the order in which they came up, so that problems are reported in that order.
    private var order: [ObjectIdentifier] = []
    private var middleware: [any BusMiddleware] = []

    init(kind: BusContext.Kind) {
        self.kind = kind
    }

    /// Changes what is known about messages of type `type`.
    mutating func update<Message: BusMessage>(
        _ type: Message.Type,
        name: String,
        _ change: (_ draft: inout RouteDraft<Message>) -> Void
    ) {
        let key = ObjectIdentifier(type)
        let known = drafts[key] as? RouteDraft<Message>
        if known == nil {
            order.append(key)
        }
        var draft = known ?? RouteDraft(context: BusContext(name: name, kind: kind))
        change(&draft)
        drafts[key] = draft
    }

    mutating func use(_ middleware: some BusMiddleware) {
        self.middleware.append(middleware)
    }

    /// Checks everything and puts the routes together.
    ///
    /// - Throws: One error that lists every problem.
    consuming func build() throws(CQRSError) -> RouteTable {
        let problems = problems()
        guard problems.isEmpty else { throw Self.error(for: problems, kind: kind) }

        var names: [String] = []
        var routes: [ObjectIdentifier: any AnyObject & Sendable] = [:]
        for (key, draft) in drafts {
            guard let route = draft.makeRoute(middleware: middleware) else { continue }
            routes[key] = route
            names.append(draft.name)
        }
        return RouteTable(kind: kind, names: names.sorted(), routes: routes)
    }

    private func problems() -> [ConfigurationProblem] {
        let known = order.compactMap { drafts[$0] }
        let typesByName = Dictionary(grouping: known, by: { $0.name }).mapValues { $0.map { $0.typeName }.sorted() }
        let clashes = typesByName.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
        return known.flatMap { $0.problems() }
            + clashes.map { name, types in
                let text = "\(types.joined(separator: " and ")) are both named \(name); give each a name of its own."
                return ConfigurationProblem(code: .duplicateName, text: text)
            }
    }

    private static func error(for problems: [ConfigurationProblem], kind: BusContext.Kind) -> CQRSError {
        let codes = Set(problems.map(\.code))
        let code = codes.count == 1 ? codes.first : nil
        return CQRSError(
            code: code ?? .invalidConfiguration,
            message: "The \(kind) bus cannot be built; put right what is listed here.",
            problems: problems.map(\.text)
        )
    }
}
