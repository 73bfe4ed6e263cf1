public import EventStreaming
public import EventStreamingCore
import Synchronization

/// A subscription's handler that writes down what is delivered, for a test to wait for and to look at.
///
/// ```swift
/// let recorder = DeliveryRecorder { delivery in
///     if delivery.attempt == 1 { throw MailServerIsDown() }
/// }
/// try await withTestEventStreaming { streaming in
///     streaming.addStream(InvitationWorkflow.self)
///     streaming.addSubscription("welcome-mail") { subscription in
///         subscription.stream(InvitationWorkflow.self)
///         subscription.handle(recorder.record)
///     }
/// } _: { streaming, clock in
///     try await streaming.emitter.emit(UserInvited(email: "ada@example.org"))
///     try await streaming.settled(advancing: clock)
///     #expect(recorder.deliveries.map(\.attempt) == [1, 2])
/// }
/// ```
///
/// Safe to use from any task, and for several subscriptions.
public final class DeliveryRecorder: Sendable {
    private struct Waiter {
        let key: UInt64
        let count: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var deliveries: [Delivery] = []
        var lastKey: UInt64 = 0
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())
    private let handle: @Sendable (Delivery) async throws -> Void

    /// Creates a recorder.
    ///
    /// - Parameter handle: What to do with a delivery after it was recorded: nothing by default. An error it throws is
    ///   the handler's.
    public init(_ handle: @escaping @Sendable (_ delivery: Delivery) async throws -> Void = { _ in }) {
        self.handle = handle
    }

    /// Records the delivery and then does what the recorder was created with; to be given to
    /// `SubscriptionConfiguration.handle(_:)`, or called by a loop over a subscription.
    ///
    /// - Throws: What that throws.
    public func record(_ delivery: Delivery) async throws {
        let reached = state.withLock { state -> [Waiter] in
            state.deliveries.append(delivery)
            let reached = state.waiters.filter { $0.count <= state.deliveries.count }
            state.waiters.removeAll { $0.count <= state.deliveries.count }
            return reached
        }
        for waiter in reached {
            waiter.continuation.resume()
        }
        try await handle(delivery)
    }

    // MARK: - Looking

    /// What was delivered so far, every attempt by itself, in the order in which it came.
    public var deliveries: [Delivery] { state.withLock { $0.deliveries } }

    /// The events delivered so far that are of this type, every attempt by itself.
    public func events<E: Event>(of type: E.Type) -> [E] {
        deliveries.compactMap { $0.event(as: type) }
    }

    // MARK: - Waiting

    /// Waits until at least `count` deliveries were recorded. Their handling may still be going on; use
    /// `EventStreaming.settled(_:within:fileID:line:)` to have it finished.
    ///
    /// - Parameters:
    ///   - count: How many, counted from the recorder's creation.
    ///   - timeout: How long to wait, in real time whatever clock the service has. Defaults to 30 seconds.
    ///   - fileID: The file shown in the error.
    ///   - line: The line shown in the error.
    /// - Returns: What was delivered so far.
    /// - Throws: ``DeliveryTimeoutError`` with what came instead; `CancellationError`.
    @discardableResult
    public func waitFor(
        count: Int,
        within timeout: Duration = .seconds(30),
        fileID: String = #fileID,
        line: Int = #line
    ) async throws -> [Delivery] {
        if timeout > .zero, deliveries.count < count {
            _ = try await withDeadline(timeout) { try await self.wait(for: count) }
        }
        let deliveries = deliveries
        guard deliveries.count >= count else {
            throw DeliveryTimeoutError(
                expected: count,
                actual: deliveries.count,
                deliveries: deliveries.map { delivery in
                    "\(delivery.subscription), attempt \(delivery.attempt): \(EventComparison.describe(delivery.event))"
                },
                timeout: timeout,
                fileID: fileID,
                line: line
            )
        }
        return deliveries
    }

    private func wait(for count: Int) async throws {
        let key = state.withLock { state in
            state.lastKey += 1
            return state.lastKey
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReached = state.withLock { state in
                    // Whoever is cancelled from here on is found among the waiters.
                    guard state.deliveries.count < count, !Task.isCancelled else { return true }
                    state.waiters.append(Waiter(key: key, count: count, continuation: continuation))
                    return false
                }
                if isReached {
                    continuation.resume()
                }
            }
        } onCancel: {
            let cancelled = state.withLock { state -> Waiter? in
                state.waiters.firstIndex { $0.key == key }.map { state.waiters.remove(at: $0) }
            }
            cancelled?.continuation.resume()
        }
        try Task.checkCancellation()
    }
}
