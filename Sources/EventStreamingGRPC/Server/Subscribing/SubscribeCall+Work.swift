import EventStreaming
import EventStreamingCore
import GRPCCore
import Logging
import Synchronization

extension SubscribeCall {
    /// Connects the consumer, and then does one step after the other until the call ends.
    func work(_ writer: RPCWriter<SubscribeFrame>) async {
        do {
            guard let open = await waitForOpen() else { return await sayGoodbye(to: writer) }
            let consumer = try await connect(open, writer)
            try await work(consumer, writer)
        } catch let error as EventStreamingError {
            end(Self.ending(for: error))
        } catch {
            // Writing failed, or was cancelled.
            end(Self.lost)
        }
        await sayGoodbye(to: writer)
    }

    /// The last frame says why. It is of no importance whether it arrives: the status says the same.
    private func sayGoodbye(to writer: RPCWriter<SubscribeFrame>) async {
        guard let ending = state.withLock({ $0.ending }), ending.releases else { return }
        try? await writer.write(Self.goodbye(ending))
    }

    @inline(never)
    private static func goodbye(_ ending: SubscribeState.Ending) -> SubscribeFrame {
        SubscribeFrame { response in
            response.closing.reason = ending.reason
            if let error = ending.error { response.closing.error = WireErrorDetail(error) }
        }
    }

    private static func ending(for error: EventStreamingError) -> SubscribeState.Ending {
        switch error.code {
        case .consumerReplaced: SubscribeState.Ending(reason: .replaced, error: error)
        case .unknownConsumer, .timedOut: SubscribeState.Ending(reason: .timedOut, error: error)
        case .shuttingDown, .shutDown: SubscribeState.shuttingDown
        case .permissionDenied, .unauthenticated: SubscribeState.Ending(reason: .denied, error: error)
        case .storeUnavailable, .storeDamaged, .cancelled: SubscribeState.Ending(reason: .failed, error: error)
        default: SubscribeState.Ending(reason: .badRequest, error: error)
        }
    }

    // MARK: - Opening

    private func connect(
        _ open: WireOpen,
        _ writer: RPCWriter<SubscribeFrame>
    ) async throws -> any DeliveryConsumer {
        let request = try ConsumerRequest(open)
        try await server.access.authorize(identity, .subscribe(request.subscription))
        if open.hasCredit {
            try state.withLock { (state) throws(EventStreamingError) in try state.allow(open.credit) }
        }
        let consumer = try await server.provider.connect(request) { [weak self] in
            guard let self else { return }
            state.withLock { $0.changed() }
            changes.notify()
        }
        connected(consumer)
        server.logger.debug("A peer's consumer registered.", metadata: logMetadata(consumer))
        try await writer.write(opened(consumer))
        return consumer
    }

    @inline(never)
    private func opened(_ consumer: any DeliveryConsumer) -> SubscribeFrame {
        let limits = server.options.limits
        return SubscribeFrame { response in
            response.opened = WireOpened(
                consumer.registration,
                consumer.terms,
                heartbeatInterval: heartbeatInterval(consumer)
            )
            response.opened.maxFrameBytes = Int64(limits.maximumMessageBytes)
            response.opened.maxCreditEvents = Int64(limits.maximumCreditEvents)
            response.opened.maxCreditBytes = Int64(limits.maximumCreditBytes)
        }
    }

    func heartbeatInterval(_ consumer: any DeliveryConsumer) -> Duration {
        min(server.options.heartbeatInterval, consumer.terms.heartbeatInterval)
    }

    // MARK: - Steps

    private func work(_ consumer: any DeliveryConsumer, _ writer: RPCWriter<SubscribeFrame>) async throws {
        var frames: [SubscribeFrame] = []
        while !Task.isCancelled {
            let version = changes.version
            let step = state.withLock { $0.next(now: server.clock.uptime) }
            switch step {
            case .end(let ending):
                end(ending)
                if !frames.isEmpty { try await writer.write(contentsOf: frames) }
                return
            case .wait(let until):
                if !frames.isEmpty {
                    try await send(&frames, writer)
                    continue
                }
                await changes.wait(since: version, until: until, clock: server.clock)
                continue
            case .answer(let request):
                madeRoom()
                frames.append(try await answer(request, consumer))
            case .heartbeat(let isDraining):
                frames.append(SubscribeFrame { $0.heartbeat.isDraining = isDraining })
            case .fetch(let limit, let settling):
                madeRoom()
                try await fetch(limit, settling, consumer, &frames)
            }
            if frames.count >= SubscribeState.maximumRequests || !state.withLock({ $0.hasRequests }) {
                try await send(&frames, writer)
            }
        }
    }

