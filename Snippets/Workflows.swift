// Workflows: from a command to the events of a process, and how a process goes on.
import EventStreaming

/// The process. Its stream is "invitation-events" unless it says otherwise.
struct InvitationWorkflow: Workflow {}

/// An event names its workflow; a workflow accepts only its own events. Anything else does not compile.
struct UserInvited: Event {
    typealias Process = InvitationWorkflow
    var email: String
}

struct InviteUser: Command {
    typealias Response = WorkflowID
    var email: String
}

struct InviteUserHandler: WorkflowCommandHandler {
    func handle(
        _ command: InviteUser,
        in workflow: inout WorkflowContext<InvitationWorkflow>
    ) async throws -> WorkflowID {
        workflow.emit(UserInvited(email: command.email))  // Kept pending; committed when this returns.
        return workflow.id
    }
}

struct InvitationAccepted: Event {
    typealias Process = InvitationWorkflow
    var name: String
}

struct AcceptInvitation: WorkflowCommand {
    var workflowID: WorkflowID?
    var name: String
}

struct OrderWorkflow: Workflow {
    static let streamName = "orders"
}

struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    static let eventType = "shop.order-placed"
    var number: Int
}

struct StockWorkflow: Workflow {
    static let streamName = "stock"
}

struct StockAdded: Event {
    typealias Process = StockWorkflow
    var article: String
    var count: Int
}

let streaming = try EventStreaming(storage: .inMemory) { streaming in
    streaming.addStream(InvitationWorkflow.self) { stream in
        stream.type = .persistent
    }
    streaming.addStream(OrderWorkflow.self)
    streaming.addSubscription("welcome-mail") { subscription in
        subscription.stream(InvitationWorkflow.self)
        subscription.mode = .exclusive
    }
    streaming.commands.add(InviteUserHandler())
    streaming.commands.on(AcceptInvitation.self, in: InvitationWorkflow.self) { command, workflow in
        guard !workflow.isNew else { throw UnknownInvitation() }
        workflow.headers["accepted-by"] = "link"
        workflow.emit(InvitationAccepted(name: command.name))
    }
    streaming.addStream(StockWorkflow.self) { $0.type = .persistent }
    streaming.commands.on(AddStock.self, in: StockWorkflow.self) { command, workflow in
        workflow.emit(StockAdded(article: command.article, count: command.count))
        return "receipt for \(workflow.id)"
    }
    streaming.commands.validate(InviteUser.self) { command, violations in
        violations.check(command.email.contains("@"), field: "email", rule: "email", message: "must have an @")
    }
}

struct UnknownInvitation: Error {}
struct Unexpected: Error {}

let id = try await streaming.commands.send(InviteUser(email: "ada@example.org"))  // Typed: a WorkflowID.
try await streaming.commands.send(AcceptInvitation(workflowID: id, name: "Ada"))

try await streaming.emitter.emit(OrderPlaced(number: 4711), in: WorkflowID("order-4711"))

func placeOnce(_ request: MessageID) async throws {
    let result = try await streaming.emitter.emit(OrderPlaced(number: 4712), id: request)
    print("offset \(result.offsets.lowerBound), repeated: \(result.isDuplicate)")
}
try await placeOnce(MessageID(high: 1, low: 1))

struct AddStock: Command, Codable {
    typealias Response = String
    var article: String
    var count: Int
}

/// For a request that its sender repeats until he has the answer, as a payment does: `request` is the same each time.
func addStock(_ command: AddStock, request: String) async throws -> String {
    try await streaming.commands.send(command, idempotencyKey: request)
}
let receipt = try await addStock(AddStock(article: "lamp", count: 3), request: "delivery-note-88")
let again = try await addStock(AddStock(article: "lamp", count: 3), request: "delivery-note-88")
guard again == receipt, try await streaming.metadata(of: "stock").count == 1 else { throw Unexpected() }

do {
    _ = try await streaming.commands.send(InviteUser(email: "nobody"))
} catch let error as ValidationError {
    print(error.violations.map(\.rule))
}

for event in try await streaming.read("invitation-events") {
    print(event.offset, event.type, event.correlationID == id)
}
