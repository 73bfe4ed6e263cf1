import EventStreaming
import GRPCCore
import SwiftProtobuf
import Testing

@testable import EventStreamingGRPC

/// What is written and read without the generated messages must be what they write and read.
@Suite("Events on the wire, written and read directly")
struct DirectCodingTests {
    // MARK: - Leases

    @Test("leases are written as the contract has them, and read again", arguments: 1...50 as ClosedRange<UInt64>)
    func leases(seed: UInt64) throws {
        var random = SeededNumbers(seed: seed)
        let frame = Self.lease(&random)
        let bytes: [UInt8] = try SubscribeFrameSerializer().serialize(.lease(frame))
        let message = try WireSubscribeResponse(serializedBytes: bytes)
        #expect(message.batch == Self.batch(frame), "seed \(seed)")
        guard case .lease(let read) = try SubscribeFrameDeserializer().deserialize(bytes) else {
            Issue.record("What we write is not read directly, seed \(seed).")
            return
        }
        #expect(Self.batch(read) == message.batch, "seed \(seed)")
        #expect(read.creditBytes == frame.events.reduce(0) { $0 + $1.creditBytes }, "seed \(seed)")
        // What the general encoder writes is read, too.
        let general: [UInt8] = try message.serializedBytes()
        guard case .lease(let other) = try SubscribeFrameDeserializer().deserialize(general) else {
            Issue.record("What others write is not read directly, seed \(seed).")
            return
        }
        #expect(Self.batch(other) == message.batch, "seed \(seed)")
    }

    @Test(
        "damaged leases are read as the general decoder does, or refused as it does",
        arguments: 1...50 as ClosedRange<UInt64>)
    func damagedLeases(seed: UInt64) throws {
        var random = SeededNumbers(seed: seed)
        let bytes: [UInt8] = try SubscribeFrameSerializer().serialize(.lease(Self.lease(&random)))
        for _ in 0..<300 {
            let damaged = Self.damage(bytes, &random)
            let general = try? WireSubscribeResponse(serializedBytes: damaged)
            switch try? SubscribeFrameDeserializer().deserialize(damaged) {
            case .lease(let frame):
                let isSame = Self.batch(frame) == general.map { Self.plain($0.batch) }
                #expect(isSame, "seed \(seed)")
            case .message(let message):
                let isSame = message == general
                #expect(isSame, "seed \(seed)")
            case nil: #expect(general == nil, "seed \(seed)")
            }
        }
    }

    // MARK: - Appends

    @Test("appends are written as the contract has them, and read again", arguments: 1...50 as ClosedRange<UInt64>)
    func appends(seed: UInt64) throws {
        var random = SeededNumbers(seed: seed)
        let frame = Self.append(&random)
        let bytes: [UInt8] = try AppendFrameSerializer().serialize(frame)
        let message = try WirePublishStreamRequest(serializedBytes: bytes)
        #expect(message.sequence == frame.sequence, "seed \(seed)")
        #expect(message.append.stream == "shop", "seed \(seed)")
        #expect(message.append.expectedVersion == frame.append.expectedVersion, "seed \(seed)")
        #expect(message.append.events == WirePublishRequest(frame.append).events, "seed \(seed)")
        for bytes in [bytes, try message.serializedBytes()] {
            let read = try AppendFrameDeserializer().deserialize(bytes)
            guard case .direct = read.append.events else {
                Issue.record("It is not read directly, seed \(seed).")
                return
            }
            let isSame = Self.plain(WirePublishRequest(read.append)) == Self.plain(message.append)
            #expect(isSame, "seed \(seed)")
        }
    }

    @Test(
        "damaged appends are read as the general decoder does, or refused as it does",
        arguments: 1...50 as ClosedRange<UInt64>)
    func damagedAppends(seed: UInt64) throws {
        var random = SeededNumbers(seed: seed)
        let bytes: [UInt8] = try AppendFrameSerializer().serialize(Self.append(&random))
        for _ in 0..<300 {
            let damaged = Self.damage(bytes, &random)
            let general = try? WirePublishStreamRequest(serializedBytes: damaged)
            let direct = try? AppendFrameDeserializer().deserialize(damaged)
            let isSame =
                direct.map { Self.plain(WirePublishRequest($0.append)) } == general.map { Self.plain($0.append) }
            #expect(isSame, "seed \(seed)")
            #expect(direct?.sequence == general?.sequence, "seed \(seed)")
        }
    }

    @Test("an event without an id is given one by who can")
    func withoutID() throws {
        var request = WirePublishStreamRequest()
        request.sequence = 1
        var event = WireNewEvent()
        event.type = "OrderPlaced"
        request.append.events = [event]
        let bytes: [UInt8] = try request.serializedBytes()
        guard case .wire(let events) = try AppendFrameDeserializer().deserialize(bytes).append.events else {
            Issue.record("It was read directly.")
            return
        }
        #expect(events == [event])
    }

