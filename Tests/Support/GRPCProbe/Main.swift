import EventStreaming
import EventStreamingGRPC
import EventStreamingSQLite
import Foundation

/// The process that tests of gRPC kill: a server, or a client that holds events.
///
///     GRPCProbe serve <file> <lease in seconds>    serves a store in SQLite; says `port <number>`
///     GRPCProbe hold <port> <consumer>             takes one batch and finishes nothing; says `got <number>` of each event
///
/// Both run until standard input ends. A server that is sent the line `position` says `position <number>`: up to where its
/// queue is finished. A client that is sent the line `acknowledge` finishes its batch, and says `done` or `refused <code>`.
@main
struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else { throw UsageError() }
        if arguments[1] == "serve", let lease = Double(arguments[3]) {
            try await serve(arguments[2], lease: .seconds(lease))
        } else if arguments[1] == "hold", let port = Int(arguments[2]) {
            try await hold(port: port, as: arguments[3])
        } else {
            throw UsageError()
        }
    }

    @concurrent
    private static func serve(_ file: String, lease: Duration) async throws {
        let streaming = try EventStreaming(storage: .sqlite(path: file)) { streaming in
            streaming.addStream(ShopWorkflow.self) { $0.type = .persistent }
            streaming.addSubscription("queue") { subscription in
                subscription.stream(ShopWorkflow.self)
                subscription.mode = .exclusive
                subscription.retry.initialDelay = .zero
                subscription.retry.maximumAttempts = 1000
                subscription.visibilityTimeout = lease
                subscription.consumerTimeout = lease
            }
            streaming.addSubscription("news") { subscription in
                subscription.stream(ShopWorkflow.self)
                subscription.mode = .broadcast
            }
        }
        let server = GRPCEventDeliveryProvider(streaming) { $0.port = 0 }
        try await withEventStreaming(streaming) { streaming in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                if let port = await server.port {
                    say("port \(port)")
                }
                for await line in InputLines.all where line == "position" {
                    let position = try await streaming.progress(of: "queue").first?.position.rawValue ?? 0
                    say("position \(position)")
                }
                server.beginShutdown()
                try await group.waitForAll()
            }
        }
    }

    @concurrent
    private static func hold(port: Int, as consumer: String) async throws {
        let client = try GRPCEventClient(GRPCClientOptions(host: "127.0.0.1", port: port)) { client in
            client.addEvent(OrderPlaced.self)
        }
        try await withGRPCEventClient(client) { client in
            for try await batch in try client.subscribe(to: "queue", as: consumer).batches {
                for delivery in batch {
                    if let order = delivery.event(as: OrderPlaced.self) { say("got \(order.number)") }
                }
                for await line in InputLines.all where line == "acknowledge" {
                    do {
                        try await batch.acknowledge()
                        say("done")
                    } catch {
                        say("refused \((error as? EventStreamingError).map { "\($0.code)" } ?? "\(error)")")
                    }
                }
                return
            }
        }
    }

    /// Writes a line at once: what the program has said must not be lost with it.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

private struct UsageError: Error, CustomStringConvertible {
    let description = "usage: GRPCProbe serve <file> <lease in seconds> | hold <port> <consumer>"
}
