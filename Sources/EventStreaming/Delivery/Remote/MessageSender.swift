package import EventStreamingCore

/// Takes commands and queries to a service elsewhere, by name, as JSON.
package protocol MessageSender: Sendable {
    /// Sends a command; returns its response.
    ///
    /// - Throws: what the service answers; `storeUnavailable` and `timedOut` where it is not known what became of it.
    func send(command name: String, _ body: [UInt8], idempotencyKey: String?) async throws(EventStreamingError)
        -> [UInt8]

    /// Asks a query; returns its response.
    ///
    /// - Throws: what the service answers; `storeUnavailable` and `timedOut`.
    func ask(query name: String, _ body: [UInt8]) async throws(EventStreamingError) -> [UInt8]
}
