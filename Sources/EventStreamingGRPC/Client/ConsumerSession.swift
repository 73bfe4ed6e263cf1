import EventStreaming
import EventStreamingCore
import GRPCCore
import GRPCProtobuf
import Logging
import Synchronization

/// One registration of a consumer over one call of `Subscribe`.
///
/// The call runs in ``run()``. When it ends, for whatever reason, so does the session: whoever asks it is told
/// `unknownConsumer` where registering again makes sense, and otherwise why not.
final class ConsumerSession: Sendable {
    /// What a session needs of its connection.
    struct Environment: Sendable {
        var link: GRPCLink
        var options: GRPCClientOptions
        var clock: any EventStreamingClock
        var logger: Logger
        /// Whether a settlement that comes with a question is answered only when the server has recorded it. Otherwise the
        /// next lease is handed out meanwhile.
        var waitsForSettlements: Bool
    }

    /// How many settlements may go along with questions without having been answered.
    private static let maximumUnanswered = 64

    /// How long to wait before the server is told again what it could not record.
    private static let repetitionDelay = Duration.milliseconds(100)

    private let environment: Environment
    private let subscription: SubscriptionID
    private let onChange: @Sendable () -> Void
    private let state: Mutex<ConsumerSessionState>
    /// Notified when there is something to send.
    private let outbox = Signal()
    /// Notified when the phase changes, an answer came, or time has to be looked at again.
    private let changes = Signal()

    init(_ request: ConsumerRequest, _ environment: Environment, onChange: @escaping @Sendable () -> Void) {
        self.environment = environment
        self.onChange = onChange
        subscription = request.subscription
        var open = WireOpen()
        open.protocolVersion = WireOpened.currentVersion
        open.subscription = request.subscription.rawValue
        open.consumer = request.consumer?.rawValue ?? ""
        if let start = request.start {
            open.start = WireStartPosition(start)
        }
        open.eventTypes = request.eventTypes?.sorted() ?? []
        let now = environment.clock.uptime
        state = Mutex(
            ConsumerSessionState(
                open: open,
                prefetchBytes: environment.options.prefetchBytes,
                now: now,
                deadline: now + environment.options.callTimeout
            )
        )
    }

    private var now: Duration { environment.clock.uptime }

    // MARK: - Life

