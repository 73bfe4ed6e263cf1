public import EventStreamingCore
public import ServiceLifecycle

/// Carries events between a service and those who publish to it and consume from it: in the process, over gRPC, through a
/// broker.
///
/// ## The shape
///
/// A provider is asked, and tells when asking again makes sense. What ``connect(_:onChange:)`` returns is one registered
/// consumer: it hands out leases and takes settlements, as a store does, and it calls `onChange` when there may be
/// something new. Nothing is pushed, so nothing has to be buffered without a limit, and nothing is lost when a hint is.
///
/// The service's own loops, handlers, retries and ledgers need no more of the other side than this. So a transport has two
/// halves that mirror each other: on the side of the service, one that drives a provider for every peer
/// (``EventStreaming/deliveryProvider`` is the one to drive); on the side of the client, one that is a provider, and over
/// which a client runs the same machinery.
///
/// ## For implementers
///
/// All calls may come from many tasks at once. Each has its whole effect or none; where it throws code `storeUnavailable`
/// or `timedOut`, the outcome is unknown, and the call may be made again. A cancelled call throws code `cancelled` and has
/// had no effect, or returns what it did. Nothing that comes from outside may trap. Whatever is buffered has a limit.
///
/// ``run()`` does what goes on in the background: connections, signs of life, reconnecting. It returns after a graceful
/// shutdown, when connected consumers were told and what they held was given back, and throws `CancellationError` when it
/// was cancelled. ``EventDeliveryHealth/state`` says whether calls can succeed now.
///
/// `EventStreamingConformance` has the checks that a provider must pass.
public protocol EventDeliveryProvider: Service {
    /// Makes appends, each with its own result, those to one stream in the order given. What arrives together may be
    /// committed together; one that fails keeps no other from succeeding.
    ///
    /// An append is as durable as the stream's store makes it when this returns. Repeating it with the same ids is safe.
    /// Payloads may be values or bytes.
    ///
    /// - Returns: One result for each append, in order, with the codes of `EventStreamStore.append(_:)`; and
    ///   `payloadTooLarge`, `headersTooLarge`, `permissionDenied`, `shuttingDown` or `shutDown`.
    func publish(_ appends: [StreamAppend]) async -> [Result<AppendResult, EventStreamingError>]

    /// Registers a consumer, and takes its name over from any other that has it.
    ///
    /// - Parameters:
    ///   - request: Which subscription, and who consumes.
    ///   - onChange: Called, from any task and perhaps for nothing, when asking for events may have a new answer: there are
    ///     some, the consumer was replaced, or the provider shuts down. Must return quickly and must not call the provider.
    ///     Not called any more some time after ``DeliveryConsumer/close()`` has returned.
    /// - Returns: The consumer, which must be closed.
    /// - Throws: `unknownSubscription`, `unknownEvent`, `unsupported` for what the subscription cannot do,
    ///   `permissionDenied`, `shuttingDown`, `shutDown`, or what the store reports.
    func connect(
        _ request: ConsumerRequest,
        onChange: @escaping @Sendable () -> Void
    ) async throws(EventStreamingError) -> any DeliveryConsumer

    /// Whether the provider can do its work now, and why not. Cheap.
    var health: EventDeliveryHealth { get async }
}

/// Whether a provider can do its work.
public struct EventDeliveryHealth: Sendable, Hashable {
    /// What can be expected of a call now.
    public enum State: Sendable, Hashable {
        /// It should succeed.
        case available
        /// It fails, or waits, until the other side can be reached again.
        case unavailable
        /// The provider shuts down, or has done so: it will not come back.
        case ended
    }

    /// What can be expected of a call now.
    public var state: State
    /// Why, for people; `nil` when there is nothing to say.
    public var reason: String?

    /// Creates a verdict.
    public init(_ state: State, reason: String? = nil) {
        self.state = state
        self.reason = reason
    }
}
