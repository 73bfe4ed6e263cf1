import EventStreamingCore
import EventStreamingTesting

/// One of the stores that are compared, with what it gave out.
struct ParitySide {
    let name: String
    let harness: StoreHarness
    private(set) var registrations: [ConsumerRegistration] = []
    private(set) var leases: [Lease] = []
    /// The subscriptions that keep receipts.
    private var receiptSubscriptions: Set<SubscriptionID> = []

    private var store: any EventStreamingStore { harness.store }

    init(name: String, harness: StoreHarness) {
        self.name = name
        self.harness = harness
    }

    /// Makes the call, and tells what came of it as a text that can be compared.
    mutating func outcome(of call: ParityCall) async -> String {
        do throws(EventStreamingError) {
            return try await perform(call)
        } catch {
            let length = error.actualLength.map { " \($0)" } ?? ""
            return "\(error.code)\(length) \(error.problems.count)"
        }
    }

    private mutating func perform(_ call: ParityCall) async throws(EventStreamingError) -> String {
        switch call {
        case .unregister, .heartbeat, .dequeue, .settle, .setOffset: return try await consume(call)
        case .createSubscription, .createConsumer, .register, .remove, .expire, .look: return try await administer(call)
        case .deadLetters, .redrivable, .redrive, .discard, .deadLetterAudit: return try await operate(call)
        case .receipts(let call, let subscription): return try await outcome(of: call, subscription)
        case .createStream(let definition): try await store.createStream(definition)
        case .append(let group): return await append(group)
        case .read(let stream, let offset, let direction, let limit):
            let page = try await store.read(stream, from: offset, direction: direction, limit: limit)
            return "\(page.map(Self.text))"
        case .metadata(let stream): return "\(try await store.metadata(of: stream))"
        case .resolve(let position, let stream): return "\(try await store.offset(of: position, in: stream))"
        case .trim(let stream, let offset): return "\(try await store.trim(stream, before: offset))"
        case .applyRetention(let stream): return "\(try await store.applyRetention(to: stream))"
        // What has run out by now must not be found later by one store than by another, at another time.
        case .advance(let duration):
            _ = try await store.expireConsumers()
            harness.clock.advance(by: duration)
        case .setClock(let time):
            _ = try await store.expireConsumers()
            harness.clock.setWallClock(to: time)
        }
        return "done"
    }

    private func append(_ group: [StreamAppend]) async -> String {
        var texts: [String] = []
        for result in await store.append(group) {
            switch result {
            case .success(let appended): texts.append("\(appended)")
            case .failure(let error): texts.append("\(error.code) \(error.actualLength ?? -1)")
            }
        }
        return "\(texts)"
    }

    private mutating func administer(_ call: ParityCall) async throws(EventStreamingError) -> String {
        switch call {
        case .createSubscription(let definition):
            try await store.createSubscription(definition)
            if definition.mode == .readReceipt {
                receiptSubscriptions.insert(definition.id)
            }
        case .createConsumer(let consumer, let subscription, let start):
            try await store.createConsumer(consumer, of: subscription, start: start)
        case .register(let consumer, let subscription, let kind, let start):
            registrations.append(
                try await store.registerConsumer(consumer, of: subscription, kind: kind, start: start)
            )
        case .remove(let consumer, let subscription):
            return "\(try await store.removeConsumer(consumer, of: subscription))"
        // Who had expired before this call is for stores to tell or not.
        case .expire: _ = try await store.expireConsumers()
        case .look(let subscription): return try await look(subscription)
        default: break
        }
        return "done"
    }

    private func operate(_ call: ParityCall) async throws(EventStreamingError) -> String {
        switch call {
        case .deadLetters(let subscription, let number, let limit):
            let letters = try await store.deadLetters(of: subscription, from: number, limit: limit)
            return "\(letters.map(Self.text))"
        case .redrivable(let numbers, let subscription):
            return "\(try await store.redrivable(numbers, of: subscription))"
        case .redrive(let numbers, let subscription):
            let note = AuditNote(by: "parity", because: "")
            return "\(try await store.redrive(numbers, of: subscription, by: note))"
        case .discard(let numbers, let subscription, let note):
            return "\(try await store.discard(numbers, of: subscription, by: note))"
        case .deadLetterAudit(let subscription, let limit):
            // The numbers of the entries may have gaps.
            let entries = try await store.deadLetterAudit(of: subscription, from: 0, limit: limit).map { entry in
                "\(entry.action) \(entry.deadLetter) \(entry.event) \(entry.consumer.map(\.rawValue) ?? "-") "
                    + "\(entry.note) \(entry.time)"
            }
            return "\(entries)"
        default: return "done"
        }
    }

