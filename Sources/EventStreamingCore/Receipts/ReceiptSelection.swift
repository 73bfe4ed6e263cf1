/// Which events of a user are meant.
public enum ReceiptSelection: Sendable, Hashable {
    /// Those with these ids.
    case events([MessageID])
    /// Those at these offsets, in any order; overlaps do no harm.
    case offsets([Range<StreamOffset>])
    /// All that are unread now, before an offset where one is given. None at all is fine.
    case unread(before: StreamOffset?)
}
