import EventStreamingCore

/// The declared streams, found by the workflow whose events they keep; fixed when the service starts.
struct StreamCatalog: Sendable {
    private var byWorkflow: [ObjectIdentifier: StreamName] = [:]
    /// The streams whose events may be replayed.
    private(set) var replayable: Set<StreamName> = []
    private(set) var definitions: [StreamDefinition] = []

    /// Whether workflows that were not declared have the stream that they name: true where streams are kept elsewhere.
    var usesNamesOfWorkflows = false

    mutating func add(_ definition: StreamDefinition, isReplayEnabled: Bool) {
        definitions.append(definition)
        if isReplayEnabled {
            replayable.insert(definition.name)
        }
    }

    mutating func add(_ workflow: any Workflow.Type, _ name: StreamName) {
        byWorkflow[ObjectIdentifier(workflow)] = name
    }

    /// The stream of a process's events.
    func stream<Process: Workflow>(of process: Process.Type) throws(EventStreamingError) -> StreamName {
        guard let name = byWorkflow[ObjectIdentifier(process)] else {
            if usesNamesOfWorkflows { return try StreamName(Process.streamName) }
            throw EventStreamingError(
                .unknownStream,
                "\(Process.self) has no stream; declare it with addStream(\(Process.self).self) before it emits events."
            )
        }
        return name
    }
}
