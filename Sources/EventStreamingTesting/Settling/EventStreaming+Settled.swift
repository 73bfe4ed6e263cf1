public import EventStreaming
import EventStreamingCore

extension EventStreaming {
    /// Waits until subscriptions have finished all events of their streams.
    ///
    /// A subscription has finished when every one of its positions is at the end of the stream, with nothing in flight
    /// and nothing waiting to be delivered again; given up to the dead letters counts as finished. In broadcast mode
    /// these are the positions of all consumers, connected or not, the handler's included; without any there is nothing
    /// to finish. In exclusive mode it is the one position, whether or not anybody consumes.
    ///
    /// A loop over a subscription acknowledges a delivery when it asks for the next one, so it finishes with the last
    /// event only if it goes on asking, acknowledges explicitly, or ends. At most once, an event counts as finished when
    /// it is handed out: wait for what its handler does with ``DeliveryRecorder/waitFor(count:within:fileID:line:)``.
    ///
    /// Nothing is polled; what other services do that share the store is noticed when this one does something.
    ///
    /// - Parameters:
    ///   - subscriptions: Their names; none for all that were declared.
    ///   - timeout: How long to wait, in real time whatever clock the service has. Defaults to 30 seconds.
    ///   - fileID: The file shown in the error.
    ///   - line: The line shown in the error.
    /// - Throws: ``SettlingError`` with what is missing, when the time runs out or the service has shut down;
    ///   `EventStreamingError` with code `unknownSubscription` or `invalidName`, or what the store reports;
    ///   `CancellationError`.
    public func settled(
        _ subscriptions: String...,
        within timeout: Duration = .seconds(30),
        fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        let settling = try Settling(streaming: self, subscriptions: subscriptions)
        try await settling.wait(timeout, fileID: fileID, line: line)
    }

    /// Waits until subscriptions have finished all events of their streams, and lets the time pass for them that they
    /// would wait for: tests of retries with back-off take no real time.
    ///
    /// When all that is left is events that wait to be delivered again, or a handler that waits to reconnect to its
    /// store, the clock is advanced to its next deadline, again and again, everybody awake going back to sleep in
    /// between. It is not advanced while events are in flight: what a handler itself sleeps for is the test's to decide.
    ///
    /// - Parameters:
    ///   - subscriptions: Their names; none for all that were declared.
    ///   - clock: The service's clock.
    ///   - limit: How far to advance the clock at most, all steps together. Defaults to one day.
    ///   - timeout: How long to wait in real time. Defaults to 30 seconds.
    ///   - fileID: The file shown in the error.
    ///   - line: The line shown in the error.
    /// - Throws: As ``settled(_:within:fileID:line:)``, also when `limit` is reached; `EventStreamingError` with code
    ///   `invalidArgument` when the service has another clock.
    public func settled(
        _ subscriptions: String...,
        advancing clock: ManualClock,
        byAtMost limit: Duration = .seconds(86_400),
        within timeout: Duration = .seconds(30),
        fileID: String = #fileID,
        line: Int = #line
    ) async throws {
        guard self.clock as? ManualClock === clock else {
            throw EventStreamingError(
                .invalidArgument,
                "The clock to advance is not the service's; set options.clock to it in the configuration."
            )
        }
        let settling = try Settling(streaming: self, subscriptions: subscriptions, clock: clock, limit: limit)
        try await settling.wait(timeout, fileID: fileID, line: line)
    }
}
