import EventStreaming
import EventStreamingInMemory
import EventStreamingTesting
import Testing

@Suite("Services and their streams", .timeLimit(.minutes(5)))
struct ServiceTests {
    private enum HTTPRequestWorkflow: Workflow {}
    private enum UserV2: Workflow {}
    private enum Named: Workflow {
        static let streamName = "chosen"
    }

    @Test func streamsAreNamedAfterTheirWorkflowByDefault() async throws {
        let streaming = try EventStreaming { streaming in
            streaming.addStream(HTTPRequestWorkflow.self)
            streaming.addStream(UserV2.self)
            streaming.addStream(Named.self)
            streaming.addStream(OrderWorkflow.self)
            streaming.addStream(NoteWorkflow.self) { $0.name = "notes" }
        }
        for name in ["http-request-events", "user-v2-events", "chosen", "order-events", "notes"] {
            #expect(try await streaming.metadata(of: name).name.rawValue == name)
        }
        await Workbench.refusal(.unknownStream, saying: "'note-events'", "addStream") {
            try await streaming.metadata(of: "note-events")
        }
    }

    @Test func streamsAreQueuesUnlessTheyAreLogs() async throws {
        let streaming = try EventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addStream(NoteWorkflow.self) { $0.type = .persistent }
        }
        #expect(try await streaming.metadata(of: "order-events").type == .ephemeral)
        #expect(try await streaming.metadata(of: "note-events").type == .persistent)
    }

    @Test func everySubscriptionHasAStreamOfDeadLetters() async throws {
        let streaming = try Workbench.service { streaming in
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        }
        #expect(try await streaming.metadata(of: "mail-dead-letters").type == .persistent)
        #expect(try await streaming.deadLetters(of: "mail").isEmpty)
    }

    @Test func twoServicesInOneProcessAreIndependent() async throws {
        let first = try Workbench.service { $0.commands.add(PlaceOrdersHandler()) }
        let second = try Workbench.service { streaming in
            streaming.commands.on(PlaceOrders.self, in: OrderWorkflow.self) { _, workflow in
                workflow.emit(OrderPlaced(number: -1))
                return WorkflowSight(workflow)
            }
        }
        _ = try await first.commands.send(PlaceOrders(numbers: [1, 2, 3]))
        _ = try await second.commands.send(PlaceOrders(numbers: [1, 2, 3]))
        let stored = Workbench.values(OrderPlaced.self, in: try await second.read(Workbench.orders))
        #expect(try await first.metadata(of: Workbench.orders).head == StreamOffset(3))
        #expect(stored == [OrderPlaced(number: -1)])

        try await withEventStreaming(first) { _ in }
        await Workbench.refusal(.shutDown) { try await first.emitter.emit(OrderPlaced(number: 4)) }
        try await Workbench.expectWorking(second)
    }

    @Test func aStorageMakesAStoreForEveryService() async throws {
        let storage = EventStreamingStorage.inMemory
        let (first, second) = (try Workbench.service(storage: storage), try Workbench.service(storage: storage))
        try await first.emitter.emit(OrderPlaced(number: 1))
        #expect(try await second.metadata(of: Workbench.orders).head == .zero)
    }

    @Test func theServicesClockIsTheStores() async throws {
        let clock = ManualClock()
        let streaming = try Workbench.service { $0.options.clock = clock }
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        clock.advance(by: .seconds(90))
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        let times = try await streaming.read(Workbench.orders).map(\.timestamp)
        #expect(times[1] - times[0] == .seconds(90))
        #expect(times[1] == clock.now)
    }

    // MARK: - A shared store

    @Test func servicesWithOneStoreShareStreamsAndPositions() async throws {
        let store = InMemoryEventStreamStore()
        let declare: (inout EventStreamingBuilder) -> Void = { streaming in
            streaming.addSubscription("all") { $0.stream(OrderWorkflow.self) }
            streaming.addSubscription("work") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
            }
        }
        let first = try Workbench.service(storage: .inMemory(store), configure: declare)
        let second = try Workbench.service(storage: .inMemory(store), configure: declare)
        try await first.emitter.emit((1...4).map { OrderPlaced(number: $0) })
        #expect(try await second.metadata(of: Workbench.orders).head == StreamOffset(4))

        #expect(try await numbers(first, "work", 2) == [1, 2])
        #expect(try await numbers(second, "work", 2) == [3, 4])
        #expect(try await numbers(first, "all", 4) == [1, 2, 3, 4])
        #expect(try await numbers(second, "all", 4) == [1, 2, 3, 4])
    }

    @Test func anotherServicesEventWakesAConsumer() async throws {
        let store = InMemoryEventStreamStore()
        let declare: (inout EventStreamingBuilder) -> Void = { streaming in
            streaming.addSubscription("all") { $0.stream(OrderWorkflow.self) }
        }
        let consumer = try Workbench.service(storage: .inMemory(store), configure: declare)
        let producer = try Workbench.service(storage: .inMemory(store), configure: declare)
        try await consumer.withSubscription(to: "all") { deliveries in
            async let seen = deliveries.first { _ in true }
            try await producer.emitter.emit(OrderPlaced(number: 5))
            #expect(try await seen?.event as? OrderPlaced == OrderPlaced(number: 5))
        }
    }

    @Test func theEndOfOneServiceDoesNotEndTheSharedStore() async throws {
        let store = InMemoryEventStreamStore()
        let first = try Workbench.service(storage: .inMemory(store))
        let second = try Workbench.service(storage: .inMemory(store))
        try await withEventStreaming(first) { try await $0.emitter.emit(OrderPlaced(number: 1)) }
        #expect(try await second.metadata(of: Workbench.orders).head == StreamOffset(1))
        try await Workbench.expectWorking(second)
    }

    @Test func servicesThatDisagreeAboutASharedStreamAreTold() async throws {
        let store = InMemoryEventStreamStore()
        let first = try Workbench.service(storage: .inMemory(store))
        let second = try EventStreaming(storage: .inMemory(store)) { $0.addStream(OrderWorkflow.self) }
        try await Workbench.expectWorking(first)
        for _ in 1...2 {
            await Workbench.refusal(.streamConflict, saying: Workbench.orders) {
                try await second.emitter.emit(OrderPlaced(number: 1))
            }
        }
        try await Workbench.expectWorking(first)
    }

    /// The next `count` orders, acknowledged.
    private func numbers(_ streaming: EventStreaming, _ subscription: String, _ count: Int) async throws -> [Int] {
        try await streaming.withSubscription(to: subscription) { deliveries in
            var numbers: [Int] = []
            for try await delivery in deliveries {
                numbers.append(try #require(delivery.event(as: OrderPlaced.self)).number)
                try await delivery.acknowledge()
                if numbers.count == count { break }
            }
            return numbers
        }
    }
}
