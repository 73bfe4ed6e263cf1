import EventStreamingGRPC
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Testing

/// A `Subscribe` call as a client in any language sees it: frames, one after the other.
struct RawSubscriber {
    private let outgoing: AsyncStream<WireSubscribeRequest>.Continuation
    private var incoming: RPCAsyncSequence<WireSubscribeResponse, any Error>.AsyncIterator
    /// Batches that came while an answer was waited for.
    private var early: [WireBatch] = []

    /// Calls `body` with a call that has begun. When `body` returns, the call is cancelled unless it has ended.
    static func with<Result: Sendable>(
        _ client: GRPCClient<HTTP2ClientTransport.Posix>,
        token: String? = nil,
        metadata: Metadata = [:],
        timeout: Duration? = nil,
        _ body: @escaping @Sendable (inout RawSubscriber) async throws -> Result
    ) async throws -> Result {
        let (frames, outgoing) = AsyncStream.makeStream(of: WireSubscribeRequest.self)
        let gate = WritingGate()
        var metadata = metadata
        metadata.add(contentsOf: .token(token))
        var options = CallOptions.defaults
        options.timeout = timeout
        return try await WireEventDelivery.Client(wrapping: client).subscribe(
            metadata: metadata,
            options: options,
            requestProducer: { writer in
                for await frame in frames where gate.enter() {
                    defer { gate.leave() }
                    try await writer.write(frame)
                }
                // What is cancelled must not look like closing one's side.
                await gate.waitForCancellation()
            },
            onResponse: { response in
                defer { outgoing.finish() }
                var subscriber = RawSubscriber(
                    outgoing: outgoing,
                    incoming: response.messages.makeAsyncIterator()
                )
                let result: Swift.Result<Result, any Error>
                do {
                    result = .success(try await body(&subscriber))
                } catch {
                    result = .failure(error)
                }
                // The transport does not expect anything to be written to a call that is over.
                await gate.close()
                return try result.get()
            }
        )
    }

    // MARK: - Sending

    func send(_ fill: (inout WireSubscribeRequest) -> Void) {
        var frame = WireSubscribeRequest()
        fill(&frame)
        outgoing.yield(frame)
    }

    func settle(_ sequence: UInt64, _ batch: WireBatch, completed: Range<Int64>? = nil) {
        send { frame in
            frame.settle.sequence = sequence
            frame.settle.leaseEpoch = batch.leaseEpoch
            var range = WireOffsetRange()
            range.begin = completed?.lowerBound ?? batch.offsets.begin
            range.end = completed?.upperBound ?? batch.offsets.end
            frame.settle.completed = [range]
        }
    }

    func allow(events: Int64, bytes: Int64) {
        send { frame in
            frame.credit.events = events
            frame.credit.bytes = bytes
        }
    }

    /// Ends the requests, without a Close frame.
    func closeSide() {
        outgoing.finish()
    }

    // MARK: - Receiving

    /// The next frame; `nil` at the end.
    mutating func next() async throws -> WireSubscribeResponse? {
        try await incoming.next(isolation: #isolation)
    }

    mutating func opened() async throws -> WireOpened {
        let frame = try #require(try await next())
        return try #require(frame.opened, "instead: \(frame)")
    }

    /// The next batch; heartbeats before it are passed over.
    mutating func batch() async throws -> WireBatch {
        if !early.isEmpty { return early.removeFirst() }
        while let frame = try await next() {
            switch frame.frame {
            case .batch(let batch): return batch
            case .heartbeat: continue
            default: throw UnexpectedFrame(frame: "\(frame)")
            }
        }
        throw UnexpectedFrame(frame: "the end")
    }

    /// The next answer; batches before it are kept.
    mutating func settled() async throws -> WireSettled {
        while let frame = try await next() {
            switch frame.frame {
            case .settled(let settled): return settled
            case .batch(let batch): early.append(batch)
            default: continue
            }
        }
        throw UnexpectedFrame(frame: "the end")
    }

    /// The last frame, and the code that the call ends with; `nil` for the status OK.
    mutating func end() async throws -> (closing: WireClosing?, code: String?) {
        var closing: WireClosing?
        do {
            while let frame = try await next() {
                if case .closing(let last) = frame.frame { closing = last }
            }
            return (closing, nil)
        } catch let error as RPCError {
            return (closing, error.wireCode ?? "status \(error.code)")
        }
    }
}

struct UnexpectedFrame: Error {
    let frame: String
}

extension WireSubscribeResponse {
    /// What the frame is when it opens a call.
    fileprivate var opened: WireOpened? {
        if case .opened(let opened) = frame { opened } else { nil }
    }
}

extension WireBatch {
    /// The numbers of the orders in the batch.
    var numbers: [Int] {
        events.map { event in
            // {"number":7}
            Int(String(decoding: event.payloadBytes, as: UTF8.self).filter(\.isNumber)) ?? -1
        }
    }
}
