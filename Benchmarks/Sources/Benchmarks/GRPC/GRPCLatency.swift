import EventStreaming
import EventStreamingGRPC
import Synchronization

extension Benchmark {
    static let grpcLatency = Benchmark(
        "grpc-latency",
        "from emitting in the service to a client's loop at 1000 events a second, the median, against an echo of grpc-swift",
        target: Target("at most 2 × baseline") { $0.ratio <= 2 }
    ) { rounds in
        let pace = Pace(count: rounds.isFull ? 10_000 : 3000, rate: 1000)
        let all = Mutex<(value: [Double], baseline: [Double], wayBack: [Double])>(([], [], []))
        return try await RemoteService.run { streaming, port in
            try await RemoteService.withClient(port: port) { client in
                try await BareServer.run { barePort in
                    try await BareServer.withClient(port: barePort) { bare in
                        var result = try await rounds.compare(unit: "us") {
                            let there = try await latency(pace, from: streaming.emitter, to: client)
                            let back = try await latency(pace, from: client.emitter, to: client)
                            all.withLock { $0.value.append(there.slowest) }
                            all.withLock { $0.wayBack.append(back.median) }
                            return there.median
                        } with: {
                            let echo = try await latency(pace, of: bare)
                            all.withLock { $0.baseline.append(echo.slowest) }
                            return echo.median
                        }
                        let (value, baseline, wayBack) = all.withLock { $0 }
                        result.extras += [
                            ("p99", value.median), ("baseline-p99", baseline.median), ("from-client", wayBack.median),
                        ]
                        return result
                    }
                }
            }
        }
    }

    /// From an emitter to the loop of the client.
    private static func latency(
        _ pace: Pace,
        from emitter: EventEmitter,
        to client: GRPCEventClient
    ) async throws -> Latency {
        let times = Times(count: pace.count)
        try await client.withSubscription(to: RemoteService.subscription) { subscription in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await pace.run { number in
                        let packet = StoredPacket(Label(number: number))
                        times.begin(number)
                        try await emitter.emit(packet)
                    }
                }
                var arrivals = Arrivals(of: pace.count)
                for try await delivery in subscription {
                    let label = delivery.event(as: StoredPacket.self)?.label
                    times.end(label?.number ?? -1)
                    try arrivals.add(label)
                    if arrivals.areComplete {
                        try await delivery.acknowledge()
                        break
                    }
                }
                try arrivals.finish()
                try await group.waitForAll()
            }
        }
        return try times.latency()
    }

    /// From a bare client and back.
    private static func latency(_ pace: Pace, of bare: BareClient) async throws -> Latency {
        let times = Times(count: pace.count)
        let message = StoredPacket(Label(number: 0)).bytes
        try await pace.run { number in
            times.begin(number)
            try await bare.echo(message)
            times.end(number)
        }
        return try times.latency()
    }
}
