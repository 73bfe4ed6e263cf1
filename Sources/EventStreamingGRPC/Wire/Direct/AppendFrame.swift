import EventStreamingCore
import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

/// What is to be appended to a stream: the contents of `WirePublishRequest`.
struct AppendRequest: Sendable {
    enum Events: Sendable {
        /// As they came; not looked at yet.
        case wire([WireNewEvent])
        /// With ids of their own, and bytes for payloads.
        case direct([NewEvent])
    }

    var stream: String
    var expectedVersion: WireExpectedVersion
    var events: Events

    init(stream: String, expectedVersion: WireExpectedVersion, events: Events) {
        self.stream = stream
        self.expectedVersion = expectedVersion
        self.events = events
    }

    init(_ request: WirePublishRequest) {
        self.init(
            stream: request.stream,
            expectedVersion: request.expectedVersion,
            events: .wire(request.events)
        )
    }

    var count: Int {
        switch events {
        case .wire(let events): events.count
        case .direct(let events): events.count
        }
    }

    /// The bytes of all payloads.
    var size: Int {
        switch events {
        case .wire(let events): events.reduce(0) { $0 + $1.payload.count }
        case .direct(let events): events.reduce(0) { $0 + $1.size }
        }
    }
}

extension WirePublishRequest {
    init(_ request: AppendRequest) {
        self.init()
        stream = request.stream
        expectedVersion = request.expectedVersion
        switch request.events {
        case .wire(let events):
            self.events = events
        case .direct(let events):
            self.events = events.map { event in
                let bytes: [UInt8] = if case .encoded(let bytes) = event.payload { bytes } else { [] }
                return WireNewEvent(event, payload: bytes)
            }
        }
    }
}

/// A frame of `PublishStream` that a client sends: the contents of `WirePublishStreamRequest`. As with ``SubscribeFrame``,
/// events are written and read without the generated messages.
struct AppendFrame: Sendable {
    var sequence: UInt64
    var append: AppendRequest
}

/// Writes frames of a client that publishes.
struct AppendFrameSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: AppendFrame) throws -> Bytes {
        guard case .direct(let events) = message.append.events else {
            var request = WirePublishStreamRequest()
            request.sequence = message.sequence
            request.append = WirePublishRequest(message.append)
            return try ProtobufSerializer().serialize(request)
        }
        return try message.serialized(events)
    }
}

/// Reads frames of a client that publishes.
struct AppendFrameDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> AppendFrame {
        if let frame = serializedMessageBytes.withUnsafeBytes({ AppendFrame(serialized: $0) }) { return frame }
        let request = try ProtobufDeserializer<WirePublishStreamRequest>().deserialize(serializedMessageBytes)
        return AppendFrame(sequence: request.sequence, append: AppendRequest(request.append))
    }
}

// MARK: - Writing

extension AppendFrame {
    fileprivate func serialized<Bytes: GRPCContiguousBytes>(_ events: [NewEvent]) throws -> Bytes {
        let expectation: [UInt8] = try append.expectedVersion.serializedBytes()
        var sizes: [Int] = []
        sizes.reserveCapacity(events.count)
        var appendSize = ProtobufSize.field(append.stream) + ProtobufSize.bytes(expectation.count)
        for event in events {
            let size = EventFields(event).size
            sizes.append(size)
            appendSize += ProtobufSize.message(size)
        }
        var bytes = Bytes(repeating: 0, count: ProtobufSize.field(sequence) + ProtobufSize.message(appendSize))
        let isComplete = bytes.withUnsafeMutableBytes { memory in
            var writer = ProtobufWriter(memory)
            writer.field(1, sequence)
            writer.begin(2, size: appendSize)
            writer.field(1, append.stream)
            for (event, size) in zip(events, sizes) {
                writer.begin(2, size: size)
                EventFields(event).write(.new, to: &writer)
            }
            writer.field(3, expectation)
            return writer.isComplete
        }
        guard isComplete else {
            throw RPCError(code: .internalError, message: "A frame has another size than expected.")
        }
        return bytes
    }
}

// MARK: - Reading

extension AppendFrame {
    /// - Returns: `nil` where something is not as our own writer has it.
    fileprivate init?(serialized memory: UnsafeRawBufferPointer) {
        var reader = ProtobufReader(memory)
        guard reader.varint() == 0x08, let sequence = reader.varint(), reader.varint() == 0x12,
            let bytes = reader.bytes(), reader.isAtEnd, let append = AppendRequest(serialized: bytes)
        else { return nil }
        self.init(sequence: sequence, append: append)
    }
}

extension AppendRequest {
    fileprivate init?(serialized memory: UnsafeRawBufferPointer) {
        var reader = ProtobufReader(memory)
        var fields = EventFieldReader(.new)
        var (stream, expectation, events): (String, WireExpectedVersion, [NewEvent]) = ("", .init(), [])
        var last: UInt64 = 0
        while !reader.isAtEnd {
            guard let key = reader.varint(), key >> 3 > last || key == 0x12 else { return nil }
            last = key >> 3
            switch key {
            case 0x0A:
                guard let text = reader.text() else { return nil }
                stream = text
            case 0x12:
                guard let bytes = reader.bytes(), let event = NewEvent(serialized: bytes, &fields) else { return nil }
                events.append(event)
            case 0x1A:
                guard let bytes = reader.bytes(), let read = try? WireExpectedVersion(serializedBytes: Array(bytes))
                else { return nil }
                expectation = read
            default: return nil
            }
        }
        self.init(stream: stream, expectedVersion: expectation, events: .direct(events))
    }
}

extension NewEvent {
    fileprivate init?(serialized memory: UnsafeRawBufferPointer, _ fields: inout EventFieldReader) {
        var reader = ProtobufReader(memory)
        // Whoever sends none is given an id, by who reads all that is allowed.
        guard let event = fields.read(from: reader.varint(), &reader), let id = event.id, id.high != 0 || id.low != 0
        else { return nil }
        self.init(
            id: id,
            type: event.type,
            payload: .encoded(event.payload),
            size: event.payload.count,
            knownContext: event.context
        )
    }
}
