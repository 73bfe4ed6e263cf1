import EventStreaming

/// Reads commands line by line and sends each one, in order. An error ends its line, never the run.
struct CommandIntake: Sendable {
    let input: InputSource
    let maximumLineBytes: Int
    let streaming: EventStreaming
    let journal: Journal

    /// Reads until the end of the input, or until the input was stopped.
    ///
    /// Needs memory for one line of the allowed length, however long the input and its lines are.
    func run() async throws {
        var splitter = LineSplitter(limit: maximumLineBytes)
        var number = 0
        while let chunk = try await input.next() {
            for line in splitter.split(chunk) {
                number += 1
                try await process(line, number: number)
            }
        }
        if let line = splitter.finish() {
            try await process(line, number: number + 1)
        }
    }

    private func process(_ line: LineSplitter.Line, number: Int) async throws {
        try Task.checkCancellation()
        var name: String?
        do {
            guard let record = try record(of: line, isFirst: number == 1) else { return }
            name = record.name
            let workflow = try await send(record)
            journal.accepted(record, workflow: workflow, line: number)
        } catch {
            journal.rejected(name, error, line: number)
        }
    }

    private func record(of line: LineSplitter.Line, isFirst: Bool) throws(UserServiceError) -> CommandRecord? {
        switch line {
        case .tooLong(let bytes):
            throw UserServiceError(
                .lineTooLong,
                "The line has \(bytes) bytes; at most \(maximumLineBytes) are read. Send less, or raise --max-line."
            )
        case .text(let bytes):
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            return try CommandRecord(line: isFirst && bytes.starts(with: mark) ? Array(bytes.dropFirst(3)) : bytes)
        }
    }

    private func send(_ record: CommandRecord) async throws -> WorkflowID {
        switch record {
        case .addUser(let command): try await streaming.commands.send(command)
        case .removeUser(let command): try await streaming.commands.send(command)
        case .inviteUser(let command): try await streaming.commands.send(command)
        case .acceptInvitation(let command): try await streaming.commands.send(command)
        case .declineInvitation(let command): try await streaming.commands.send(command)
        }
    }
}

extension CommandRecord {
    /// The name of the command.
    var name: String {
        switch self {
        case .addUser: AddUser.commandName
        case .removeUser: RemoveUser.commandName
        case .inviteUser: InviteUser.commandName
        case .acceptInvitation: AcceptInvitation.commandName
        case .declineInvitation: DeclineInvitation.commandName
        }
    }

    /// The stream that gets the command's event: every accepted command emits exactly one.
    var stream: String {
        switch self {
        case .addUser, .removeUser: UserWorkflow.streamName
        case .inviteUser, .acceptInvitation, .declineInvitation: InvitationWorkflow.streamName
        }
    }
}
