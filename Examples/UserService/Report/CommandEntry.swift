import EventStreaming

/// What became of a line of the input.
struct CommandEntry: ConsoleEntry {
    enum Kind: String, Encodable {
        case accepted
        case rejected
    }

    let kind: Kind
    let line: Int
    var command: String?
    var workflow: String?
    var code: String?
    var message: String?

    init(accepted command: String, workflow: WorkflowID, line: Int) {
        kind = .accepted
        self.line = line
        self.command = command
        self.workflow = workflow.rawValue
    }

    init(rejected command: String?, _ failure: Failure, line: Int) {
        kind = .rejected
        self.line = line
        self.command = command
        code = failure.code
        message = failure.message
    }

    var text: String {
        let subject = ["line \(line):", kind.rawValue, command].compactMap { $0 }.joined(separator: " ")
        switch kind {
        case .accepted: return "\(subject) (workflow \(workflow ?? ""))"
        case .rejected: return "\(subject) \(code ?? ""): \(message ?? "")"
        }
    }
}