    private func send(
        _ frames: inout [SubscribeFrame],
        _ writer: RPCWriter<SubscribeFrame>
    ) async throws {
        guard !frames.isEmpty else { return }
        try await writer.write(contentsOf: frames)
        frames.removeAll(keepingCapacity: true)
        state.withLock { $0.sent() }
    }

    /// Does what a frame asks for. What is refused is told; only what ends the consumer is thrown.
    private func answer(
        _ request: SubscribeState.Request,
        _ consumer: any DeliveryConsumer
    ) async throws(EventStreamingError) -> SubscribeFrame {
        var marked = 0
        do throws(EventStreamingError) {
            switch request {
            case .settle(let settlement, _): try await consumer.settle(settlement)
            case .markRead(let selection, _): marked = try await consumer.markRead(selection)
            }
        } catch {
            return try refusal(error, of: request)
        }
        return done(request, marked: marked)
    }

    @inline(never)
    private func done(_ request: SubscribeState.Request, marked: Int) -> SubscribeFrame {
        if case .settle(let settlement, _) = request {
            state.withLock { $0.settled(settlement) }
        }
        return SubscribeFrame { response in
            response.settled.sequence = request.sequence
            response.settled.marked = Int64(marked)
        }
    }

    /// What to tell the peer about a refusal; throws what ends the consumer.
    @inline(never)
    private func refusal(
        _ error: EventStreamingError,
        of request: SubscribeState.Request
    ) throws(EventStreamingError) -> SubscribeFrame {
        switch error.code {
        case .consumerReplaced, .unknownConsumer, .storeUnavailable, .storeDamaged, .timedOut, .cancelled:
            throw error
        case .leaseExpired:
            if case .settle(let settlement, _) = request {
                state.withLock { $0.lost(settlement.leaseEpoch) }
            }
        default:
            break
        }
        return SubscribeFrame { response in
            response.settled.sequence = request.sequence
            response.settled.error = WireErrorDetail(error)
        }
    }

    private func fetch(
        _ limit: Int,
        _ settling: (settlement: Settlement, sequence: UInt64)?,
        _ consumer: any DeliveryConsumer,
        _ frames: inout [SubscribeFrame]
    ) async throws(EventStreamingError) {
        let result: DequeueResult
        do throws(EventStreamingError) {
            result = try await consumer.dequeue(limit: limit, settling: settling?.settlement)
        } catch {
            guard let settling else { throw error }
            let request = SubscribeState.Request.settle(settling.settlement, sequence: settling.sequence)
            switch error.code {
            case .shuttingDown, .shutDown:
                // Nothing more to lease, but this is to be recorded still.
                drain()
                frames.append(try await answer(request, consumer))
            case .leaseExpired, .alreadySettled, .invalidArgument, .unsupported:
                frames.append(try refusal(error, of: request))
                state.withLock { $0.changed() }
            default:
                throw error
            }
            return
        }
        took(result, settling, consumer, &frames)
    }

    /// Keeps the books of an answer of the consumer, and makes frames of it.
    @inline(never)
    private func took(
        _ result: DequeueResult,
        _ settling: (settlement: Settlement, sequence: UInt64)?,
        _ consumer: any DeliveryConsumer,
        _ frames: inout [SubscribeFrame]
    ) {
        if let settling {
            state.withLock { $0.settled(settling.settlement) }
            frames.append(SubscribeFrame { $0.settled.sequence = settling.sequence })
        }
        switch result {
        case .empty(let until):
            state.withLock { $0.foundNothing(until: until) }
        case .lease(let lease):
            let batches = BatchFrames(lease, maximumBytes: server.options.limits.maximumFrameBytes)
            let end = server.clock.uptime + consumer.terms.visibilityTimeout
            state.withLock { $0.leased(lease, bytes: Int(batches.size), until: end) }
            frames += batches.frames
        }
    }
}

extension ConsumerRequest {
    /// - Throws: `unsupported` for another version of the protocol; `invalidName`; `invalidArgument`.
    init(_ open: WireOpen) throws(EventStreamingError) {
        guard open.protocolVersion == WireOpened.currentVersion else {
            throw EventStreamingError(
                .unsupported,
                "Version \(open.protocolVersion) of the protocol is not known here; use \(WireOpened.currentVersion)."
            )
        }
        self.init(
            subscription: try SubscriptionID(open.subscription),
            consumer: open.consumer.isEmpty ? nil : try ConsumerID(open.consumer),
            start: try StartPosition(open.start)
        )
        guard open.eventTypes.count <= 1000 else {
            throw EventStreamingError(
                .invalidArgument, "\(open.eventTypes.count) event types; at most 1000 can be chosen.")
        }
        eventTypes = open.eventTypes.isEmpty ? nil : Set(open.eventTypes)
        payloads = .encoded
    }
}
