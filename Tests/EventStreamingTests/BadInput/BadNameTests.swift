import EventStreaming
import Testing

@Suite("Names from outside", .timeLimit(.minutes(5)))
struct BadNameTests {
    private let streaming: EventStreaming

    init() throws {
        streaming = try Workbench.service { streaming in
            streaming.commands.add(PlaceOrdersHandler())
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        }
    }

    /// Expects code `invalidName`, a message that says what is allowed, and none of the name's dangers in it.
    private func expectRefused(
        _ name: String,
        _ kind: String,
        at location: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async {
        let error = await Workbench.refusal(
            .invalidName, saying: "not a valid \(kind)", "use 1 to 200", at: location, body)
        let message = error?.message ?? ""
        #expect(message.utf8.count < 600, sourceLocation: location)
        let hasControls = message.unicodeScalars.contains { $0.properties.generalCategory == .control }
        #expect(!hasControls, "\(message)", sourceLocation: location)
    }

    @Test(arguments: BadName.all)
    func namesOfStreams(_ bad: BadName) async throws {
        let name = bad.text
        await expectRefused(name, "stream name") { _ = try await streaming.metadata(of: name) }
        await expectRefused(name, "stream name") { _ = try await streaming.read(name) }
        await expectRefused(name, "stream name") { try await streaming.trim(name, before: .zero) }
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: BadName.all)
    func namesOfSubscriptions(_ bad: BadName) async throws {
        let name = bad.text
        let kind = "subscription name"
        await expectRefused(name, kind) { _ = try streaming.subscribe(to: name) }
        await expectRefused(name, kind) { _ = try streaming.subscribe(to: name, as: "mailer") }
        await expectRefused(name, kind) { try await streaming.withSubscription(to: name) { _ in } }
        await expectRefused(name, kind) { _ = try await streaming.progress(of: name) }
        await expectRefused(name, kind) { _ = try await streaming.consumers(of: name) }
        await expectRefused(name, kind) { try await streaming.removeConsumer("mailer", of: name) }
        await expectRefused(name, kind) { _ = try await streaming.deadLetters(of: name) }
        await expectRefused(name, kind) { try await streaming.redriveDeadLetters(of: name) }
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: BadName.all)
    func namesOfConsumers(_ bad: BadName) async throws {
        let name = bad.text
        let kind = "consumer name"
        await expectRefused(name, kind) { _ = try streaming.subscribe(to: "mail", as: name) }
        await expectRefused(name, kind) { try await streaming.withSubscription(to: "mail", as: name) { _ in } }
        await expectRefused(name, kind) { try await streaming.removeConsumer(name, of: "mail") }
        #expect(try await streaming.consumers(of: "mail").isEmpty)
        try await Workbench.expectWorking(streaming)
    }

    @Test(arguments: ["mailer", "ada@example.org", "a:b+c_d.e-f", "1", String(repeating: "x", count: 200)])
    func goodNamesOfConsumers(_ name: String) async throws {
        try await streaming.withSubscription(to: "mail", as: name) { _ in
            let names = try await streaming.consumers(of: "mail").map(\.id.rawValue)
            #expect(names == [name])
        }
        #expect(try await streaming.removeConsumer(name, of: "mail"))
    }

    @Test(arguments: BadName.workflowIDs)
    func idsOfWorkflows(_ bad: BadName) async throws {
        let error = await Workbench.refusal(.invalidName, saying: "not a valid workflow id") {
            try WorkflowID(bad.text)
        }
        #expect((error?.message.utf8.count ?? .max) < 600)
        #expect(error?.message.contains("use 1 to 200 bytes") == true || error?.message.contains("leave out") == true)
        try await Workbench.expectWorking(streaming)
    }

    // MARK: - Names that nobody has

    @Test func unknownStreams() async throws {
        for name in ["nowhere", "order-event", "ORDER-EVENTS", "mail"] {
            await Workbench.refusal(.unknownStream, saying: "'\(name)'", "addStream") {
                try await streaming.metadata(of: name)
            }
            await Workbench.refusal(.unknownStream, saying: "'\(name)'") { try await streaming.read(name) }
            await Workbench.refusal(.unknownStream, saying: "'\(name)'") {
                try await streaming.trim(name, before: StreamOffset(1))
            }
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test func unknownSubscriptions() async throws {
        let said = ("'post'", "addSubscription")
        await Workbench.refusal(.unknownSubscription, saying: said.0, said.1) { try streaming.subscribe(to: "post") }
        await Workbench.refusal(.unknownSubscription, saying: said.0, said.1) {
            try streaming.subscribe(to: "post", as: "mailer", from: .latest)
        }
        await Workbench.refusal(.unknownSubscription, saying: said.0, said.1) {
            try await streaming.withSubscription(to: "post") { _ in }
        }
        await Workbench.refusal(.unknownSubscription, saying: said.0) { try await streaming.progress(of: "post") }
        await Workbench.refusal(.unknownSubscription, saying: said.0) { try await streaming.consumers(of: "post") }
        await Workbench.refusal(.unknownSubscription, saying: said.0) { try await streaming.deadLetters(of: "post") }
        await Workbench.refusal(.unknownSubscription, saying: said.0) {
            try await streaming.redriveDeadLetters(of: "post")
        }
        await Workbench.refusal(.unknownSubscription, saying: said.0) {
            try await streaming.removeConsumer("mailer", of: "post")
        }
        try await Workbench.expectWorking(streaming)
    }

    @Test func aConsumerThatDoesNotExistCannotBeRemovedWhichIsNoError() async throws {
        #expect(try await !streaming.removeConsumer("nobody", of: "mail"))
    }
}
