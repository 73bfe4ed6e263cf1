import EventStreamingCore
import Testing

private struct UserWorkflow: Workflow {}
private struct HTTPRequestWorkflow: Workflow {}
private struct OrderShipping: Workflow {}
private struct UserV2: Workflow {}
private struct A: Workflow {}
private struct ABWorkflow: Workflow {}
// The names are what is tested.
// swift-format-ignore: AlwaysUseLowerCamelCase, TypeNamesShouldBeCapitalized
private struct user_Login_Workflow: Workflow {}
private struct Box<Content>: Workflow {}
private struct Named: Workflow {
    static let streamName = "something-else"
}

private enum Namespace {
    struct Workflow: EventStreamingCore.Workflow {}
    struct InviteWorkflow: EventStreamingCore.Workflow {}
}

@Suite("Workflow")
struct WorkflowTests {
    @Test(
        "the stream's name is made from the type's",
        arguments: [
            (UserWorkflow.self, "user-events"), (HTTPRequestWorkflow.self, "http-request-events"),
            (OrderShipping.self, "order-shipping-events"), (UserV2.self, "user-v2-events"), (A.self, "a-events"),
            (ABWorkflow.self, "ab-events"), (Namespace.Workflow.self, "workflow-events"),
            (Namespace.InviteWorkflow.self, "invite-events"), (Named.self, "something-else"),
        ] as [(any Workflow.Type, String)]
    )
    func streamName(type: any Workflow.Type, expected: String) throws {
        #expect(type.streamName == expected)
        #expect(try StreamName(type.streamName).rawValue == expected)
    }

    @Test("underscores become hyphens")
    func underscores() throws {
        #expect(user_Login_Workflow.streamName.hasPrefix("user-login"))
        #expect(throws: Never.self) { try StreamName(user_Login_Workflow.streamName) }
    }

    @Test("a generic type needs a name of its own")
    func generic() {
        #expect(throws: EventStreamingError.self) { try StreamName(Box<Int>.streamName) }
    }
}
