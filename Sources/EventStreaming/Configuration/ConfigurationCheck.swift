import CQRS
import EventStreamingCore

/// Checks a whole configuration and resolves its names; gathers every problem rather than stop at the first.
struct ConfigurationCheck: ~Copyable {
    private(set) var problems: [String] = []
    private(set) var streams = StreamCatalog()
    private(set) var subscriptions: [SubscriptionPlan] = []
    /// The types that are declared, or handled by their type.
    private(set) var eventTypes: [any Event.Type] = []
    private var typesByName: [EventType: any Event.Type] = [:]

    private var names: Set<StreamName> = []
    private var semantics: [StreamName: DeliverySemantics] = [:]
    private var types: [StreamName: StreamType] = [:]
    private var workflows: [ObjectIdentifier: StreamName] = [:]
    /// Workflows whose stream has a name that was reported already.
    private var unnamed: Set<ObjectIdentifier> = []
    private var subscriptionNames: Set<String> = []

    init(_ builder: borrowing EventStreamingBuilder) {
        check(builder.options)
        for (workflow, configuration) in builder.streams {
            add(workflow, configuration)
        }
        // A subscription may follow the dead-letter stream of another one, whichever comes first.
        let deadLetterStreams = builder.subscriptions.compactMap { try? StreamName($0.id + "-dead-letters") }
        for (id, configuration) in builder.subscriptions {
            add(id, configuration, deadLetterStreams: Set(deadLetterStreams))
        }
        checkCircles()
        for type in builder.eventTypes + builder.subscriptions.flatMap(\.1.knownTypes) {
            add(type)
        }
    }

    /// Adds the problems of a bus.
    mutating func report(_ error: CQRSError) {
        problems += error.problems.isEmpty ? [error.message] : error.problems
    }

    /// Throws one error with all problems, if there are any.
    func finish() throws(EventStreamingError) {
        guard problems.isEmpty else {
            let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
            throw EventStreamingError(.invalidConfiguration, "The configuration has \(count):", problems: problems)
        }
    }

    // MARK: - Options

    private mutating func check(_ options: EventStreamingOptions) {
        check(options.limits.maximumPayloadBytes, "options.limits.maximumPayloadBytes", in: 1...Int(Int32.max))
        check(options.limits.maximumHeaders, "options.limits.maximumHeaders", in: 0...10_000)
        check(options.limits.maximumHeaderBytes, "options.limits.maximumHeaderBytes", in: 0...10_000_000)
        check(options.shutdownTimeout, "options.shutdownTimeout")
        check(options.retentionInterval, "options.retentionInterval")
        check(options.processedEventRetention, "options.processedEventRetention")
        check(options.unreadInterval, "options.unreadInterval")
    }

    private mutating func check(_ value: Int, _ name: String, in range: ClosedRange<Int>) {
        if !range.contains(value) {
            problems.append("\(name) is \(value); use \(range.lowerBound) to \(range.upperBound).")
        }
    }

    private mutating func check(_ value: Duration, _ name: String, mayBeZero: Bool = false) {
        let year = Duration.seconds(365 * 86_400)
        if value > year || value < .zero || (value == .zero && !mayBeZero) {
            problems.append("\(name) is \(value); use \(mayBeZero ? "zero" : "more than zero") to 365 days.")
        }
    }

    // MARK: - Streams

    private mutating func add(_ workflow: any Workflow.Type, _ configuration: StreamConfiguration) {
        let name: StreamName
        do throws(EventStreamingError) {
            name = try StreamName(configuration.name)
        } catch {
            problems.append("The stream of \(workflow): \(error.message)")
            unnamed.insert(ObjectIdentifier(workflow))
            return
        }
        if workflows.updateValue(name, forKey: ObjectIdentifier(workflow)) != nil {
            problems.append("\(workflow) has two streams; add one.")
        } else if !names.insert(name).inserted {
            problems.append("Two workflows have a stream '\(name)'; give one of them another name.")
        }
        if configuration.scope == .crossService {
            problems.append("Stream '\(name)': scope crossService needs a message broker, which is not available yet.")
        }
        var capacity: Int?
        switch configuration.capacity {
        case .automatic: capacity = configuration.type == .ephemeral ? 1_000_000 : nil
        case .unlimited: capacity = nil
        case .events(let count):
            check(count, "Stream '\(name)': capacity", in: 1...Int.max)
            capacity = count
        }
        semantics[name] = configuration.semantics
        types[name] = configuration.type
        streams.add(workflow, name)
        let definition = StreamDefinition(
            name: name,
            type: configuration.type,
            capacity: capacity,
            overflow: configuration.overflow,
            retention: configuration.retention
        )
        problems += definition.retentionProblems.map { "Stream '\(name)': \($0)" }
        if configuration.isReplayEnabled, configuration.type == .ephemeral {
            problems.append(
                "Stream '\(name)': an ephemeral stream cannot be replayed, as it keeps no events that are finished; use "
                    + "type persistent."
            )
        }
        streams.add(definition, isReplayEnabled: configuration.isReplayEnabled)
    }

