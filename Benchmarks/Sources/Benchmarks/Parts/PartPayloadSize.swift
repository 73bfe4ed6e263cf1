import EventStreaming
import Foundation

extension Benchmark {
    static let partPayloadSize = Benchmark(
        "part-payload-size",
        "the size of an event with a payload of 256 bytes, measured without encoding, against JSONEncoder"
    ) { rounds in
        let event = PacketMeasured(Label(number: 7))
        return try await rounds.compare(unit: "ns") {
            try measure(event, count: 100_000)
        } with: {
            let watch = Stopwatch()
            for _ in 0..<1000 {
                keep(try JSONEncoder().encode(event))
            }
            return watch.nanoseconds(per: 1000)
        }.addingAllocations(per: 1000) {
            _ = try measure(event, count: 1000)
        }
    }

    private static func measure(_ event: PacketMeasured, count: Int) throws -> Double {
        let watch = Stopwatch()
        for _ in 0..<count {
            keep(try PayloadMeter.size(of: event, limit: 1_000_000))
        }
        return watch.nanoseconds(per: count)
    }
}
