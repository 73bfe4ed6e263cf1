import EventStreamingCore
import Testing

private struct UserWorkflow: Workflow {}

private struct UserInvited: Event {
    typealias Process = UserWorkflow
    var name = ""
}

private struct UserRenamed: Event {
    typealias Process = UserWorkflow
    static let eventType = "user.renamed"
    static let version = 3
    var payloadSize: Int? { 12 }
}

@Suite("Events and their types")
struct EventTypeTests {
    @Test("an event is called as its type, in version 1, and is measured")
    func defaults() {
        #expect(UserInvited.eventType == "UserInvited")
        #expect(UserInvited.version == 1)
        #expect(UserInvited().payloadSize == nil)
        #expect(EventType(UserInvited.self).description == "UserInvited")
    }

    @Test("an event may say otherwise")
    func custom() {
        let type = EventType(UserRenamed.self)
        #expect(type.name == "user.renamed")
        #expect(type.version == 3)
        #expect(type.description == "user.renamed v3")
        #expect(UserRenamed().payloadSize == 12)
    }

    @Test("types are equal by name and version, however they were made")
    func equality() {
        let made = EventType(name: "UserInvited")
        #expect(made == EventType(UserInvited.self))
        #expect(EventType(UserInvited.self) == EventType(UserInvited.self))
        #expect(made != EventType(name: "UserInvited", version: 2))
        #expect(made != EventType(name: "Userinvited"))
        #expect(Set([made, EventType(UserInvited.self), EventType(name: "UserInvited", version: 2)]).count == 2)
    }

    @Test("a type outlives what it was copied from")
    func lifetime() {
        let copies = (0..<100).map { index in
            let type = EventType(name: "Type\(index)", version: index)
            return type
        }
        for (index, type) in copies.enumerated() {
            #expect(type.name == "Type\(index)")
            #expect(type.version == index)
        }
    }

    @Test("many tasks may describe a type at once")
    func concurrency() async {
        let types = await withTaskGroup(of: EventType.self) { group in
            for index in 0..<64 {
                group.addTask { index.isMultiple(of: 2) ? EventType(UserInvited.self) : EventType(UserRenamed.self) }
            }
            return await group.reduce(into: Set<EventType>()) { $0.insert($1) }
        }
        #expect(types.count == 2)
    }

    @Test("an empty context is empty in an event too")
    func context() throws {
        let id = MessageID(high: 1, low: 1)
        let type = EventType(name: "Paid")
        for context in [EventContext.empty, EventContext()] {
            let event = NewEvent(id: id, type: type, payload: .encoded([]), size: 0, context: context)
            let stored = StoredEvent(event, offset: .zero, timestamp: Timestamp(nanosecondsSinceEpoch: 0))
            #expect(stored.headers.isEmpty)
            #expect(stored.correlationID == nil)
            #expect(stored.context.causationID == nil)
        }
        let context = EventContext(correlationID: try WorkflowID("w"), causationID: id, headers: ["a": "b"])
        let event = NewEvent(id: id, type: type, payload: .encoded([]), size: 0, context: context)
        let stored = StoredEvent(event, offset: .zero, timestamp: Timestamp(nanosecondsSinceEpoch: 0))
        #expect(stored.context === context)
        #expect(stored.headers == ["a": "b"])
    }
}