    // MARK: - Subscriptions

    private mutating func add(
        _ id: String,
        _ configuration: SubscriptionConfiguration,
        deadLetterStreams: Set<StreamName>
    ) {
        let subject = "Subscription \(EventStreamingError.printable(id))"
        if !subscriptionNames.insert(id).inserted {
            problems.append("\(subject) is declared twice; give one of them another name.")
        }
        let stream = resolve(configuration.source, subject: subject, deadLetterStreams: deadLetterStreams)
        let semantics = configuration.semantics ?? stream.flatMap { self.semantics[$0] } ?? .atLeastOnce
        checkLimits(configuration, subject: subject)
        checkModes(configuration, semantics: semantics, type: stream.flatMap { types[$0] }, subject: subject)
        let consumer = configuration.consumer.flatMap { name in
            valid(subject) { () throws(EventStreamingError) in try ConsumerID(name) }
        }
        let subscription = valid(subject) { () throws(EventStreamingError) in try SubscriptionID(id) }
        guard let subscription, let stream else { return }
        let definition = valid(subject) { () throws(EventStreamingError) in
            try SubscriptionDefinition(
                id: subscription,
                stream: stream,
                mode: configuration.mode,
                partitions: configuration.partitions ?? 32,
                keepsOrder: configuration.keepsOrder,
                semantics: semantics,
                start: configuration.start,
                eventTypes: configuration.eventTypes ?? Self.handledTypes(configuration),
                retry: configuration.retry,
                visibilityTimeout: configuration.visibilityTimeout,
                consumerTimeout: configuration.consumerTimeout
            )
        }
        guard let definition else { return }
        if names.contains(definition.deadLetterStream) {
            problems.append("\(subject): its dead-letter stream '\(definition.deadLetterStream)' is a stream already.")
        }
        subscriptions.append(
            SubscriptionPlan(
                definition: definition,
                prefetch: configuration.prefetch,
                maximumConcurrency: configuration.maximumConcurrency,
                handler: configuration.handler,
                transactionalHandler: configuration.transactionalHandler,
                consumer: consumer,
                health: configuration.health,
                unread: configuration.onUnreadTimeout.map { timeout in
                    UnreadRule(timeout: timeout, policy: configuration.onUnreadExpired ?? .requeue)
                }
            )
        )
    }

    /// What `make` makes; `nil`, and one more problem, when it throws.
    private mutating func valid<Value>(_ subject: String, _ make: () throws(EventStreamingError) -> Value) -> Value? {
        do throws(EventStreamingError) {
            return try make()
        } catch {
            problems.append("\(subject): \(error.message)")
            return nil
        }
    }

    private static func handledTypes(_ configuration: SubscriptionConfiguration) -> Set<String>? {
        guard configuration.hasHandler, let types = configuration.handledTypes else { return nil }
        return Set(types)
    }

    private mutating func resolve(
        _ source: SubscriptionConfiguration.Source?,
        subject: String,
        deadLetterStreams: Set<StreamName>
    ) -> StreamName? {
        switch source {
        case nil:
            problems.append("\(subject) follows no stream; call subscription.stream(…).")
            return nil
        case .workflow(let workflow):
            if let name = workflows[ObjectIdentifier(workflow)] { return name }
            if unnamed.contains(ObjectIdentifier(workflow)) { return nil }
            problems.append("\(subject) follows \(workflow), which has no stream; add addStream(\(workflow).self).")
            return nil
        case .name(let text):
            guard let name = try? StreamName(text), names.contains(name) || deadLetterStreams.contains(name) else {
                problems.append(
                    "\(subject) follows the stream \(EventStreamingError.printable(text)), which is not declared."
                )
                return nil
            }
            return name
        }
    }

