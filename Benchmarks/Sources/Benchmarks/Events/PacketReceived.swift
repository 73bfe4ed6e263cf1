import EventStreaming

/// An event with a payload of 256 bytes, new for each event, as a publisher would make it.
struct PacketReceived: BenchmarkEvent {
    static let payloadSize = 256

    typealias Process = BenchmarkWorkflow

    let label: Label
    let payload: [UInt8]

    init(_ label: Label) {
        self.label = label
        payload = [UInt8](repeating: UInt8(truncatingIfNeeded: label.number), count: Self.payloadSize)
    }
}
