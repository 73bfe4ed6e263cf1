/// Fewer deliveries came in time than a test waited for.
public struct DeliveryTimeoutError: Error, Sendable {
    /// How many were waited for.
    public let expected: Int
    /// How many came.
    public let actual: Int
    /// What came, a line for each delivery.
    public let deliveries: [String]
    /// The real time allowed.
    public let timeout: Duration
    /// The file of the call that waited.
    public let fileID: String
    /// The line of the call that waited.
    public let line: Int
}

extension DeliveryTimeoutError: CustomStringConvertible {
    /// Where, how many were missing, and what came.
    public var description: String {
        "\(fileID):\(line): \(actual) of \(expected) deliveries came within \(timeout)."
            + EventComparison.list(deliveries)
    }
}
