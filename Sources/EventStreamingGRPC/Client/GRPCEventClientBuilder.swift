public import CQRS
public import EventStreaming

/// Gathers what a client declares, in the closure of ``GRPCEventClient/init(_:configure:)``.
public struct GRPCEventClientBuilder: ~Copyable {
    /// Settings of the client as a whole. Of the limits, those on payloads and headers hold for what is emitted here; the
    /// server has its own.
    public var options: EventStreamingOptions {
        get { client.options }
        set { client.options = newValue }
    }

    var client = DeliveryClientBuilder()

    init() {}

    /// Makes an event type known, so that it can be received. What is received and not known goes to the dead letters of its
    /// subscription; a type that is only emitted need not be declared.
    public mutating func addEvent<E: Event>(_ type: E.Type) {
        client.addEvent(type)
    }

    /// Says which stream the events of a workflow are emitted to, where it is not `Workflow.streamName`.
    public mutating func addStream<W: Workflow>(_ workflow: W.Type, name: String) {
        client.addStream(workflow, name)
    }

    /// Makes a command known, so that ``GRPCEventClient/commands`` takes it to the server: by its name, as JSON.
    public mutating func addCommand<C: Command & Encodable>(_ type: C.Type) where C.Response: Codable {
        client.addCommand(type)
    }

    /// As for commands with a response.
    public mutating func addCommand<C: Command & Encodable>(_ type: C.Type) where C.Response == Void {
        client.addCommand(type)
    }

    /// Makes a query known, so that ``GRPCEventClient/queries`` takes it to the server: by its name, as JSON.
    public mutating func addQuery<Q: Query & Encodable>(_ type: Q.Type) where Q.Response: Decodable {
        client.addQuery(type)
    }
}
