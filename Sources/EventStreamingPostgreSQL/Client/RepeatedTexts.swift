#if PostgreSQL
/// Which statements of somebody else are worth preparing: those that change rows and come again, so many on a connection.
///
/// Only statements without a result: the columns of a result must not change once it is prepared.
struct RepeatedTexts {
    /// What to do with a text.
    enum Step: Equatable {
        case runAsItIs
        case prepare(as: String)
        case runPrepared(String)
    }

    /// How many are prepared on a connection, ever.
    static let limit = 100

    /// The texts that came before; with the name, those that are prepared.
    private var names: [String: String?] = [:]
    private var prepared = 0

    mutating func next(_ text: String) -> Step {
        switch names[text] {
        case .some(.some(let name)): return .runPrepared(name)
        case .some(.none): return prepared < Self.limit ? .prepare(as: "t\(prepared)") : .runAsItIs
        case .none:
            if names.count < Self.limit, Self.isWorthPreparing(text) {
                names[text] = .some(.none)
            }
            return .runAsItIs
        }
    }

    mutating func notePrepared(_ text: String, as name: String) {
        names[text] = name
        prepared += 1
    }

    /// Begins anew with a text.
    mutating func forget(_ text: String) {
        names[text] = nil
    }

    private static func isWorthPreparing(_ text: String) -> Bool {
        guard text.utf8.count <= 10_000 else { return false }
        let words = text.uppercased()
        let first = words.drop { $0.isWhitespace }
        return ["INSERT", "UPDATE", "DELETE"].contains { first.hasPrefix($0) } && !words.contains("RETURNING")
    }
}
#endif
