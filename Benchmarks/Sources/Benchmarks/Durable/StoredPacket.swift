import EventStreaming

/// An event that is 256 bytes, the first eight of which tell its number.
struct StoredPacket: BenchmarkEvent {
    static let length = 256
    static let eventType = "packet-received"

    typealias Process = BenchmarkWorkflow

    let bytes: [UInt8]

    init(_ label: Label) {
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: label.number), count: Self.length)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: UInt64(label.number).littleEndian, as: UInt64.self) }
        self.bytes = bytes
    }

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The number in its bytes.
    var label: Label { Label(number: Self.number(in: bytes) ?? -1) }
    var payloadSize: Int? { bytes.count }

    /// The number in the bytes of an event; `nil` when they are too few.
    static func number(in bytes: [UInt8]) -> Int? {
        guard bytes.count >= 8 else { return nil }
        let bits = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        return Int(truncatingIfNeeded: bits & 0xFF_FFFF_FFFF)
    }

    init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode([UInt8].self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

/// Takes the bytes of a ``StoredPacket`` as they are: databases are measured here, not JSON, which would take longer
/// than all the rest.
struct PacketCodec: EventCodec {
    func encode<E: Event>(_ event: E) throws(EventStreamingError) -> [UInt8] {
        guard let packet = event as? StoredPacket else { throw Self.otherType }
        return packet.bytes
    }

    func decode<E: Event>(_ type: E.Type, from bytes: [UInt8]) throws(EventStreamingError) -> E {
        guard let packet = StoredPacket(bytes: bytes) as? E else { throw Self.otherType }
        return packet
    }

    private static let otherType = EventStreamingError(.encodingFailed, "The benchmarks store packets only.")
}
