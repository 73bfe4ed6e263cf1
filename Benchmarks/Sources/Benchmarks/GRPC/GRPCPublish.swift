import EventStreaming
import EventStreamingGRPC
import GRPCCore
import Synchronization

extension Benchmark {
    static let grpcPublish = Benchmark(
        "grpc-publish",
        "8 tasks of one client that emit batches of 128, acknowledged, against grpc-swift with the same bytes",
        target: .ratio(atLeast: 0.5)
    ) { rounds in
        let (count, tasks) = (Sizes.round, 8)
        let frameSize = try await AppendSize.ofBatch()
        let order = BareServer.Order(count: count / Sizes.batch, size: frameSize)
        return try await BareServer.run { barePort in
            try await BareServer.withClient(port: barePort) { bare in
                var result = try await rounds.compare(unit: "events/s") {
                    try await measure(count, tasks)
                } with: {
                    try await bare.sendRate(order) * Double(Sizes.batch)
                }
                let allocations = Mutex<Int?>(nil)
                _ = try await measure(count, tasks) { counted in allocations.withLock { $0 = counted } }
                if let allocations = allocations.withLock({ $0 }) {
                    result.extras.append(("allocations", Double(allocations) / Double(count)))
                }
                result.extras.append(("frame-bytes", Double(frameSize)))
                return result
            }
        }
    }

    /// Into an empty stream.
    private static func measure(
        _ count: Int,
        _ tasks: Int,
        countingAllocations note: (@Sendable (Int?) -> Void)? = nil
    ) async throws -> Double {
        try await RemoteService.run(type: .persistent, hasSubscription: false) { streaming, port in
            try await RemoteService.withClient(port: port) { client in
                // Connects.
                try await client.emitter.emit(StoredPacket(Label(number: 0)))
                let watch = Stopwatch()
                if let note {
                    note(try await Allocations.count { try await client.publish(count, tasks) })
                } else {
                    try await client.publish(count, tasks)
                }
                let rate = watch.rate(of: count)
                let kept = try await streaming.metadata(of: RemoteService.stream).count
                guard kept == count + 1 else { throw Problem("\(kept) events are kept instead of \(count + 1).") }
                return rate
            }
        }
    }
}

extension GRPCEventClient {
    /// Emits so many events, each of several tasks its part of them, one batch after the other.
    fileprivate func publish(_ count: Int, _ tasks: Int) async throws {
        let emitter = emitter
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    try await emitter.emit(StoredPacket.self, count: count / tasks, inBatchesOf: Sizes.batch)
                }
            }
            try await group.waitForAll()
        }
    }
}

/// How many bytes our client sends for a batch, as a server sees it that has nothing of ours.
private struct AppendSize: RegistrableRPCService {
    private final class Size: Sendable {
        let bytes = Mutex(0)
    }

    private let size = Size()

    static func ofBatch() async throws -> Int {
        let service = AppendSize()
        try await BareServer.run([service]) { port in
            try await RemoteService.withClient(port: port) { client in
                try await client.emitter.emit(StoredPacket.self, count: Sizes.batch, inBatchesOf: Sizes.batch)
            }
        }
        return service.size.bytes.withLock { $0 }
    }

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        let method = MethodDescriptor(
            fullyQualifiedService: "eventstreaming.v1.EventDelivery",
            method: "PublishStream"
        )
        router.registerHandler(forMethod: method, deserializer: BytesCoding(), serializer: BytesCoding()) {
            request, _ in
            StreamingServerResponse { writer in
                for try await message in request.messages {
                    size.bytes.withLock { $0 = message.count }
                    let published = Protobuf.field(1, Protobuf.field(2, UInt64(Sizes.batch)))
                    let result = Protobuf.field(1, 1) + Protobuf.field(2, published)
                    try await writer.write(Protobuf.field(1, result))
                }
                return [:]
            }
        }
    }
}
