import EventStreaming

/// An event with a payload of 256 bytes, new for each event, as a publisher would make it. It knows its size.
struct PacketReceived: BenchmarkEvent {
    static let length = 256

    typealias Process = BenchmarkWorkflow

    let label: Label
    let payload: [UInt8]

    init(_ label: Label) {
        self.label = label
        payload = [UInt8](repeating: UInt8(truncatingIfNeeded: label.number), count: Self.length)
    }

    /// Four digits and a comma for each byte, and the label.
    var payloadSize: Int? { payload.count * 4 + 64 }
}

/// The same, without a word about its size, so that each event is measured when it is emitted.
struct PacketMeasured: BenchmarkEvent {
    typealias Process = BenchmarkWorkflow

    let label: Label
    let payload: [UInt8]

    init(_ label: Label) {
        self.label = label
        payload = PacketReceived(label).payload
    }
}
