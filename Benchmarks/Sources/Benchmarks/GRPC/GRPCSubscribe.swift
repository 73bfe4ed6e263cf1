import EventStreaming
import EventStreamingGRPC
import GRPCCore
import Synchronization

extension Benchmark {
    static let grpcSubscribe = Benchmark(
        "grpc-subscribe",
        "a full stream in memory to one client that acknowledges, against grpc-swift with the same bytes",
        target: .ratio(atLeast: 0.7)
    ) { rounds in
        let count = Sizes.round
        return try await RemoteService.run { streaming, port in
            let eventSize = try await BatchSize.ofEvent(streaming, port: port)
            return try await BareServer.run { barePort in
                try await BareServer.withClient(port: barePort) { bare in
                    // So that leases of 256 follow each other without a pause.
                    var result = try await RemoteService.withClient(port: port, prefetch: 4096) { client in
                        try await compare(rounds, streaming, client, bare, eventSize: eventSize)
                    }
                    let rates = try await RemoteService.withClient(port: port) { client in
                        var rates: [Double] = []
                        for _ in 0..<rounds.count {
                            try await streaming.fill(count)
                            rates.append(try await client.drain(count, of: RemoteService.subscription).rate)
                        }
                        return rates
                    }
                    result.extras.append(("default-prefetch", rates.median))
                    return result
                }
            }
        }
    }

    private static func compare(
        _ rounds: Rounds,
        _ streaming: EventStreaming,
        _ client: GRPCEventClient,
        _ bare: BareClient,
        eventSize: Int
    ) async throws -> Measurement {
        let count = Sizes.round
        // How many events the frames have.
        try await streaming.fill(count)
        let batches = try await client.drain(count, of: RemoteService.subscription).batches
        let order = BareServer.Order(count: batches, size: count * eventSize / batches)
        var result = try await rounds.compare(unit: "events/s") {
            try await streaming.fill(count)
            return try await client.drain(count, of: RemoteService.subscription).rate
        } with: {
            try await bare.receiveRate(order) * Double(count) / Double(order.count)
        }
        try await streaming.fill(count)
        result = try await result.addingAllocations(per: count) {
            _ = try await client.drain(count, of: RemoteService.subscription)
        }
        result.extras += [("frame-bytes", Double(order.size)), ("event-bytes", Double(eventSize))]
        return result
    }
}

extension EventStreaming {
    fileprivate func fill(_ count: Int) async throws {
        try await emitter.emit(StoredPacket.self, count: count, inBatchesOf: Sizes.batch)
    }
}

extension GRPCEventClient {
    /// Consumes so many events, which are there, in batches, and acknowledges them.
    func drain(_ count: Int, of subscription: String) async throws -> (rate: Double, batches: Int) {
        let watch = Stopwatch()
        return try await withSubscription(to: subscription) { subscription in
            var arrivals = Arrivals(of: count)
            var batches = 0
            for try await batch in subscription.batches {
                batches += 1
                for delivery in batch {
                    try arrivals.add(delivery.event(as: StoredPacket.self)?.label)
                }
                if arrivals.areComplete {
                    try await batch.acknowledge()
                    break
                }
            }
            try arrivals.finish()
            return (watch.rate(of: count), batches)
        }
    }
}

/// How many bytes our frames have, as a client sees them that has nothing of ours.
private enum BatchSize {
    /// The bytes that an event takes in a frame of many.
    static func ofEvent(_ streaming: EventStreaming, port: Int) async throws -> Int {
        let count = 256
        try await streaming.emitter.emit(StoredPacket.self, count: count, inBatchesOf: Sizes.batch)
        let frames = try await BareServer.withClient(port: port) { client in
            let (requests, continuation) = AsyncStream<[UInt8]>.makeStream()
            let credit = Protobuf.field(1, 10_000) + Protobuf.field(2, 16 << 20)
            let open =
                Protobuf.field(1, 1) + Protobuf.field(2, RemoteService.subscription) + Protobuf.field(3, "bare")
                + Protobuf.field(6, credit)
            continuation.yield(Protobuf.field(1, open))
            return try await client.call(subscribe) { writer in
                for await request in requests {
                    try await writer.write(request)
                }
            } _: { frames in
                defer { continuation.finish() }
                return try await read(count, frames, continuation)
            }
        }
        guard let largest = frames.max(by: { $0.events < $1.events }) else { throw Problem("There was no frame.") }
        return largest.bytes / largest.events
    }

    private static let subscribe = MethodDescriptor(
        fullyQualifiedService: "eventstreaming.v1.EventDelivery",
        method: "Subscribe"
    )

    /// Reads and settles batches until there were so many events.
    private static func read(
        _ count: Int,
        _ frames: RPCAsyncSequence<[UInt8], any Error>,
        _ requests: AsyncStream<[UInt8]>.Continuation
    ) async throws -> [(events: Int, bytes: Int)] {
        var (seen, answers): ([(events: Int, bytes: Int)], Int) = ([], 0)
        for try await frame in frames {
            answers += try Protobuf.fields(3, in: frame).count
            for batch in try Protobuf.fields(2, in: frame) {
                let events = try Protobuf.fields(3, in: batch).count
                seen.append((events, frame.count))
                let settle =
                    Protobuf.field(1, UInt64(seen.count)) + Protobuf.field(2, try leaseEpoch(of: batch))
                    + (try Protobuf.fields(2, in: batch).flatMap { Protobuf.field(3, $0) })
                requests.yield(Protobuf.field(2, settle))
            }
            if seen.reduce(0, { $0 + $1.events }) == count, answers == seen.count { return seen }
        }
        throw Problem("The call ended before there were \(count) events.")
    }

    /// The batch's first field.
    private static func leaseEpoch(of batch: [UInt8]) throws -> UInt64 {
        guard batch.first == 1 << 3 else { throw Problem("A batch does not begin with the epoch of its lease.") }
        var (number, shift): (UInt64, UInt64) = (0, 0)
        for byte in batch.dropFirst() {
            number |= UInt64(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        return number
    }
}
