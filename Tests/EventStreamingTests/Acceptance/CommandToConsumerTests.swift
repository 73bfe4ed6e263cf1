import EventStreaming
import Testing

@Suite("A command reaches its consumers", .timeLimit(.minutes(5)))
struct SmokeTests {
    @Test func commandToConsumer() async throws {
        let streaming = try EventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.mode = .exclusive
            }
            streaming.commands.add(PlaceOrderHandler())
            streaming.commands.add(ShipOrderHandler())
        }
        let id = try await streaming.commands.send(PlaceOrder(number: 1))
        try await streaming.commands.send(ShipOrder(workflowID: id, number: 1))
        var seen: [any Event] = []
        for try await delivery in try streaming.subscribe(to: "mail", as: "mailer") {
            seen.append(delivery.event)
            #expect(delivery.workflowID == id)
            if seen.count == 2 { break }
        }
        #expect(seen.first as? OrderPlaced == OrderPlaced(number: 1))
        #expect(seen.last as? OrderShipped == OrderShipped(number: 1))
    }

    @Test func handlersRunWithTheService() async throws {
        let (handled, continuation) = AsyncStream.makeStream(of: Int.self)
        let streaming = try EventStreaming { streaming in
            streaming.addStream(OrderWorkflow.self)
            streaming.addSubscription("mail") { subscription in
                subscription.stream(OrderWorkflow.self)
                subscription.handle(OrderPlaced.self) { event, _ in continuation.yield(event.number) }
            }
        }
        try await withEventStreaming(streaming) { streaming in
            try await streaming.emitter.emit((1...1000).map { OrderPlaced(number: $0) })
            var next = 1
            for await number in handled {
                #expect(number == next)
                next += 1
                if number == 1000 { break }
            }
        }
    }
}
