import EventStreaming

/// The workflow to whose stream all events of the benchmarks go.
enum BenchmarkWorkflow: Workflow {}

/// An event whose place in what its publisher emits can be told from it.
protocol BenchmarkEvent: Event where Process == BenchmarkWorkflow {
    init(_ label: Label)

    var label: Label { get }
}

/// Who emitted an event, and as which of its own.
struct Label: Codable, Sendable, Hashable {
    private let bits: UInt64

    init(publisher: Int = 0, number: Int) {
        bits = UInt64(publisher) << 40 | UInt64(number)
    }

    var publisher: Int { Int(bits >> 40) }
    var number: Int { Int(bits & 0xFF_FFFF_FFFF) }

    init(from decoder: any Decoder) throws {
        bits = try decoder.singleValueContainer().decode(UInt64.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bits)
    }
}
