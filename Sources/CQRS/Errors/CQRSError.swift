/// What a bus itself can get wrong: it was put together badly, or does not know a message.
///
/// Compare ``code``; the texts are for people and may change.
public struct CQRSError: Error, Sendable, Hashable {
    /// What went wrong.
    public let code: Code

    /// What went wrong and what to do about it, for people.
    public let message: String

    /// Everything that is wrong with the configuration of a bus, one text for each; empty for errors of a single message.
    public let problems: [String]

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: What went wrong.
    ///   - message: What went wrong and what to do about it.
    ///   - problems: Everything that is wrong with a configuration. Defaults to nothing.
    public init(code: Code, message: String, problems: [String] = []) {
        self.code = code
        self.message = message
        self.problems = problems
    }
}

extension CQRSError {
    /// A kind of error. More may be added in any version.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Wrapped: String {
            case noHandler = "cqrs.noHandler"
            case duplicateHandler = "cqrs.duplicateHandler"
            case duplicateName = "cqrs.duplicateName"
            case invalidConfiguration = "cqrs.invalidConfiguration"
        }

        /// A message, a requirement or a validation rule has no handler.
        public static let noHandler = Code(wrapped: .noHandler)

        /// A type of message has more than one handler.
        public static let duplicateHandler = Code(wrapped: .duplicateHandler)

        /// Several types of message have the same name.
        public static let duplicateName = Code(wrapped: .duplicateName)

        /// A bus has problems of more than one kind; see ``CQRSError/problems``.
        public static let invalidConfiguration = Code(wrapped: .invalidConfiguration)

        private let wrapped: Wrapped

        /// The code as a stable string, such as `cqrs.noHandler`; made for logs and for the wire.
        public var rawValue: String { wrapped.rawValue }

        /// The same as ``rawValue``.
        public var description: String { rawValue }
    }
}

extension CQRSError: CustomStringConvertible {
    /// Code, message and every problem, on one line.
    public var description: String {
        guard !problems.isEmpty else { return "\(code): \(message)" }
        return "\(code): \(message) \(problems.joined(separator: " "))"
    }
}
