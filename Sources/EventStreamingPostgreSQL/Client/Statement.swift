#if PostgreSQL
/// A statement with `$1`, `$2`… for its values. A connection prepares it when it meets it first.
struct Statement: Sendable {
    let text: String

    init(_ text: StaticString) {
        self.text = text.description
    }
}
#endif
