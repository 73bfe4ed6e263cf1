import EventStreamingCore
import GRPCCore
import GRPCProtobuf

/// A frame that the server sends. Events are written and read without going through the generated messages: that would take
/// longer than everything else that happens to them.
///
/// Kept apart from whoever waits with it: what an asynchronous function has at hand takes its room for as long as its task lives.
indirect enum SubscribeFrame: Sendable {
    case message(WireSubscribeResponse)
    case lease(LeaseFrame)

    init(_ fill: (inout WireSubscribeResponse) -> Void) {
        var response = WireSubscribeResponse()
        fill(&response)
        self = .message(response)
    }
}

/// A part of a lease, as it is in one frame: the contents of `WireBatch`.
struct LeaseFrame: Sendable {
    var epoch: UInt64
    var offsets: Range<StreamOffset>
    var attempt: Int
    var isRedriven: Bool
    var needsSettlement: Bool
    var missed: Int
    var isLast: Bool
    /// In order, and with bytes for payloads.
    var events: ArraySlice<StoredEvent>
    /// What the events cost of a credit in bytes.
    var creditBytes: Int64
}

/// Writes frames of the server.
struct SubscribeFrameSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: SubscribeFrame) throws -> Bytes {
        switch message {
        case .message(let response): try ProtobufSerializer().serialize(response)
        case .lease(let frame): try frame.serialized()
        }
    }
}

/// Reads frames of the server.
struct SubscribeFrameDeserializer: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> SubscribeFrame {
        if let frame = serializedMessageBytes.withUnsafeBytes({ LeaseFrame(serialized: $0) }) { return .lease(frame) }
        return .message(try ProtobufDeserializer<WireSubscribeResponse>().deserialize(serializedMessageBytes))
    }
}

// MARK: - Writing

extension LeaseFrame {
    fileprivate func serialized<Bytes: GRPCContiguousBytes>() throws -> Bytes {
        var sizes: [Int] = []
        sizes.reserveCapacity(events.count)
        var batchSize = 0
        for event in events {
            let size = event.fields.size + ProtobufSize.field(event.wireOffset) + ProtobufSize.fixed(event.wireTime)
            sizes.append(size)
            batchSize += ProtobufSize.message(size)
        }
        let range =
            ProtobufSize.field(UInt64(bitPattern: offsets.lowerBound.rawValue))
            + ProtobufSize.field(UInt64(bitPattern: offsets.upperBound.rawValue))
        let flags = [isRedriven, needsSettlement, isLast].count { $0 } * 2
        batchSize +=
            ProtobufSize.field(epoch) + ProtobufSize.message(range) + ProtobufSize.field(UInt64(clamping: attempt))
            + flags
            + ProtobufSize.field(UInt64(clamping: missed))
        var bytes = Bytes(repeating: 0, count: ProtobufSize.message(batchSize))
        let isComplete = bytes.withUnsafeMutableBytes { memory in
            var writer = ProtobufWriter(memory)
            writer.begin(2, size: batchSize)
            write(sizes, range: range, to: &writer)
            return writer.isComplete
        }
        guard isComplete else {
            throw RPCError(code: .internalError, message: "A frame has another size than expected.")
        }
        return bytes
    }

    private func write(_ sizes: [Int], range: Int, to writer: inout ProtobufWriter) {
        writer.field(1, epoch)
        writer.begin(2, size: range)
        writer.field(1, UInt64(bitPattern: offsets.lowerBound.rawValue))
        writer.field(2, UInt64(bitPattern: offsets.upperBound.rawValue))
        for (event, size) in zip(events, sizes) {
            writer.begin(3, size: size)
            writer.field(1, event.wireOffset)
            writer.fixed(2, event.wireTime)
            event.fields.write(.stored, to: &writer)
        }
        writer.field(4, UInt64(clamping: attempt))
        writer.field(5, isRedriven ? 1 : 0)
        writer.field(6, needsSettlement ? 1 : 0)
        writer.field(7, UInt64(clamping: missed))
        writer.field(8, isLast ? 1 : 0)
    }
}

