extension Duration {
    /// The time as people say it, for example "24 hours".
    var inWords: String {
        // Not by `components`, which traps for durations of more seconds than 64 bits can hold.
        let (seconds, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000_000)
        guard rest == 0 else { return "\(Double(attoseconds) / 1e18) seconds" }
        for (unit, length) in [("days", Int128(86_400)), ("hours", 3600), ("minutes", 60)]
        where seconds >= 2 * length && seconds.isMultiple(of: length) {
            return "\(seconds / length) \(unit)"
        }
        return seconds == 1 ? "1 second" : "\(seconds) seconds"
    }
}