    private func look(_ subscription: SubscriptionID) async throws(EventStreamingError) -> String {
        let progress = try await store.progress(of: subscription)
        let consumers = try await store.consumers(of: subscription).map { consumer in
            "\(consumer.id) \(consumer.kind) \(consumer.isConnected) \(consumer.inFlight) \(consumer.registeredAt)"
        }
        let positions = try await store.positions(of: subscription).map { position in
            "\(position.consumer.map(\.rawValue) ?? "-") \(position.offset) \(Self.place(position.epoch, registrations))"
        }
        let partitions = try await store.partitions(of: subscription).map { partition in
            "\(partition.owner.map(\.rawValue) ?? "-") \(partition.previousOwner.map(\.rawValue) ?? "-")"
        }
        return "\(progress) \(consumers) \(positions) \(partitions)"
    }

    /// Which registration an epoch belongs to; epochs themselves differ from store to store.
    private static func place(_ epoch: UInt64, _ registrations: [ConsumerRegistration]) -> Int {
        registrations.lastIndex { $0.epoch == epoch } ?? -1
    }

    private mutating func consume(_ call: ParityCall) async throws(EventStreamingError) -> String {
        switch call {
        case .unregister(let index):
            guard let registration = registration(index) else { return "nobody" }
            try await store.unregisterConsumer(registration)
        case .heartbeat(let index, let extendsLeases, let lease):
            guard let registration = registration(index) else { return "nobody" }
            var extended: LeaseExtension = extendsLeases ? .all : .none
            if let lease, leases.indices.contains(lease) {
                extended = .only([leases[lease].epoch])
            }
            try await store.heartbeat(registration, extending: extended)
        case .dequeue(let index, let limit):
            guard let registration = registration(index) else { return "nobody" }
            return try await dequeue(as: registration, limit: limit, settling: nil)
        case .settle(let index, let fates, let releasesRest, let next):
            guard leases.indices.contains(index) else { return "no lease" }
            let settlement = settlement(of: leases[index], fates, releasesRest: releasesRest)
            if let next {
                let consumer = next.registration.flatMap { registration($0) } ?? settlement.holder
                return try await dequeue(as: consumer, limit: next.limit, settling: settlement)
            }
            try await store.settle(settlement)
        case .setOffset(let offset, let consumer, let subscription, let index):
            let epoch = registration(index)?.epoch ?? 0
            return "\(try await store.setOffset(offset, of: consumer, in: subscription, epoch: epoch))"
        default: break
        }
        return "done"
    }

    private mutating func dequeue(
        as consumer: ConsumerRegistration,
        limit: Int,
        settling settlement: Settlement?
    ) async throws(EventStreamingError) -> String {
        switch try await store.dequeue(as: consumer, limit: limit, settling: settlement) {
        case .lease(let lease):
            leases.append(lease)
            return Self.text(lease)
        case .empty(let until): return "empty until \(until.map { "\($0)" } ?? "a change")"
        }
    }

    private func registration(_ index: Int) -> ConsumerRegistration? {
        registrations.indices.contains(index) ? registrations[index] : nil
    }

    private func settlement(of lease: Lease, _ fates: [ParityFate], releasesRest: Bool) -> Settlement {
        var settlement = Settlement(of: lease.holder, leaseEpoch: lease.epoch, releasesRest: releasesRest)
        for (event, fate) in zip(lease.events, fates) {
            let range = event.offset..<event.offset.advanced(by: 1)
            switch fate {
            case .completed: settlement.completed.append(range)
            case .read:
                settlement.completed.append(range)
                if receiptSubscriptions.contains(lease.holder.subscription) {
                    settlement.read.append(range)
                }
            case .rejected(let action):
                settlement.rejections.append(Rejection(offsets: range, action: action, reason: "no \(event.offset)"))
            case .open: break
            }
        }
        return settlement
    }

    // MARK: - Texts

    private static func text(_ event: StoredEvent) -> String {
        let headers = event.headers.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let causation = event.causationID.map { "\($0)" } ?? "-"
        return "\(event.offset) \(event.id) \(event.type) \(event.bytes ?? []) \(event.size) \(event.timestamp) "
            + "\(causation) \(headers)"
    }

    private static func text(_ lease: Lease) -> String {
        "lease \(lease.holder.consumer) \(lease.offsets) \(lease.attempt) \(lease.isRedriven) \(lease.needsSettlement) "
            + "\(lease.missed) \(lease.events.map(text))"
    }

    private static func text(_ letter: DeadLetter) -> String {
        "\(letter.number) \(text(letter.event)) \(letter.stream) \(letter.consumer.map(\.rawValue) ?? "-") "
            + "\(letter.reason) \(letter.attempts) \(letter.firstFailure) \(letter.lastFailure)"
    }
}