    /// Runs the call until it has ended.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.call() }
            group.addTask { await self.watch() }
            await group.next()
            group.cancelAll()
        }
        finish(EventStreamingError(.storeUnavailable, "The connection was closed."))
    }

    private func call() async {
        do {
            let metadata = try await environment.options.metadata()
            let request = StreamingClientRequest(of: WireSubscribeRequest.self, metadata: metadata) { writer in
                try await self.send(to: writer)
            }
            try await environment.link.call { link in
                try await link.client.bidirectionalStreaming(
                    request: request,
                    descriptor: WireEventDelivery.Method.Subscribe.descriptor,
                    serializer: ProtobufSerializer<WireSubscribeRequest>(),
                    deserializer: SubscribeFrameDeserializer(),
                    options: self.environment.options.callOptions(timeout: nil)
                ) { response in
                    for try await frame in response.messages {
                        try self.receive(frame)
                    }
                }
            }
            finish(EventStreamingError(.storeUnavailable, "The server has ended the call."))
        } catch {
            let error = EventStreamingError(calling: error)
            // No handler of ours runs here: something has broken, and may be mended.
            finish(
                error.code == .handlerFailed
                    ? EventStreamingError(.storeUnavailable, "The server has failed.", underlying: error) : error
            )
        }
    }

    private func send(to writer: RPCWriter<WireSubscribeRequest>) async throws {
        while true {
            let version = outbox.version
            let (frames, isEnd) = state.withLock { $0.takeOutbox(now: now) }
            if !frames.isEmpty {
                try await writer.write(contentsOf: frames)
            } else if !isEnd {
                await outbox.wait(since: version)
                try Task.checkCancellation()
            }
            if isEnd { return }
        }
    }

    /// Returns when the call must be given up.
    private func watch() async {
        while !Task.isCancelled {
            let version = changes.version
            switch state.withLock({ $0.check(now: now, callTimeout: environment.options.callTimeout) }) {
            case .failure(let error):
                let cause = environment.link.failure
                return finish(
                    cause.map { EventStreamingError(error.code, error.message, underlying: $0) } ?? error
                )
            case .success(let next):
                outbox.notify()
                await changes.wait(since: version, until: next, clock: environment.clock)
            }
        }
    }

    private func finish(_ error: EventStreamingError) {
        let waiters = state.withLock { state in
            let error = state.closingReason ?? error
            return state.finish(state.opened == nil ? error : Self.reason(afterOpening: error))
        }
        for (continuation, answer) in waiters {
            continuation.resume(returning: answer)
        }
        outbox.notify()
        changes.notify()
        onChange()
    }

    /// What a consumer that was registered is told when its call has ended.
    private static func reason(afterOpening error: EventStreamingError) -> EventStreamingError {
        switch error.code {
        case .consumerReplaced, .invalidArgument, .invalidName, .unsupported, .permissionDenied, .storeDamaged: error
        default:
            EventStreamingError(
                .unknownConsumer,
                "The connection over which the consumer was registered is lost.",
                underlying: error
            )
        }
    }

    // MARK: - Hearing

    private func receive(_ frame: SubscribeFrame) throws(EventStreamingError) {
        let now = now
        environment.link.heard(now: now)
        state.withLock { $0.heard(now: now) }
        switch frame {
        case .lease(let frame): try receive(frame)
        case .message(let response): try receive(response)
        }
    }

    private func receive(_ frame: LeaseFrame) throws(EventStreamingError) {
        if try state.withLock({ state throws(EventStreamingError) in try state.receive(frame) }) {
            onChange()
        }
    }

    private func receive(_ response: WireSubscribeResponse) throws(EventStreamingError) {
        switch response.frame {
        case .opened(let opened):
            let opened = try ConsumerSessionState.Opened(opened, of: subscription, environment.options)
            try state.withLock { state throws(EventStreamingError) in try state.open(opened) }
            changes.notify()
        case .batch(let batch):
            try receive(try LeaseFrame(batch))
        case .settled(let settled):
            let answer = try state.withLock { state throws(EventStreamingError) in try state.answer(settled) }
            changes.notify()
            if let (continuation, result) = answer {
                continuation.resume(returning: result)
            }
        case .closing(let closing):
            // The status follows when the server has ended the registration, and not before.
            let deadline = now + environment.options.closeTimeout
            state.withLock { $0.closing(because: EventStreamingError(closing), deadline: deadline) }
            changes.notify()
        case .heartbeat(let heartbeat):
            guard heartbeat.isDraining else { break }
            state.withLock { $0.drain(now: now) }
            outbox.notify()
        case nil:
            // What is not known here is passed over.
            break
        }
    }

    // MARK: - Opening and closing

    /// Returns when the consumer is registered.
    func opened() async throws(EventStreamingError) -> ConsumerSessionState.Opened {
        while true {
            let version = changes.version
            let (opened, phase) = state.withLock { ($0.opened, $0.phase) }
            if case .closed(let error) = phase { throw error }
            if let opened { return opened }
            await changes.wait(since: version)
            if Task.isCancelled {
                let error = EventStreamingError(
                    .cancelled, "The task was cancelled before its consumer was registered.")
                finish(error)
                throw error
            }
        }
    }

    /// Waits for what was sent to be answered, ends the registration, and waits for the server to have done so; within
    /// the time for closing.
    func close() async {
        let deadline = now + environment.options.closeTimeout
        var repetition = now
        while true {
            let version = changes.version
            let now = now
            let (isAnswered, hasToRepeat) = state.withLock { state in
                if now >= repetition, state.pushRepeated(now: now) {
                    repetition = now + Self.repetitionDelay
                }
                return (state.unansweredCount == 0 || state.isClosed, state.hasToRepeat)
            }
            if isAnswered || now >= deadline || Task.isCancelled { break }
            outbox.notify()
            let next = hasToRepeat ? min(deadline, repetition) : deadline
            await changes.wait(since: version, until: next, clock: environment.clock)
        }
        state.withLock { $0.close(deadline: deadline) }
        outbox.notify()
        changes.notify()
        while !Task.isCancelled {
            let version = changes.version
            if state.withLock({ $0.isClosed }) { return }
            await changes.wait(since: version)
        }
    }

    // MARK: - Asking

    func dequeue(limit: Int, settling settlement: Settlement?) async throws(EventStreamingError) -> DequeueResult {
        var settlement = settlement
        if let given = settlement, environment.waitsForSettlements {
            try await settle(given)
            settlement = nil
        } else if settlement != nil {
            try await waitForAnswers()
        }
        let lease = try state.withLock { [settlement] state throws(EventStreamingError) in
            try state.dequeue(limit: limit, settling: settlement, now: now)
        }
        outbox.notify()
        return lease.map { .lease($0) } ?? .empty(until: nil)
    }

    private func waitForAnswers() async throws(EventStreamingError) {
        while true {
            let version = changes.version
            guard state.withLock({ $0.unansweredCount >= Self.maximumUnanswered && !$0.isClosed }) else { return }
            await changes.wait(since: version)
            if Task.isCancelled {
                throw EventStreamingError(
                    .cancelled, "The task was cancelled while it waited for answers of the server.")
            }
        }
    }

    func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        _ = try await answer(lost: .leaseExpired) { state, continuation throws(EventStreamingError) in
            try state.settle(settlement, continuation, now: now)
        }
    }

    func markRead(_ selection: ReceiptSelection) async throws(EventStreamingError) -> Int {
        try await answer(lost: .storeUnavailable) { state, continuation throws(EventStreamingError) in
            try state.markRead(selection, continuation, now: now)
        }
    }

    private typealias Continuation = CheckedContinuation<Result<Int, EventStreamingError>, Never>

    /// Sends something, and waits for its answer. When the connection is lost before, so are the leases that came over it.
    private func answer(
        lost: EventStreamingError.Code,
        _ ask: (inout ConsumerSessionState, Continuation) throws(EventStreamingError) -> Void
    ) async throws(EventStreamingError) -> Int {
        let result = await withCheckedContinuation { (continuation: Continuation) in
            do throws(EventStreamingError) {
                try state.withLock { state throws(EventStreamingError) in try ask(&state, continuation) }
                outbox.notify()
                changes.notify()
            } catch {
                let isLost = error.code == .unknownConsumer
                continuation.resume(
                    returning: .failure(isLost ? EventStreamingError(lost, error.message, underlying: error) : error)
                )
            }
        }
        return try result.get()
    }

    func heartbeat(extending leases: LeaseExtension) throws(EventStreamingError) {
        try state.withLock { state throws(EventStreamingError) in try state.heartbeat(extending: leases, now: now) }
        outbox.notify()
    }
}

