// Health: how a subscription does, why, and since when.
import EventStreaming

struct OrderWorkflow: Workflow {}

struct OrderPlaced: Event {
    typealias Process = OrderWorkflow
    var number: Int
}

let streaming = try EventStreaming { streaming in
    streaming.addStream(OrderWorkflow.self) { $0.type = .persistent }
    streaming.addSubscription("billing") { subscription in
        subscription.stream(OrderWorkflow.self)
        subscription.mode = .exclusive
        subscription.health.lagEvents = 1000
        subscription.health.lagTime = .seconds(30)
        subscription.health.stallTime = .seconds(120)
        subscription.handle(OrderPlaced.self) { order, _ in
            print("order \(order.number)")
        }
    }
}

func look(_ streaming: EventStreaming) async {
    let report = await streaming.health()
    print(report.status)
    for health in report.subscriptions where health.status != .ok {
        print("\(health.subscription) is \(health.status) since \(health.since): \(health.message)")
        if case .handlerBusy(let held) = health.cause {
            print("look at \(held.consumer), which has offset \(held.offset) in attempt \(held.attempt)")
        }
    }
}

// Nobody consumes it yet.
await look(streaming)
try await withEventStreaming(streaming) { streaming in
    try await streaming.emitter.emit(OrderPlaced(number: 1))
    while try await !streaming.progress(of: "billing").allSatisfy(\.isFinished) {
        await Task.yield()
    }
    let health = try await streaming.health(of: "billing")
    precondition(health.status == .ok)
    await look(streaming)
}
