package import CQRS
package import EventStreamingCore

/// Gathers what a client declares.
package struct DeliveryClientBuilder: ~Copyable {
    package var options = EventStreamingOptions()
    package var reconnects = ReconnectPolicy()
    package var prefetch = 256
    var eventTypes: [any Event.Type] = []
    var streams: [(workflow: any Workflow.Type, name: String)] = []
    var commands: [@Sendable (inout CommandBusBuilder, any MessageSender) -> Void] = []
    var queries: [@Sendable (inout QueryBusBuilder, any MessageSender) -> Void] = []

    package init() {}

    package mutating func addEvent<E: Event>(_ type: E.Type) {
        eventTypes.append(type)
    }

    package mutating func addStream<W: Workflow>(_ workflow: W.Type, _ name: String) {
        streams.append((workflow, name))
    }

    package mutating func addCommand<C: Command & Encodable>(_ type: C.Type) where C.Response: Codable {
        addCommand(type) { (response) throws(EventStreamingError) in
            try JSONText.decode(C.Response.self, from: response, as: "response of \(C.commandName)")
        }
    }

    package mutating func addCommand<C: Command & Encodable>(_ type: C.Type) where C.Response == Void {
        addCommand(type) { (_) throws(EventStreamingError) in }
    }

    private mutating func addCommand<C: Command & Encodable>(
        _ type: C.Type,
        decode: @escaping @Sendable ([UInt8]) throws(EventStreamingError) -> C.Response
    ) {
        commands.append { bus, sender in
            bus.on(C.self) { command in
                let keyed = KeyedSending.of(C.self)
                keyed?.take()
                let body = try JSONText.encode(command, as: C.commandName)
                return try decode(
                    try await sender.send(command: C.commandName, body, idempotencyKey: keyed?.key.key)
                )
            }
        }
    }

    package mutating func addQuery<Q: Query & Encodable>(_ type: Q.Type) where Q.Response: Decodable {
        queries.append { bus, sender in
            bus.on(Q.self) { query in
                let body = try JSONText.encode(query, as: Q.queryName)
                let response = try await sender.ask(query: Q.queryName, body)
                return try JSONText.decode(Q.Response.self, from: response, as: "response of \(Q.queryName)")
            }
        }
    }
}
