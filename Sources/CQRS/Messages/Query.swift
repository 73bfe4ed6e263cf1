/// A question that changes nothing.
///
/// ```swift
/// struct FindUser: Query {
///     typealias Response = User?
///     var id: UserID
/// }
/// ```
///
/// Every type of query has exactly one handler, registered with ``QueryBusBuilder``. Conform to ``Validatable`` as well
/// to have queries checked before they are handled.
public protocol Query: BusMessage {
    /// The name of this type of query outside the process: on the wire, in logs and in metrics.
    ///
    /// It defaults to the unqualified name of the type. Renaming the type then renames the query for everybody who
    /// sends it from elsewhere, so state the name in queries that leave the process. Two types with one name are an
    /// error when the bus is built.
    ///
    /// The bus reads the name when it is built, never while it dispatches.
    static var queryName: String { get }
}

extension Query {
    /// The unqualified name of the type, such as `FindUser`.
    public static var queryName: String { "\(Self.self)" }
}
