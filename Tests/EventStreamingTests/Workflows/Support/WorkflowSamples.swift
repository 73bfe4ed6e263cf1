import EventStreaming

/// How a handler sees the workflow it works in.
struct WorkflowSight: Sendable, Equatable {
    var id: WorkflowID
    var isNew: Bool
    var causationID: MessageID

    init(_ workflow: borrowing WorkflowContext<OrderWorkflow>) {
        id = workflow.id
        isNew = workflow.isNew
        causationID = workflow.causationID
    }
}

/// Places many orders in one workflow, new or continued.
struct PlaceOrders: WorkflowCommand {
    typealias Response = WorkflowSight
    var workflowID: WorkflowID?
    var numbers: [Int]
}

struct PlaceOrdersHandler: WorkflowCommandHandler {
    func handle(
        _ command: PlaceOrders,
        in workflow: inout WorkflowContext<OrderWorkflow>
    ) async throws -> WorkflowSight {
        for number in command.numbers {
            workflow.emit(OrderPlaced(number: number))
        }
        return WorkflowSight(workflow)
    }
}

/// Emits an order and then does whatever the test wants.
struct TryOrder: Command {
    typealias Response = String
    var number: Int
}

/// Has a response, and emits nothing.
struct CountWords: Command {
    typealias Response = Int
    var text: String
}

struct TakeNote: WorkflowCommand {
    typealias Response = MessageID
    var workflowID: WorkflowID?
    var text: String
}

struct TakeNoteHandler: WorkflowCommandHandler {
    func handle(_ command: TakeNote, in workflow: inout WorkflowContext<NoteWorkflow>) async throws -> MessageID {
        workflow.emit(NoteTaken(text: command.text))
        return workflow.causationID
    }
}

struct FindWord: Query {
    typealias Response = String?
    var text: String
}
