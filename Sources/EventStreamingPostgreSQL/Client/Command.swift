#if PostgreSQL
/// A statement and its values, to be sent together with others.
struct Command {
    let statement: Statement
    let fill: (inout Parameters) -> Void

    init(_ statement: Statement, _ fill: @escaping (inout Parameters) -> Void = { _ in }) {
        self.statement = statement
        self.fill = fill
    }
}
#endif