extension ConsumerSessionState.Opened {
    init(
        _ wire: WireOpened,
        of subscription: SubscriptionID,
        _ options: GRPCClientOptions
    ) throws(EventStreamingError) {
        guard wire.maxFrameBytes <= Int64(options.maximumMessageBytes) else {
            throw EventStreamingError(
                .invalidConfiguration,
                "The server sends up to \(wire.maxFrameBytes) bytes at once; raise maximumMessageBytes, which is "
                    + "\(options.maximumMessageBytes)."
            )
        }
        registration = ConsumerRegistration(
            subscription: subscription,
            consumer: try ConsumerID(wire.consumer),
            epoch: wire.registrationEpoch
        )
        terms = try ConsumerTerms(wire)
        heartbeatInterval = .milliseconds(max(1, min(wire.heartbeatIntervalMs, 3_600_000)))
        maximumCredit = CreditWindow.Credit(events: max(1, wire.maxCreditEvents), bytes: max(1, wire.maxCreditBytes))
    }
}

extension EventStreamingError {
    /// Why the server closes a consumer's call.
    init(_ closing: WireClosing) {
        if closing.reason == .replaced {
            self.init(.consumerReplaced, "Another consumer has registered under the same name.")
        } else if closing.hasError {
            self = EventStreamingError(answer: closing.error).fromServer
        } else if closing.reason == .badRequest {
            self.init(.invalidArgument, "The server has refused what this client sent.")
        } else {
            self.init(.storeUnavailable, "The server has closed the consumer's call.")
        }
    }
}

/// A consumer that is registered.
struct GRPCDeliveryConsumer: DeliveryConsumer {
    let session: ConsumerSession
    let registration: ConsumerRegistration
    let terms: ConsumerTerms

    func dequeue(limit: Int, settling settlement: Settlement?) async throws(EventStreamingError) -> DequeueResult {
        try await session.dequeue(limit: limit, settling: settlement)
    }

    func settle(_ settlement: Settlement) async throws(EventStreamingError) {
        try await session.settle(settlement)
    }

    func heartbeat(extending leases: LeaseExtension) async throws(EventStreamingError) {
        try session.heartbeat(extending: leases)
    }

    func markRead(_ selection: ReceiptSelection) async throws(EventStreamingError) -> Int {
        try await session.markRead(selection)
    }

    func close() async {
        await session.close()
    }
}
