import EventStreaming
import Testing

private struct OrderMoved: Event, Equatable {
    typealias Process = OrderWorkflow
    static let version = 2
    var number: Int
}

@Suite("Stores that keep bytes", .timeLimit(.minutes(5)))
struct EncodedPayloadTests {
    private let store = EncodingStore()
    private let streaming: EventStreaming
    private let orders: StreamName

    init() throws {
        orders = try StreamName(Workbench.orders)
        streaming = try EventStreaming(storage: store.storage) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addEvent(OrderPlaced.self)
            streaming.addEvent(OrderMoved.self)
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
            streaming.addSubscription("once") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.semantics = .atMostOnce
            }
            streaming.commands.add(PlaceOrderHandler())
        }
    }

    /// The events of the next `count` deliveries.
    private func events(_ count: Int, of subscription: String = "mail") async throws -> [any Event] {
        try await streaming.withSubscription(to: subscription, as: "reader") { deliveries in
            var events: [any Event] = []
            for try await delivery in deliveries {
                events.append(delivery.event)
                try await delivery.acknowledge()
                if events.count == count { break }
            }
            return events
        }
    }

    private func bytes(_ records: [StoredEvent]) -> [String] {
        records.compactMap { record in
            if case .encoded(let bytes) = record.payload { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    @Test func eventsAreStoredAsBytesAndComeOutAsValues() async throws {
        let id = try await streaming.commands.send(PlaceOrder(number: 1))
        try await streaming.emitter.emit([OrderMoved(number: 2), OrderMoved(number: 3)])
        let records = try await streaming.read(Workbench.orders)
        #expect(bytes(records) == [#"{"note":"","number":1}"#, #"{"number":2}"#, #"{"number":3}"#])
        #expect(records.map(\.size) == [22, 12, 12])
        #expect(records.map(\.type.description) == ["OrderPlaced", "OrderMoved v2", "OrderMoved v2"])
        #expect(records.map(\.correlationID) == [id, nil, nil])

        for subscription in ["mail", "once"] {
            let events = try await events(3, of: subscription)
            #expect(events[0] as? OrderPlaced == OrderPlaced(number: 1))
            #expect(events[1] as? OrderMoved == OrderMoved(number: 2))
            #expect(events[2] as? OrderMoved == OrderMoved(number: 3))
        }
    }

    @Test func aRepetitionIsRecognisedByItsBytes() async throws {
        let id = MessageID(high: 7, low: 7)
        let first = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        let again = try await streaming.emitter.emit(OrderPlaced(number: 1), id: id)
        #expect(again.isDuplicate && again.offsets == first.offsets)
        await Workbench.refusal(.eventIDConflict) { try await streaming.emitter.emit(OrderPlaced(number: 2), id: id) }
    }

    @Test func whatCannotBeStoredAsBytesIsRefusedBefore() async throws {
        await Workbench.refusal(.encodingFailed, saying: "StubbornEvent") {
            try await streaming.emitter.emit(StubbornEvent())
        }
        await Workbench.refusal(.encodingFailed, saying: "OrderWeighed") {
            try await streaming.emitter.emit(OrderWeighed(kilograms: .nan))
        }
        await Workbench.refusal(.payloadTooLarge, saying: "OrderPlaced", "1000000", "raise") {
            let note = String(repeating: "x", count: 1_000_000)
            try await streaming.emitter.emit(OrderPlaced(number: 1, note: note))
        }
        #expect(try await streaming.metadata(of: Workbench.orders).head == .zero)
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        #expect(try await events(1).first as? OrderPlaced == OrderPlaced(number: 2))
    }

    // MARK: - What was not declared

    @Test func aTypeThatTheProcessHasEmittedIsKnown() async throws {
        try await streaming.emitter.emit(OrderShipped(number: 3))
        #expect(try await events(1).first as? OrderShipped == OrderShipped(number: 3))
    }

    @Test func aTypeThatIsHandledOrIncludedIsKnown() async throws {
        try await plantShipped(4)
        let (seen, continuation) = AsyncStream.makeStream(of: Int.self)
        let streaming = try EventStreaming(storage: store.storage) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addSubscription("handled") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.handle(OrderShipped.self) { event, _ in continuation.yield(event.number) }
            }
        }
        try await withEventStreaming(streaming) { _ in
            var numbers = seen.makeAsyncIterator()
            #expect(await numbers.next() == 4)
        }
    }

    /// An event of a type that the service does not know, as another process may have emitted it.
    private func plantShipped(_ number: Int) async throws {
        _ = try await streaming.metadata(of: Workbench.orders)
        let bytes = try JSONEventCodec().encode(OrderShipped(number: number))
        try await store.plant(bytes, as: EventType(OrderShipped.self), in: orders)
    }

    // MARK: - What cannot be decoded

    @Test func anUnregisteredTypeGoesToTheDeadLettersAndItsNeighboursAreDelivered() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await plantShipped(1)
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        let delivered = try await events(2)
        #expect(delivered.map { ($0 as? OrderPlaced)?.number } == [1, 2])

        let letters = try await streaming.deadLetters(of: "mail")
        #expect(letters.map(\.event.offset) == [StreamOffset(1)])
        let letter = try #require(letters.first)
        #expect(letter.reason.contains("'OrderShipped'") && letter.reason.contains("addEvent"), "\(letter.reason)")
        #expect(letter.attempts == 1)
        #expect(bytes([letter.event]) == [#"{"number":1}"#], "The bytes are kept for later.")
        #expect(try await streaming.progress(of: "mail").map(\.isFinished) == [true])
    }

    @Test func anotherVersionIsAnotherType() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await store.plant(Array(#"{"number":1}"#.utf8), as: EventType(name: "OrderMoved", version: 3), in: orders)
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        #expect(try await events(2).map { ($0 as? OrderPlaced)?.number } == [1, 2])
        let letter = try #require(try await streaming.deadLetters(of: "mail").first)
        #expect(letter.reason.contains("OrderMoved v3"))
    }

    @Test(arguments: [[], [0xFF], Array("{".utf8), Array(#"{"number":"one","note":""}"#.utf8)] as [[UInt8]])
    func bytesThatCannotBeDecodedGoToTheDeadLettersAndTheirNeighboursAreDelivered(_ planted: [UInt8]) async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await store.plant(planted, as: EventType(OrderPlaced.self), in: orders)
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        #expect(try await events(2).map { ($0 as? OrderPlaced)?.number } == [1, 2])
        let letters = try await streaming.deadLetters(of: "mail")
        #expect(letters.map(\.event.offset) == [StreamOffset(1)])
        #expect(letters.first?.reason.contains("OrderPlaced") == true)
        #expect(letters.first?.reason.contains("version") == true)
        #expect(bytes(letters.map(\.event)) == [String(decoding: planted, as: UTF8.self)])
    }

    @Test func aLeaseInWhichNothingCanBeDecodedDoesNotStopTheConsumer() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 0))
        for number in 0..<300 {
            try await store.plant([UInt8(number % 256)], as: EventType(OrderPlaced.self), in: orders)
        }
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        #expect(try await events(2).last as? OrderPlaced == OrderPlaced(number: 1))
        #expect(try await streaming.deadLetters(of: "mail", limit: 1000).count == 300)
    }

    @Test func atMostOnceWhatCannotBeDecodedIsPassedOver() async throws {
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await store.plant([0], as: EventType(OrderPlaced.self), in: orders)
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        #expect(try await events(2, of: "once").map { ($0 as? OrderPlaced)?.number } == [1, 2])
        #expect(try await streaming.deadLetters(of: "once").isEmpty)
    }

    @Test func aHandlerNeverSeesWhatCannotBeDecoded() async throws {
        let (seen, continuation) = AsyncStream.makeStream(of: Int.self)
        let store = store
        let streaming = try EventStreaming(storage: store.storage) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addEvent(OrderPlaced.self)
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.handle { delivery in
                    continuation.yield(delivery.event(as: OrderPlaced.self)?.number ?? -1)
                }
            }
        }
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        try await store.plant([0], as: EventType(OrderPlaced.self), in: orders)
        try await plantShipped(1)
        try await streaming.emitter.emit(OrderPlaced(number: 2))
        try await withEventStreaming(streaming) { _ in
            var numbers = seen.makeAsyncIterator()
            #expect(await numbers.next() == 1)
            #expect(await numbers.next() == 2)
        }
        #expect(try await streaming.deadLetters(of: "mail").count == 2)
    }

    @Test func aServiceThatKnowsTheTypeGetsADeadLetterAgain() async throws {
        try await plantShipped(9)
        try await streaming.emitter.emit(OrderPlaced(number: 1))
        #expect(try await events(1).first as? OrderPlaced == OrderPlaced(number: 1))

        let wiser = try EventStreaming(storage: store.storage) { streaming in
            streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
            streaming.addEvent(OrderShipped.self)
            streaming.addSubscription("mail") { $0.stream(OrderWorkflow.self) }
        }
        #expect(try await wiser.redriveDeadLetters(of: "mail") == 1)
        try await wiser.withSubscription(to: "mail", as: "reader") { deliveries in
            let first = try await deliveries.first { _ in true }
            #expect(first?.event(as: OrderShipped.self) == OrderShipped(number: 9))
        }
    }
}