    // MARK: - Making

    private static func text(_ random: inout SeededNumbers) -> String {
        String((0..<Int.random(in: 0...20, using: &random)).map { _ in "aé✓z0".randomElement(using: &random) ?? "a" })
    }

    private static func id(_ random: inout SeededNumbers) -> MessageID {
        MessageID(high: random.next(), low: Bool.random(using: &random) ? random.next() : 1)
    }

    private static func event(_ random: inout SeededNumbers) -> NewEvent {
        let size = [0, 1, 127, 128, 300].randomElement(using: &random) ?? 0
        let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        var context = EventContext.empty
        if Bool.random(using: &random) {
            let names = (0..<Int.random(in: 0...3, using: &random)).map { "name-\($0)" }
            context = EventContext(
                correlationID: Bool.random(using: &random) ? try? WorkflowID("workflow-\(random.next())") : nil,
                causationID: Bool.random(using: &random) ? id(&random) : nil,
                headers: Dictionary(uniqueKeysWithValues: names.map { ($0, text(&random)) })
            )
        }
        let type = EventType(
            name: ["OrderPlaced", "Ä", String(repeating: "n", count: 200)].randomElement(using: &random) ?? "",
            version: Int.random(in: 1...3, using: &random)
        )
        return NewEvent(id: id(&random), type: type, payload: .encoded(bytes), size: size, context: context)
    }

    private static func lease(_ random: inout SeededNumbers) -> LeaseFrame {
        let first = [Int64(0), 1, 127, 1 << 40].randomElement(using: &random) ?? Int64(0)
        let events = (0..<Int64.random(in: 1...40, using: &random)).map { index in
            StoredEvent(
                event(&random),
                offset: StreamOffset(first + index * 2),
                timestamp: Timestamp(nanosecondsSinceEpoch: Int64.random(in: 0 ... .max, using: &random))
            )
        }
        // As they are in the middle of a lease of several frames.
        let all = events + events
        return LeaseFrame(
            epoch: random.next(),
            offsets: StreamOffset(first)..<StreamOffset(first + 100),
            attempt: Int.random(in: 1...300, using: &random),
            isRedriven: Bool.random(using: &random),
            needsSettlement: Bool.random(using: &random),
            missed: Int.random(in: 0...3, using: &random),
            isLast: Bool.random(using: &random),
            events: all[..<events.count],
            creditBytes: 0
        )
    }

    private static func append(_ random: inout SeededNumbers) -> AppendFrame {
        let events = (0..<Int.random(in: 0...40, using: &random)).map { _ in event(&random) }
        let expectations = [ExpectedVersion.any, .noStream, .exists, .exactly(StreamOffset(300))]
        return AppendFrame(
            sequence: UInt64.random(in: 1 ... .max, using: &random),
            append: AppendRequest(
                stream: "shop",
                expectedVersion: WireExpectedVersion(expectations.randomElement(using: &random) ?? .any),
                events: .direct(events)
            )
        )
    }

    /// The message of a frame, by the generated code.
    private static func batch(_ frame: LeaseFrame) -> WireBatch {
        var batch = WireBatch()
        batch.leaseEpoch = frame.epoch
        batch.offsets = WireOffsetRange(frame.offsets)
        batch.attempt = Int32(clamping: frame.attempt)
        batch.isRedriven = frame.isRedriven
        batch.needsSettlement = frame.needsSettlement
        batch.missed = Int64(frame.missed)
        batch.isLast = frame.isLast
        batch.events = frame.events.map { event in
            let bytes: [UInt8] = if case .encoded(let bytes) = event.payload { bytes } else { [] }
            return WireEvent(event, payload: bytes)
        }
        return batch
    }

    /// The same as a reader takes it: version 1 where there is none, any length of the stream, nothing that is not known.
    private static func plain(_ request: WirePublishRequest) -> WirePublishRequest {
        var request = request
        request.expectedVersion = request.expectedVersion
        request.unknownFields = UnknownStorage()
        for index in request.events.indices where request.events[index].version == 0 {
            request.events[index].version = 1
        }
        return request
    }

    /// The same as a reader takes it.
    private static func plain(_ batch: WireBatch) -> WireBatch {
        var batch = batch
        for index in batch.events.indices where batch.events[index].version == 0 {
            batch.events[index].version = 1
        }
        return batch
    }

    private static func damage(_ bytes: [UInt8], _ random: inout SeededNumbers) -> [UInt8] {
        var bytes = bytes
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 1:
            bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: Int.random(in: 0...bytes.count, using: &random))
        case 2: bytes.remove(at: Int.random(in: bytes.indices, using: &random))
        default:
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] ^=
                    UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return bytes
    }
}
