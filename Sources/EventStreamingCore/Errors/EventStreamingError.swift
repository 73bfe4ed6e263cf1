/// The error of everything about streams, stores, subscriptions and workflows.
///
/// Decide by ``code``, which is stable; show ``message``, which says what to do. Neither holds payloads or secrets.
public struct EventStreamingError: Error, Sendable {
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let problems: [String]
        let underlying: (any Error)?
        let actualLength: Int64?

        init(code: Code, message: String, problems: [String], underlying: (any Error)?, actualLength: Int64?) {
            self.code = code
            self.message = message
            self.problems = problems
            self.underlying = underlying
            self.actualLength = actualLength
        }
    }

    private let storage: Storage

    /// What went wrong, as a stable code.
    public var code: Code { storage.code }
    /// What went wrong and what to do about it, for people.
    public var message: String { storage.message }
    /// Every single problem, where there can be several (codes `invalidConfiguration` and `invalidArgument`).
    public var problems: [String] { storage.problems }
    /// The error that caused this one, if any.
    public var underlying: (any Error)? { storage.underlying }
    /// With code `wrongExpectedVersion`: how many events the stream really has. Otherwise `nil`.
    public var actualLength: Int64? { storage.actualLength }
    /// Whether the same call may succeed later without a change by the caller.
    public var isRetriable: Bool { storage.code.isRetriable }

    /// Creates an error.
    public init(
        _ code: Code,
        _ message: String,
        problems: [String] = [],
        underlying: (any Error)? = nil,
        actualLength: Int64? = nil
    ) {
        storage = Storage(
            code: code,
            message: message,
            problems: problems,
            underlying: underlying,
            actualLength: actualLength
        )
    }
}

extension EventStreamingError: CustomStringConvertible {
    /// The code, the message, every problem on a line of its own, and the cause.
    public var description: String {
        var text = "\(code): \(message)"
        for problem in problems {
            text += "\n  - \(problem)"
        }
        if let underlying {
            text += " (cause: \(underlying))"
        }
        return text
    }
}

// MARK: - Frequent errors

extension EventStreamingError {
    /// A name that breaks its grammar. The name is shown shortened and with control characters escaped.
    package static func invalidName(_ name: String, kind: String, rule: String) -> Self {
        Self(.invalidName, "\(printable(name)) is not a valid \(kind): \(rule).")
    }

    /// A stream that nobody declared.
    package static func unknownStream(_ name: StreamName) -> Self {
        Self(.unknownStream, "There is no stream '\(name)'; declare it with addStream before it is used.")
    }

    /// A subscription that nobody declared.
    package static func unknownSubscription(_ id: SubscriptionID) -> Self {
        Self(.unknownSubscription, "There is no subscription '\(id)'; declare it with addSubscription.")
    }

    /// An event that is not in its stream.
    package static func unknownEvent(_ id: MessageID, in stream: StreamName) -> Self {
        Self(.unknownEvent, "Stream '\(stream)' has no event \(id), or no longer.")
    }

    /// Text from outside made fit for a message: quoted, at most 60 characters, and with everything escaped that is not
    /// seen, ends a line, or changes how the rest is shown.
    package static func printable(_ text: String) -> String {
        let limit = 60
        let start = text.unicodeScalars.prefix(limit).map { $0.escaped(asASCII: $0.isInvisible) }
        return "\"\(start.joined())\"" + (text.unicodeScalars.dropFirst(limit).isEmpty ? "" : "…")
    }
}

extension Unicode.Scalar {
    fileprivate var isInvisible: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: true
        default: false
        }
    }
}
