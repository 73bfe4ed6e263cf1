import EventStreaming
import EventStreamingTesting
import Testing

@Suite("WorkflowTest")
struct WorkflowTestTests {
    struct Invite: Command, Validatable {
        typealias Response = WorkflowID
        var email: String

        func validate(_ violations: inout Violations) {
            violations.check(email.contains("@"), field: "email", rule: "email", message: "must be an e-mail address")
        }
    }

    struct InviteHandler: WorkflowCommandHandler {
        func handle(
            _ command: Invite,
            in workflow: inout WorkflowContext<InvitationWorkflow>
        ) async throws -> WorkflowID {
            workflow.emit(UserInvited(email: command.email))
            if workflow.isNew { workflow.emit(UserReminded(day: 7)) }
            workflow.headers["tenant"] = "acme"
            if command.email == "taken@example.org" { throw InvitationError(reason: "taken") }
            return workflow.id
        }
    }

    struct Remind: WorkflowCommand {
        typealias Response = String
        var workflowID: WorkflowID?
    }

    struct Legacy: EventsCommandHandler {
        struct Send: Command {}

        func handle(_ command: Send) async throws -> (response: Void, events: [MailSent]) {
            ((), [MailSent(email: "ada")])
        }
    }

    private let ada = Invite(email: "ada@example.org")
    private let test = WorkflowTest(InviteHandler())
    private let firstID = "00000000-0000-0000-0000-000000000001"

