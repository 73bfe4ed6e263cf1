import EventStreamingStoreKit

extension OffsetRanges {
    /// The ranges as people read them: first and last offset of each, for example `0-9,12-12`.
    var text: String {
        ranges.map { "\($0.lowerBound)-\($0.upperBound - 1)" }.joined(separator: ",")
    }

    /// - Returns: `nil` when the text is not of the form that ``text`` gives.
    init?(text: String) {
        self.init()
        guard !text.isEmpty else { return }
        var end: Int64 = -1
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let bounds = part.split(separator: "-", omittingEmptySubsequences: false)
            guard bounds.count == 2, let first = Int64(bounds[0]), let last = Int64(bounds[1]), end < first,
                first <= last, last < EventPosition.offsetLimit
            else { return nil }
            formUnion(OffsetRanges(first..<last + 1))
            end = last
        }
    }
}