    /// Finds subscriptions that follow their own dead letters, directly or through others.
    private mutating func checkCircles() {
        // That a declared stream has the name of dead letters is a problem that was reported before.
        let definitions = subscriptions.map(\.definition).filter { !names.contains($0.deadLetterStream) }
        let sources = Dictionary(definitions.map { ($0.deadLetterStream, $0) }) { first, _ in first }
        for plan in subscriptions {
            let first = plan.definition
            var circle = [first.id.rawValue]
            var next = sources[first.stream]
            while let source = next, source.id != first.id, circle.count <= subscriptions.count {
                circle.append(source.id.rawValue)
                next = sources[source.stream]
            }
            // Told once, by the first of its names.
            guard next?.id == first.id, circle.min() == first.id.rawValue else { continue }
            let names = circle.map { "'\($0)'" }.joined(separator: ", ")
            problems.append(
                "Subscription \(names): its dead letters come back to it, so that an event that fails would go round for "
                    + "ever; let another subscription follow them."
            )
        }
    }

    private mutating func checkLimits(_ configuration: SubscriptionConfiguration, subject: String) {
        check(configuration.prefetch, "\(subject): prefetch", in: 1...100_000)
        check(configuration.maximumConcurrency, "\(subject): maximumConcurrency", in: 1...10_000)
        check(configuration.visibilityTimeout, "\(subject): visibilityTimeout")
        check(configuration.consumerTimeout, "\(subject): consumerTimeout")
        check(configuration.retry.maximumAttempts, "\(subject): retry.maximumAttempts", in: 1...1_000_000)
        check(configuration.retry.initialDelay, "\(subject): retry.initialDelay", mayBeZero: true)
        check(configuration.retry.maximumDelay, "\(subject): retry.maximumDelay", mayBeZero: true)
        check(configuration.health, subject: subject)
        if !(0...1).contains(configuration.retry.jitter) {
            problems.append("\(subject): retry.jitter is \(configuration.retry.jitter); use 0 to 1.")
        }
        if let types = configuration.eventTypes, types.isEmpty {
            problems.append("\(subject): eventTypes is empty, so nothing would be delivered; use nil for all types.")
        }
    }

    private mutating func check(_ health: HealthThresholds, subject: String) {
        if let events = health.lagEvents {
            check(events, "\(subject): health.lagEvents", in: 1...Int.max)
        }
        if let time = health.lagTime {
            check(time, "\(subject): health.lagTime")
        }
        check(health.stallTime, "\(subject): health.stallTime")
    }

    private mutating func checkModes(
        _ configuration: SubscriptionConfiguration,
        semantics: DeliverySemantics,
        type: StreamType?,
        subject: String
    ) {
        switch configuration.mode {
        case .broadcast, .exclusive: break
        case .consumerGroup: check(configuration.partitions ?? 32, "\(subject): partitions", in: 1...1024)
        case .readReceipt:
            problems += Self.receiptProblems(of: configuration, semantics: semantics, type: type, subject: subject)
        }
        if configuration.mode != .readReceipt {
            problems += Self.unreadProblems(of: configuration, subject: subject)
        }
        if let timeout = configuration.onUnreadTimeout {
            check(timeout, "\(subject): onUnreadTimeout")
        }
        if configuration.mode != .consumerGroup, configuration.partitions != nil {
            problems.append("\(subject): only mode consumerGroup has partitions; leave them out or set that mode.")
        }
        if configuration.keepsOrder, configuration.mode != .consumerGroup {
            problems.append(
                "\(subject): keepsOrder needs mode consumerGroup, in which events of a key come in order; leave it out or set "
                    + "that mode."
            )
        }
        if configuration.keepsOrder, semantics == .atMostOnce {
            problems.append(
                "\(subject): at most once nothing becomes a dead letter, so keepsOrder has no effect; leave it out.")
        }
        problems += Self.handlerProblems(of: configuration, semantics: semantics, subject: subject)
        if semantics == .atMostOnce, configuration.retry != RetryPolicy() {
            problems.append("\(subject): a retry policy has no effect at most once; remove it or use atLeastOnce.")
        }
        if !configuration.hasHandler, configuration.consumer != nil {
            problems.append("\(subject): consumer names the handler's consumer, but there is no handler.")
        }
    }

    // MARK: - Event types

    private mutating func add(_ type: any Event.Type) {
        let key = EventType(name: type.eventType, version: type.version)
        guard let other = typesByName[key] else {
            typesByName[key] = type
            eventTypes.append(type)
            return
        }
        if ObjectIdentifier(other) != ObjectIdentifier(type) {
            problems.append(
                "\(type) and \(other) are both stored as '\(type.eventType)' version \(type.version); change one."
            )
        }
    }
}