    @Test("a new workflow: events, response, headers, encoding")
    func new() async throws {
        try await test
            .when(ada)
            .thenEmits(UserInvited(email: "ada@example.org"), UserReminded(day: 7))
            .thenEmits { events in #expect(events.count == 2) }
            .thenReturns(try WorkflowID(firstID))
            .thenReturns { response in #expect(response.rawValue == firstID) }
            .thenHeaders(["tenant": "acme"])
            .thenEventsSurviveEncoding()
        let outcome = await test.given(newWorkflow: try WorkflowID("order-1")).when(ada)
        #expect(outcome.workflow.rawValue == "order-1")
    }

    @Test("a continued workflow")
    func continued() async throws {
        let id = try WorkflowID("invitation-1")
        try await test.given(workflow: id).when(ada).thenEmits(UserInvited(email: "ada@example.org")).thenReturns(id)
    }

    @Test("the command says which workflow it continues, and must not contradict what is given")
    func workflowCommand() async throws {
        let (one, two) = (try WorkflowID("one"), try WorkflowID("two"))
        let test = WorkflowTest(Remind.self, in: InvitationWorkflow.self) { _, workflow in
            "\(workflow.id) \(workflow.isNew)"
        }
        try await test.when(Remind(workflowID: one)).thenReturns("one false").thenEmitsNothing()
        try await test.when(Remind(workflowID: nil)).thenReturns("\(firstID) true")
        try await test.given(workflow: one).when(Remind(workflowID: one)).thenReturns("one false")
        let contradiction = await message(of: WorkflowTestError.self) {
            try await test.given(workflow: one).when(Remind(workflowID: two)).thenEmitsNothing()
        }
        #expect(contradiction?.contains("The workflow given is 'one', but the command continues 'two'.") == true)
        let new = await message(of: WorkflowTestError.self) {
            try await test.given(workflow: one).when(Remind(workflowID: nil)).thenThrows(InvitationError.self)
        }
        #expect(new?.contains("but the command starts a new one") == true)
    }

    @Test("closures and handlers of the older style")
    func otherHandlers() async throws {
        try await WorkflowTest(Legacy()).when(Legacy.Send()).thenEmits(MailSent(email: "ada"))
    }

    @Test("the context of the message is that of a service, and ids count up")
    func messageContext() async throws {
        let test = WorkflowTest(Remind.self, in: InvitationWorkflow.self) { _, workflow in
            let current = MessageContext.current
            #expect(current?.correlationID == workflow.id)
            #expect(current?.causationID == workflow.causationID)
            return workflow.causationID.description.suffix(2).description
        }
        try await test.when(Remind()).thenReturns("01")
        try await test.when(Remind()).thenReturns("02")
        let event = MessageID(high: 7, low: 0x42)
        try await test.given(causedBy: event).when(Remind()).thenReturns("42")
        #expect(MessageContext.current == nil)
    }

    @Test("commands are validated first, by their own rules and those given")
    func validation() async throws {
        try await test.when(Invite(email: "nonsense")).thenThrows(ValidationError.self)
        let strict = test.given { command, violations in
            violations.check(command.email.hasSuffix(".com"), field: "email", rule: "com", message: "must end in .com")
        }
        try await strict.when(Invite(email: "nonsense")).thenThrows { error in
            #expect((error as? ValidationError)?.violations.map(\.rule) == ["email", "com"])
        }
        let outcome = await strict.when(ada)
        #expect(outcome.events.isEmpty)
        try outcome.thenThrows(ValidationError.self)
    }

    @Test("a failure emits nothing, whatever was pending")
    func failure() async throws {
        let outcome = await test.when(Invite(email: "taken@example.org"))
        #expect(outcome.events.isEmpty && outcome.headers.isEmpty)
        try outcome
            .thenThrows(InvitationError.self)
            .thenThrows(InvitationError(reason: "taken"))
            .thenThrows { error in #expect(error is InvitationError) }
        let text = await message(of: WorkflowTestError.self) { try outcome.thenEmits(UserReminded(day: 7)) }
        #expect(text?.contains("Invite failed, so it emitted and returned nothing.") == true)
        #expect(text?.contains(#"Error: InvitationError(reason: "taken")"#) == true)
        #expect(text?.contains(#"1. UserInvited(email: "taken@example.org")"#) == true)
        for expectation in [
            { try outcome.thenEmitsNothing() }, { try outcome.thenReturns { _ in } }, { try outcome.thenHeaders([:]) },
            { try outcome.thenEventsSurviveEncoding() }, { try outcome.thenEmits { _ in } },
        ] as [() throws -> WorkflowOutcome<Invite, InvitationWorkflow>] {
            #expect(throws: WorkflowTestError.self) { try expectation() }
        }
    }

    // MARK: - Expectations that are not met

    @Test("other events: both lists, what differs marked")
    func otherEvents() async throws {
        let outcome = await test.when(ada)
        let text = await message(of: WorkflowTestError.self) {
            try outcome.thenEmits(UserInvited(email: "ada@example.org"), UserReminded(day: 8), MailSent(email: "x"))
        }
        let lines = text?.split(separator: "\n").map(String.init) ?? []
        #expect(lines.first?.hasPrefix("EventStreamingTestingTests/WorkflowTestTests.swift:") == true)
        #expect(
            Array(lines.dropFirst()) == [
                "  Expected:",
                #"    1. UserInvited(email: "ada@example.org")"#,
                "  ≠ 2. UserReminded(day: 8)",
                #"  ≠ 3. MailSent(email: "x") of another process"#,
                "  Actual:",
                #"    1. UserInvited(email: "ada@example.org")"#,
                "  ≠ 2. UserReminded(day: 7)",
            ]
        )
    }

    @Test("too many, too few, in another order, or any at all")
    func otherCounts() async throws {
        let outcome = await test.when(ada)
        let (invited, reminded) = (UserInvited(email: "ada@example.org"), UserReminded(day: 7))
        #expect(throws: WorkflowTestError.self) { try outcome.thenEmits(invited) }
        #expect(throws: WorkflowTestError.self) { try outcome.thenEmits(reminded, invited) }
        #expect(throws: WorkflowTestError.self) { try outcome.thenEmits(invited, reminded, reminded) }
        let text = await message(of: WorkflowTestError.self) { try outcome.thenEmitsNothing() }
        #expect(text?.contains("Expected:\n    (none)\n  Actual:\n  ≠ 1. UserInvited") == true)
    }

    @Test("another response, other headers, no error")
    func others() async throws {
        let outcome = await test.when(ada)
        let other = try WorkflowID("other")
        let response = await message(of: WorkflowTestError.self) { try outcome.thenReturns(other) }
        #expect(response?.contains("Expected: WorkflowID: other\n  Actual:   WorkflowID: \(firstID)") == true)
        let headers = await message(of: WorkflowTestError.self) { try outcome.thenHeaders([:]) }
        #expect(headers?.contains("Expected:\n    (none)\n  Actual:\n    tenant: acme") == true)
        let success = await message(of: WorkflowTestError.self) { try outcome.thenThrows(InvitationError.self) }
        #expect(success?.contains("Invite succeeded where an error was expected.\n  Expected: InvitationError") == true)
        #expect(throws: WorkflowTestError.self) { try outcome.thenThrows { _ in } }
        #expect(throws: InvitationError.self) { try outcome.thenEmits { _ in throw InvitationError(reason: "check") } }
    }

    @Test("another error, by type and by value")
    func otherError() async throws {
        let outcome = await test.when(Invite(email: "taken@example.org"))
        let type = await message(of: WorkflowTestError.self) { try outcome.thenThrows(OtherError.self) }
        #expect(type?.contains("Expected: OtherError\n  Actual:   InvitationError") == true)
        let value = await message(of: WorkflowTestError.self) {
            try outcome.thenThrows(InvitationError(reason: "other"))
        }
        #expect(value?.contains(#"Expected: InvitationError(reason: "other")"#) == true)
    }

    // MARK: - Encoding

    struct Lossy: Event, Equatable {
        typealias Process = InvitationWorkflow
        var kept: Int
        var lost = 0
        enum CodingKeys: CodingKey { case kept }
    }

    struct Unequatable: Event {
        typealias Process = InvitationWorkflow
        var value: Int

        init(value: Int) { self.value = value }

        init(from decoder: any Decoder) throws {
            value = try decoder.singleValueContainer().decode(Int.self) + 1
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }

    struct Unencodable: Event, Equatable {
        typealias Process = InvitationWorkflow
        var value = Double.infinity
    }

    /// Loses what its text does not show, as dates lose their milliseconds.
    struct Hiding: Event, Equatable, CustomStringConvertible {
        typealias Process = InvitationWorkflow
        var hidden = 1
        var description: String { "Hiding" }
        enum CodingKeys: CodingKey {}

        init() {}
        init(from decoder: any Decoder) throws { hidden = 0 }
        func encode(to encoder: any Encoder) throws { _ = encoder.container(keyedBy: CodingKeys.self) }
    }

    @Test("events that are not the same after encoding are named, others are not")
    func encoding() async throws {
        let test = WorkflowTest(Remind.self, in: InvitationWorkflow.self) { _, workflow in
            workflow.emit(NoteTaken(text: "fine"))
            workflow.emit(Lossy(kept: 1, lost: 2))
            workflow.emit(Unequatable(value: 1))
            workflow.emit(Unencodable())
            workflow.emit(Hiding())
            return ""
        }
        let outcome = await test.when(Remind())
        let text = await message(of: WorkflowTestError.self) { try outcome.thenEventsSurviveEncoding() }
        #expect(text?.contains("1. NoteTaken") == false)
        #expect(text?.contains("2. Lossy(kept: 1, lost: 2) became\n       Lossy(kept: 1, lost: 0)") == true)
        #expect(text?.contains("3. Unequatable(value: 1) became\n       Unequatable(value: 2)") == true)
        #expect(text?.contains("4. Unencodable(value: inf) threw\n       eventStreaming.encodingFailed") == true)
        #expect(text?.contains("5. Hiding became\n       Hiding\n       which looks the same, by way of {}") == true)
    }
}
