/// What happens to an append when a stream holds as many events as it may.
public enum OverflowPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// The append fails with code `streamFull` and changes nothing. The default.
    case reject
    /// The oldest events make room and are counted as dropped; consumers never see them.
    case dropOldest
}