extension StoredEvent {
    fileprivate var wireOffset: UInt64 { UInt64(bitPattern: offset.rawValue) }
    fileprivate var wireTime: UInt64 { UInt64(bitPattern: timestamp.nanosecondsSinceEpoch) }
    fileprivate var fields: EventFields { EventFields(self) }
}

// MARK: - Reading

extension LeaseFrame {
    /// How many events there is room for at first, at most.
    private static let expectedEvents = 1024

    /// - Returns: `nil` for a frame of another kind, and where something is not as our own writer has it.
    fileprivate init?(serialized memory: UnsafeRawBufferPointer) {
        var outer = ProtobufReader(memory)
        guard outer.varint() == 0x12, let batch = outer.bytes(), outer.isAtEnd else { return nil }
        self.init(
            epoch: 0, offsets: .zero ..< .zero, attempt: 0, isRedriven: false, needsSettlement: false, missed: 0,
            isLast: false, events: [], creditBytes: 0)
        var reader = ProtobufReader(batch)
        var events = EventFieldReader(.stored)
        var hasOffsets = false
        var read: [StoredEvent] = []
        var next = StreamOffset.zero
        var last: UInt64 = 0
        while !reader.isAtEnd {
            guard let key = reader.varint(), key >> 3 > last || key == 0x1A else { return nil }
            last = key >> 3
            switch key {
            case 0x12:
                guard let bytes = reader.bytes(), let range = Range<StreamOffset>(serialized: bytes) else { return nil }
                (offsets, hasOffsets) = (range, true)
            case 0x1A:
                guard let bytes = reader.bytes(), let event = StoredEvent(serialized: bytes, &events),
                    offsets.contains(event.offset), event.offset >= next
                else { return nil }
                if read.isEmpty {
                    // Most are about as large as the first.
                    read.reserveCapacity(min(Self.expectedEvents, batch.count / max(1, bytes.count) + 1))
                }
                next = event.offset.advanced(by: 1)
                creditBytes &+= event.creditBytes
                read.append(event)
            default:
                guard let value = reader.varint(), note(value, key) else { return nil }
            }
        }
        guard hasOffsets else { return nil }
        self.events = read[...]
    }

    /// - Returns: Whether it is a field that is known, with a value that can be.
    private mutating func note(_ value: UInt64, _ key: UInt64) -> Bool {
        switch key {
        case 0x08: epoch = value
        case 0x20 where value <= UInt64(Int32.max): attempt = Int(value)
        case 0x28 where value <= 1: isRedriven = value == 1
        case 0x30 where value <= 1: needsSettlement = value == 1
        case 0x38 where value <= UInt64(Int64.max): missed = Int(clamping: value)
        case 0x40 where value <= 1: isLast = value == 1
        default: return false
        }
        return true
    }
}

extension Range<StreamOffset> {
    fileprivate init?(serialized memory: UnsafeRawBufferPointer) {
        var reader = ProtobufReader(memory)
        var (begin, end): (UInt64, UInt64) = (0, 0)
        while !reader.isAtEnd {
            guard let key = reader.varint(), let value = reader.varint(), value <= UInt64(Int64.max) else { return nil }
            switch key {
            case 0x08: begin = value
            case 0x10: end = value
            default: return nil
            }
        }
        guard begin < end else { return nil }
        self = StreamOffset(Int64(begin))..<StreamOffset(Int64(end))
    }
}

extension StoredEvent {
    fileprivate init?(serialized memory: UnsafeRawBufferPointer, _ events: inout EventFieldReader) {
        var reader = ProtobufReader(memory)
        var (offset, time): (UInt64, UInt64) = (0, 0)
        var key = reader.varint()
        if key == 0x08 {
            guard let value = reader.varint(), value <= UInt64(Int64.max) else { return nil }
            (offset, key) = (value, reader.varint())
        }
        if key == 0x11 {
            guard let value = reader.fixed() else { return nil }
            (time, key) = (value, reader.varint())
        }
        guard let event = events.read(from: key, &reader), let id = event.id else { return nil }
        self.init(
            offset: StreamOffset(Int64(offset)),
            timestamp: Timestamp(nanosecondsSinceEpoch: Int64(bitPattern: time)),
            id: id,
            type: event.type,
            payload: .encoded(event.payload),
            size: event.payload.count,
            knownContext: event.context
        )
    }
}
