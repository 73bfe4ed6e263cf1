#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Creates a subscription with its dead-letter stream, or changes one, in a transaction.
struct SubscriptionCreation {
    private static let insert = Statement(
        """
        INSERT INTO subscriptions (
            name, stream_id, dead_letter_stream_id, mode, position, next, semantics, start_kind, start_value,
            event_types, maximum_attempts, initial_delay, maximum_delay, jitter, visibility_timeout, consumer_timeout,
            start_event, keeps_order, partitions, partition_hash
        ) VALUES (
            $1::text, $2::bigint, $3::bigint, $4::text, $5::bigint, $5::bigint, $6::text, $7::text, $8::bigint,
            $9::text, $10::bigint, $11::bigint, $12::bigint, $13::double precision, $14::bigint, $15::bigint,
            $16::uuid, $17::boolean, $18::bigint, $19::text
        ) ON CONFLICT (name) DO NOTHING
        """
    )
    private static let update = Statement(
        """
        UPDATE subscriptions SET version = version + 1, semantics = $2::text, start_kind = $3::text,
            start_value = $4::bigint, event_types = $5::text, maximum_attempts = $6::bigint,
            initial_delay = $7::bigint, maximum_delay = $8::bigint, jitter = $9::double precision,
            visibility_timeout = $10::bigint, consumer_timeout = $11::bigint, start_event = $12::uuid,
            keeps_order = $13::boolean
        WHERE id = $1::bigint
        """
    )
    private static let partitions = Statement("SELECT partitions FROM subscriptions WHERE id = $1::bigint")
    private static let settle = Statement("SELECT settle_stream($1::bigint)")

    let definition: SubscriptionDefinition
    let streams: StreamDirectory

    func run(_ session: Session) throws(EventStreamingError) {
        let stream = try streams.entry(definition.stream, session)
        try Validation.check(definition, on: stream.type)
        if try SubscriptionEntry.find(definition.id, streams, session) != nil {
            _ = try StreamRow.lock(stream, session)
            return try update(stream, session)
        }
        // Before anything is created; once more when the stream is locked.
        _ = try position(in: stream, session)
        let deadLetters = try PostgreSQLEventStreamStore.ensureStream(
            StreamDefinition(name: definition.deadLetterStream, type: .persistent),
            changesExisting: false,
            streams,
            session
        )
        _ = try StreamRow.lock([stream, deadLetters], session)
        var isNew = false
        if try SubscriptionEntry.find(definition.id, streams, session) == nil {
            isNew = try insert(stream, deadLetters, position(in: stream, session), session)
        }
        if isNew {
            try session.rows(Self.settle) { $0.add(stream.id) }
        } else {
            try update(stream, session)
        }
    }

    /// Where competing consumers begin. Others get their positions when they come; whether the start exists matters then.
    private func position(
        in stream: StreamDirectory.Entry,
        _ session: Session
    ) throws(EventStreamingError) -> Int64 {
        guard definition.mode.sharesPosition else { return 0 }
        return try PostgreSQLEventStreamStore.offset(of: definition.start, in: stream, session)
    }

    private func insert(
        _ stream: StreamDirectory.Entry,
        _ deadLetters: StreamDirectory.Entry,
        _ position: Int64,
        _ session: Session
    ) throws(EventStreamingError) -> Bool {
        try session.rows(Self.insert) { parameters in
            parameters.add(definition.id.rawValue)
            parameters.add(stream.id)
            parameters.add(deadLetters.id)
            parameters.add(definition.mode.rawValue)
            parameters.add(position)
            addSettings(to: &parameters)
            let isGroup = definition.mode == .consumerGroup
            parameters.add(isGroup ? Int64(definition.partitions) : 0)
            parameters.add(isGroup ? PartitionKey.algorithm : nil)
        }.affected > 0
    }

    private func update(_ stream: StreamDirectory.Entry, _ session: Session) throws(EventStreamingError) {
        guard let entry = try SubscriptionEntry.find(definition.id, streams, session) else {
            throw .unknownSubscription(definition.id)
        }
        guard entry.stream.id == stream.id else {
            throw conflict("follows stream '\(entry.stream.name)', not '\(stream.name)'")
        }
        let partitions = Int(clamping: try session.rows(Self.partitions) { $0.add(entry.id) }.int64(0, 0))
        if let problem = definition.conflict(withMode: entry.mode, partitions: partitions) {
            throw conflict(problem)
        }
        try session.rows(Self.update) { parameters in
            parameters.add(entry.id)
            addSettings(to: &parameters)
        }
    }

    private func conflict(_ problem: String) -> EventStreamingError {
        EventStreamingError(
            .subscriptionConflict,
            "Subscription '\(definition.id)' exists already and \(problem)."
        )
    }

    private func addSettings(to parameters: inout Parameters) {
        let start = SubscriptionRows.columns(definition.start)
        parameters.add(definition.semantics.rawValue)
        parameters.add(start.kind)
        parameters.add(start.value)
        parameters.add(
            definition.eventTypes.map { names in
                names.isEmpty
                    ? "{}" : HeaderText.text(of: Dictionary(uniqueKeysWithValues: names.map { ($0, "") })) ?? "{}"
            })
        parameters.add(Int64(definition.retry.maximumAttempts))
        parameters.add(definition.retry.initialDelay.clampedNanoseconds)
        parameters.add(definition.retry.maximumDelay.clampedNanoseconds)
        parameters.add(definition.retry.jitter)
        // Times of less than a nanosecond must not become none at all.
        parameters.add(max(1, definition.visibilityTimeout.clampedNanoseconds))
        parameters.add(max(1, definition.consumerTimeout.clampedNanoseconds))
        parameters.add(start.event)
        parameters.add(definition.keepsOrder)
    }
}
#endif
