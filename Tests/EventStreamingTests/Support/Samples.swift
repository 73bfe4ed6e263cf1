import EventStreaming

/// Orders are the process under test; notes are another one, for events that do not belong.
enum OrderWorkflow: Workflow {}

struct OrderPlaced: Event, Equatable {
    typealias Process = OrderWorkflow
    var number: Int
    var note = ""
}

struct OrderShipped: Event, Equatable {
    typealias Process = OrderWorkflow
    var number: Int
}

enum NoteWorkflow: Workflow {}

struct NoteTaken: Event, Equatable {
    typealias Process = NoteWorkflow
    var text: String
}

struct PlaceOrder: Command {
    typealias Response = WorkflowID
    var number: Int
}

struct ShipOrder: WorkflowCommand {
    var workflowID: WorkflowID?
    var number: Int
}

struct PlaceOrderHandler: WorkflowCommandHandler {
    func handle(
        _ command: PlaceOrder,
        in workflow: inout WorkflowContext<OrderWorkflow>
    ) async throws -> WorkflowID {
        workflow.emit(OrderPlaced(number: command.number))
        return workflow.id
    }
}

struct ShipOrderHandler: WorkflowCommandHandler {
    func handle(_ command: ShipOrder, in workflow: inout WorkflowContext<OrderWorkflow>) async throws {
        workflow.emit(OrderShipped(number: command.number))
    }
}

struct Failure: Error, Equatable {
    var reason = "on purpose"
}
