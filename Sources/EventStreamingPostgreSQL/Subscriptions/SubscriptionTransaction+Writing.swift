#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

extension SubscriptionTransaction {
    private static let settle = Statement("SELECT settle_stream($1::bigint)")

    /// Writes down what changed, and reads the events that were handed out, in one round trip.
    ///
    /// - Parameters:
    ///   - isAlone: Whether this is all of the transaction.
    ///   - needsFirst: Whether the stream must begin where it was seen to begin, as nobody keeps it from being trimmed.
    /// - Returns: Where the subscription's row is now.
    func write(
        _ writer: SubscriptionWriter,
        _ loaded: LoadedSubscription,
        _ work: SubscriptionWork,
        isAlone: Bool,
        needsFirst: Bool? = nil,
        _ session: Session
    ) throws(Failure) -> [UInt8] {
        let change = writer.command(
            for: entry,
            loaded,
            first: needsFirst ?? isAlone ? work.first : nil,
            isRelaxed: isAlone && !work.isDurable,
            processed: work.processed,
            at: work.moment.now
        )
        let pages = PendingPage.pages(of: work.pending)
        let readings = pages.map { StreamLog.reading($0.offsets, of: entry.stream.id) }
        return try translating { () throws(EventStreamingError) in
            let results: [Rows]
            do throws(DatabaseError) {
                results = try session.change(readings + [change])
            } catch {
                throw error.eventStreamingError
            }
            guard let place = SubscriptionWriter.place(results.last) else { throw .changedMeanwhile }
            for (page, rows) in zip(pages, results) {
                // What was to be written is written, also for others: only who gets a damaged event is told.
                let (events, damage) = EventReader.readable(rows)
                page.deliver(events, damage)
            }
            return place
        }
    }

    /// Writes down what changed, and what it means for the stream and the dead letters, in the transaction that is open.
    func writeWithMore(
        _ writer: SubscriptionWriter,
        _ loaded: LoadedSubscription,
        _ work: SubscriptionWork,
        _ receipts: ReceiptBatch,
        _ session: Session
    ) throws(Failure) -> [UInt8] {
        let givenUp = work.effects.givenUp
        // Streams before subscriptions, and in order: the same for everybody, so that nobody waits in a circle.
        var rows = try translating { () throws(EventStreamingError) in
            try StreamRow.lock(givenUp.isEmpty ? [entry.stream] : [entry.stream, entry.deadLetterStream], session)
        }
        let place = try write(writer, loaded, work, isAlone: false, session)
        // Trimmed since the look at the stream.
        guard !work.pending.contains(where: \.isEmpty) else { throw .conflict }
        try write(receipts, work, session)
        try translating { () throws(EventStreamingError) in
            if !work.closed.isEmpty {
                try DeadLetterRows.close(work.closed, of: entry, session)
            }
            for events in work.unprocessed {
                _ = try ProcessedRows.forget(events.events, by: events.processor, session)
            }
            if !givenUp.isEmpty, var row = rows.removeValue(forKey: entry.deadLetterStream.id) {
                try bury(givenUp, in: &row, loaded.state.definition, work, session)
            }
            try session.rows(Self.settle) { $0.add(entry.stream.id) }
        }
        return place
    }

    /// Writes what the operations mean for the receipts of users, after the subscription: so its lock is taken before those of
    /// users, as ``ReceiptRows`` says.
    func write(
        _ receipts: ReceiptBatch,
        _ work: SubscriptionWork,
        _ session: Session
    ) throws(Failure) {
        guard !receipts.isEmpty else { return }
        let isWritten = try translating { () throws(EventStreamingError) in
            try receipts.write(of: entry, at: work.receiptTime, keepingFrom: work.first, session)
        }
        guard isWritten else { throw .conflict }
    }

    private static let enter = Statement(
        """
        INSERT INTO dead_letters (subscription_id, number, consumer, partition_key, event_offset)
        SELECT $1::bigint, * FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
        """
    )

    /// Puts events into the dead-letter stream. They are taken even when it is full.
    private func bury(
        _ givenUp: [GivenUp],
        in row: inout StreamRow,
        _ definition: SubscriptionDefinition,
        _ work: SubscriptionWork,
        _ session: Session
    ) throws(EventStreamingError) {
        var wanted = OffsetRanges()
        for event in givenUp where event.redriven == nil {
            wanted.formUnion(OffsetRanges(event.offset..<event.offset + 1))
        }
        var events: [Int64: StoredEvent] = [:]
        for range in wanted.ranges {
            for event in try work.log.events(at: OffsetRanges(range)) {
                events[event.offset.rawValue] = event
            }
        }
        let letters = givenUp.compactMap { event in
            (event.redriven ?? events[event.offset]).map { event.deadLetter($0, of: definition) }
        }
        let records = letters.records(at: work.moment.now)
        let base = row.head
        try row.append(records, at: work.moment.now, session)
        streams.forgetHead(of: row.entry)
        let insertions = records.enumerated().map { index, record in
            EventInsertion(
                stream: row.entry.id,
                offset: base + Int64(index),
                timestamp: row.lastTimestamp,
                event: record
            )
        }
        try EventInsertion.insert(insertions, session)
        try session.rows(Self.enter) { parameters in
            parameters.add(entry.id)
            parameters.add(insertions.map(\.offset))
            parameters.addArray(ofNullable: .text, letters) { writer, letter in
                guard let consumer = letter.consumer else { return false }
                writer.write(consumer.rawValue)
                return true
            }
            let keyed = definition.mode == .consumerGroup ? letters : []
            parameters.add(keyed.map { Int64(PartitionKey(of: $0.event).hash) })
            parameters.add(keyed.map(\.event.offset.rawValue))
        }
        try row.dropSurplus(streams, session)
        try row.save(session)
    }
}
#endif
