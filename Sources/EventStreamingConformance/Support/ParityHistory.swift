import EventStreamingCore
import EventStreamingTesting

/// Decides what is called next. Knows nothing of what stores answer but how many registrations and leases there are.
struct ParityHistory {
    private static let streams = ["log", "queue", "small", "ring", "nowhere"]
    /// Mostly keeps receipts.
    static let receiptSubscription = "third"
    private static let subscriptions = ["first", "second", receiptSubscription, "nobody"]
    private static let consumers = ["a", "b", "c"]
    private static let types = ["Placed", "Shipped", "Noted"]

    private var random: SeededGenerator
    private let ids = MessageIDGenerator(clock: ManualClock())
    private var appended: [NewEvent] = []
    private var registrations = 0
    private var leases = 0
    private var steps = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func note(registrations: Int, leases: Int) {
        self.registrations = registrations
        self.leases = leases
    }

    mutating func next() throws -> ParityCall {
        steps += 1
        switch steps {
        case 1...4: return .createStream(try definition(Self.streams[steps - 1], isOrdinary: true))
        case 5...7: return .createSubscription(try subscription(Self.subscriptions[steps - 5], isOrdinary: true))
        default: break
        }
        switch number(0..<112) {
        case 0..<2: return .createStream(try definition(pick(Self.streams.dropLast()), isOrdinary: false))
        case 2..<22: return .append(try (0..<number(1..<4)).map { _ in try append() })
        case 22..<27: return .read(try stream(), offset(), pick([.forward, .backward]), limit: limit())
        case 27..<30: return .metadata(try stream())
        case 30..<33: return .resolve(position(), try stream())
        case 33..<34: return .trim(try stream(), offset(below: 30))
        case 34..<36: return .applyRetention(try stream())
        case 36..<38:
            return .createSubscription(try subscription(pick(Self.subscriptions.dropLast()), isOrdinary: false))
        case 38..<39: return .createConsumer(try consumer(), try subscriptionID(), maybe { $0.position() })
        case 39..<43:
            return .register(
                try consumer(), try subscriptionID(), pick([.durable, .temporary]), maybe { $0.position() })
        case 43..<44: return .unregister(number(0..<max(1, registrations)))
        case 44..<45: return .remove(try consumer(), try subscriptionID())
        case 45..<48:
            let lease = flip() ? recent(leases) : nil
            return .heartbeat(recent(registrations), extendsLeases: flip(), lease: lease)
        case 48..<49: return .expire
        case 49..<53: return .look(try subscriptionID())
        case 53..<72: return .dequeue(recent(registrations), limit: limit())
        case 72..<89: return settle()
        case 89..<90:
            return .setOffset(
                offset(), try maybe { try $0.consumer() }, try subscriptionID(), registration: recent(registrations))
        case 90..<92: return .deadLetters(try subscriptionID(), offset(below: 10), limit: limit())
        case 92..<94: return try closing()
        case 94..<106: return try receiptCall()
        case 106..<111: return .advance(.milliseconds(number(0..<20_000)))
        default: return .setClock(Timestamp(nanosecondsSinceEpoch: Int64(random.next() >> 2)))
        }
    }

    /// Something done with dead letters.
    private mutating func closing() throws -> ParityCall {
        let subscription = try subscriptionID()
        let ranges = (0..<number(1..<4)).map { _ -> Range<StreamOffset> in
            let start = Int64(number(0..<12))
            return StreamOffset(start)..<StreamOffset(start + Int64(number(0..<6)))
        }
        switch number(0..<6) {
        case 0: return .redrivable(ranges, subscription)
        case 1: return .deadLetterAudit(subscription, limit: limit())
        case 2:
            // Of two mistakes at once any may be told, so an unknown subscription gets a note that is good.
            let actors = subscription.rawValue == "nobody" ? ["ada"] : ["ada", "ada", "grace", ""]
            return .discard(ranges, subscription, AuditNote(by: pick(actors), because: "number \(steps)"))
        default: return .redrive(ranges, subscription)
        }
    }

    // MARK: - Parts

    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func flip() -> Bool { number(0..<2) == 0 }
    mutating func pick<Value>(_ values: some RandomAccessCollection<Value>) -> Value {
        values[values.index(values.startIndex, offsetBy: number(0..<values.count))]
    }

    mutating func maybe<Value>(_ make: (inout Self) throws -> Value) rethrows -> Value? {
        flip() ? try make(&self) : nil
    }

    /// One of the last, so that most are still good.
    private mutating func recent(_ count: Int) -> Int { max(0, count - 1 - number(0..<3)) }

    private mutating func stream() throws -> StreamName { try StreamName(pick(Self.streams)) }
    mutating func subscriptionID() throws -> SubscriptionID { try SubscriptionID(pick(Self.subscriptions)) }
    mutating func consumer() throws -> ConsumerID { try ConsumerID(pick(Self.consumers)) }
    mutating func limit() -> Int { number(0..<20) == 0 ? number(-1..<1) : number(1..<12) }
    mutating func offset(below end: Int = 60) -> StreamOffset { StreamOffset(Int64(number(0..<end))) }

