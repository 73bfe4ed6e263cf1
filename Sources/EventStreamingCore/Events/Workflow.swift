/// A business process: what belongs together logically, such as the invitation of one user.
///
/// The type is a name for the process and for the stream of its events; it has no instances of its own to manage.
/// A run of the process is identified by a ``WorkflowID``.
public protocol Workflow: Sendable {
    /// The stream that keeps the events of this process.
    ///
    /// By default made from the type's name: `UserWorkflow` keeps its events in `user-events`, `OrderShipping` in
    /// `order-shipping-events`. Set it where the default is taken, or is no valid ``StreamName`` (a generic type's).
    static var streamName: String { get }
}

extension Workflow {
    /// The type's name without `Workflow` at its end, in lower case with hyphens, followed by `-events`.
    public static var streamName: String {
        var name = "\(Self.self)"[...]
        if name.hasSuffix("Workflow"), name.count > "Workflow".count {
            name = name.dropLast("Workflow".count)
        }
        return hyphenated(name) + "-events"
    }
}

/// `HTTPRequest` becomes `http-request`, `UserV2` becomes `user-v2`.
private func hyphenated(_ name: Substring) -> String {
    let characters = Array(name)
    var result = ""
    for (index, character) in characters.enumerated() {
        if character.isUppercase, index > 0 {
            let followsWord = !characters[index - 1].isUppercase
            let startsWord = index + 1 < characters.count && characters[index + 1].isLowercase
            if followsWord || startsWord, result.last != "-" {
                result.append("-")
            }
        }
        result += character == "_" ? "-" : character.lowercased()
    }
    return result
}
