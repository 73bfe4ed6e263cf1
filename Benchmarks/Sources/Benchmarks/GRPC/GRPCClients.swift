import AllocationCounter
import EventStreaming
import EventStreamingGRPC
import GRPCCore
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Benchmark {
    static let grpcClients = Benchmark(
        "grpc-clients",
        "500 idle subscribers, the memory of each in the server, against idle streams of grpc-swift",
        target: Target("at most 50 000 bytes each, at most 2 % of a processor when idle") { result in
            result.value <= 50_000 && (result["cpu"] ?? .infinity) <= 2
        }
    ) { rounds in
        guard allocation_counter_is_available() else { throw Problem("The heap cannot be measured here.") }
        let count = 500
        let shares = Mutex<(resident: [Double], cpu: [Double])>(([], []))
        let rounds = Rounds(count: rounds.isFull ? rounds.count : min(rounds.count, 3), isFull: rounds.isFull)
        var result = try await rounds.compare(unit: "bytes") {
            try await RemoteService.run { server in
                server.limits.maximumCallsPerPeer = 2 * count
            } _: { streaming, port in
                let cost = try await cost(of: count, port: port) { IdlePeer.subscriber($0) }
                let consumers = try await streaming.consumers(of: RemoteService.subscription).count
                guard consumers >= count else { throw Problem("\(consumers) consumers are registered.") }
                shares.withLock { $0.resident.append(cost.resident) }
                shares.withLock { $0.cpu.append(cost.cpu) }
                return cost.heap
            }
        } with: {
            try await BareServer.run { port in try await cost(of: count, port: port) { _ in IdlePeer.bare }.heap }
        }
        let (resident, cpu) = shares.withLock { $0 }
        result.extras += [
            ("ours", result.value - result.baseline), ("resident", resident.median), ("cpu", cpu.median),
        ]
        return result
    }

    /// What each of so many peers costs that do nothing but give a sign of life every ten seconds.
    private static func cost(
        of count: Int,
        port: Int,
        _ script: (Int) -> IdlePeer.Script
    ) async throws -> (heap: Double, resident: Double, cpu: Double) {
        var peers: [IdlePeer] = []
        defer {
            for peer in peers { peer.close() }
        }
        // The first of them have the server make what is there once.
        for number in 0..<50 {
            peers.append(try await IdlePeer(port: port, script(number)))
        }
        heap_trim()
        let before = (heap: heap_bytes_in_use(), resident: resident_bytes())
        for number in 0..<count {
            peers.append(try await IdlePeer(port: port, script(50 + number)))
        }
        heap_trim()
        let after = (heap: heap_bytes_in_use(), resident: resident_bytes())
        let cpu = try await idle(peers)
        return (
            (Double(after.heap) - Double(before.heap)) / Double(count),
            (Double(after.resident) - Double(before.resident)) / Double(count), cpu
        )
    }

    /// The percentage of a processor that is used while peers do nothing but give signs of life.
    private static func idle(_ peers: [IdlePeer]) async throws -> Double {
        let clock = ContinuousClock()
        let (watch, used, began) = (Stopwatch(), processorSeconds, clock.now)
        for (number, peer) in peers.enumerated() {
            try await clock.sleep(until: began + .seconds(10) * number / peers.count)
            peer.giveSignOfLife()
        }
        return (processorSeconds - used) / watch.seconds * 100
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