    private mutating func position() -> StartPosition {
        switch number(0..<6) {
        case 0, 1: return .beginning
        case 2: return .latest
        case 3: return .offset(offset())
        case 4:
            return .timestamp(Timestamp(nanosecondsSinceEpoch: 1_767_225_600_000_000_000) + .seconds(number(0..<600)))
        default:
            return .event(knownEvent())
        }
    }

    /// Mostly one that was appended.
    mutating func knownEvent() -> MessageID {
        guard let event = appended.randomElement(using: &random), number(0..<5) > 0 else { return ids.next() }
        return event.id
    }

    private mutating func definition(_ name: String, isOrdinary: Bool) throws -> StreamDefinition {
        var definition = StreamDefinition(name: try StreamName(name), type: name == "queue" ? .ephemeral : .persistent)
        switch name {
        case "log": definition.retention = .maxCount(40)
        case "small": definition.capacity = 20
        case "ring": (definition.capacity, definition.overflow) = (15, .dropOldest)
        default: break
        }
        guard !isOrdinary else { return definition }
        switch number(0..<5) {
        case 0: definition.type = pick(StreamType.allCases)
        case 1: definition.capacity = number(-1..<40)
        case 2: definition.retention = .maxBytes(number(-1..<100))
        case 3: definition.retention = .maxAge(.seconds(number(-1..<60)))
        default: definition.retention = RetentionPolicy(maximumAge: .seconds(30), maximumCount: 10, maximumBytes: 50)
        }
        return definition
    }

    private mutating func subscription(_ name: String, isOrdinary: Bool) throws -> SubscriptionDefinition {
        let modes: [SubscriptionMode] = [.exclusive, .broadcast, .consumerGroup]
        var definition = try SubscriptionDefinition(
            id: SubscriptionID(name),
            stream: StreamName(isOrdinary ? pick(["log", "queue", "small", "ring"]) : pick(Self.streams)),
            mode: isOrdinary ? pick(modes) : pick(SubscriptionMode.allCases),
            semantics: number(0..<5) == 0 ? .atMostOnce : .atLeastOnce,
            start: isOrdinary ? .beginning : position(),
            eventTypes: flip() ? nil : [pick(Self.types), pick(Self.types)],
            visibilityTimeout: .seconds(number(5..<20)),
            consumerTimeout: .seconds(number(20..<60))
        )
        if isOrdinary, name == Self.receiptSubscription, number(0..<4) > 0 {
            definition.mode = .readReceipt
            definition.semantics = .atLeastOnce
            definition.stream = try StreamName(pick(["log", "small", "ring"]))
        }
        definition.partitions = isOrdinary ? 4 : number(0..<6)
        let canKeepOrder = definition.mode == .consumerGroup && definition.semantics == .atLeastOnce
        definition.keepsOrder = flip() && (canKeepOrder || !isOrdinary)
        definition.retry.jitter = 0
        definition.retry.maximumAttempts = isOrdinary ? 3 : number(0..<4)
        return definition
    }

    private mutating func append() throws -> StreamAppend {
        var events: [NewEvent] = []
        for _ in 0..<number(number(0..<15) == 0 ? 0..<1 : 1..<6) {
            if number(0..<12) == 0, let known = appended.randomElement(using: &random) {
                events.append(flip() ? known : event(id: known.id))
            } else {
                events.append(event(id: ids.next()))
            }
        }
        appended += events
        let expectations: [ExpectedVersion] = [.noStream, .exists, .exactly(offset())]
        let expected = number(0..<4) == 0 ? pick(expectations) : .any
        // Of two mistakes at once any may be told, so there is only one.
        let stream = events.isEmpty ? try StreamName(Self.streams[0]) : try stream()
        return StreamAppend(stream: stream, events: events, expectedVersion: expected)
    }

    private mutating func event(id: MessageID) -> NewEvent {
        let bytes = (0..<number(0..<9)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let headers = flip() ? [:] : ["h": "\(number(0..<100))", PartitionKey.header: "key \(number(0..<4))"]
        return NewEvent(
            id: id,
            type: EventType(name: pick(Self.types), version: number(1..<3)),
            payload: .encoded(bytes),
            size: bytes.count,
            context: EventContext(causationID: flip() ? nil : id, headers: headers)
        )
    }

    private mutating func settle() -> ParityCall {
        let fates = (0..<12).map { _ -> ParityFate in
            switch number(0..<10) {
            case 0: .rejected(.deadLetter)
            case 1: .rejected(.retry(after: nil))
            case 2: .rejected(.retry(after: .seconds(number(-1..<10))))
            case 3: .open
            case 4, 5: .read
            default: .completed
            }
        }
        let lease = recent(leases)
        let next = maybe { history -> (registration: Int?, limit: Int) in
            let isStranger = history.number(0..<8) == 0
            return (isStranger ? history.recent(history.registrations) : nil, history.limit())
        }
        return .settle(lease: lease, fates, releasesRest: flip(), dequeuing: next)
    }
}
