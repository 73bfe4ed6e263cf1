#if PostgreSQL
import EventStreamingCore
import Synchronization

/// The numbers that the database has for names of streams. A stream never goes, nor does its number or type change, so
/// what is known stays true.
final class StreamDirectory: Sendable {
    struct Entry: Sendable {
        let id: Int64
        let name: StreamName
        let type: StreamType
        /// Whether the stream makes room by dropping its oldest events. A hint, unlike the rest: another instance may have
        /// changed it since.
        var dropsOldest = false

        /// Whether it makes a difference to an append what ran out before.
        var dependsOnTime: Bool { type == .ephemeral || dropsOldest }
    }

    private struct Entries {
        var byName: [StreamName: Entry] = [:]
        var byID: [Int64: Entry] = [:]
    }

    private static let find = Statement("SELECT id, type, overflow FROM streams WHERE name = $1::text")
    private static let findID = Statement("SELECT name, type, overflow FROM streams WHERE id = $1::bigint")

    /// Where a stream ended.
    private struct Head {
        let offset: Int64
        let notedAt: ContinuousClock.Instant
    }

    private let entries = Mutex(Entries())
    /// Where streams ended after the last appends that were made here.
    private let heads = Mutex<[Int64: Head]>([:])

    func known(_ name: StreamName) -> Entry? {
        entries.withLock { $0.byName[name] }
    }

    func known(_ id: Int64) -> Entry? {
        entries.withLock { $0.byID[id] }
    }

    /// The names of all that are known.
    var names: [StreamName] { entries.withLock { Array($0.byName.keys) } }

    func add(_ entry: Entry) {
        entries.withLock { entries in
            entries.byName[entry.name] = entry
            entries.byID[entry.id] = entry
        }
    }

    /// Takes note of what a stream does when it is full, where it is known.
    func note(_ overflow: OverflowPolicy, of entry: Entry) {
        entries.withLock { entries in
            entries.byName[entry.name]?.dropsOldest = overflow == .dropOldest
            entries.byID[entry.id]?.dropsOldest = overflow == .dropOldest
        }
    }

    /// The stream's entry, looked up in the database where it is not known.
    ///
    /// - Throws: `unknownStream`.
    func entry(_ name: StreamName, _ session: Session) throws(EventStreamingError) -> Entry {
        if let entry = known(name) { return entry }
        let entry = try freshEntry(name, session)
        add(entry)
        return entry
    }

    /// The stream's entry as the database has it, not remembered.
    func freshEntry(_ name: StreamName, _ session: Session) throws(EventStreamingError) -> Entry {
        let rows = try session.rows(Self.find) { $0.add(name.rawValue) }
        guard rows.count > 0, let type = StreamType(rawValue: rows.text(0, 1)) else { throw .unknownStream(name) }
        return Entry(id: rows.int64(0, 0), name: name, type: type, dropsOldest: Self.dropsOldest(rows))
    }

    /// The entry of the stream with this number; `nil` when there is none.
    func entry(_ id: Int64, _ session: Session) throws(EventStreamingError) -> Entry? {
        if let entry = known(id) { return entry }
        let rows = try session.rows(Self.findID) { $0.add(id) }
        guard rows.count > 0, let type = StreamType(rawValue: rows.text(0, 1)) else { return nil }
        let name = try rows.name(0, 0, as: StreamName.self)
        let entry = Entry(id: id, name: name, type: type, dropsOldest: Self.dropsOldest(rows))
        add(entry)
        return entry
    }

    // MARK: - Heads

    /// Takes note of where a stream ends, after an append that was committed.
    func note(head: Int64, of entry: Entry) {
        let head = Head(offset: head, notedAt: .now)
        heads.withLock { $0[entry.id] = head }
    }

    /// Forgets where a stream ended: others have appended to it, or a transaction that is not over yet.
    func forgetHead(of entry: Entry) {
        _ = heads.withLock { $0.removeValue(forKey: entry.id) }
    }

    /// Where a stream ended after the last append that was made here, unless that is too long ago. It has not become
    /// shorter since.
    func head(of entry: Entry, notedSince time: ContinuousClock.Instant) -> Int64? {
        heads.withLock { $0[entry.id] }.flatMap { $0.notedAt >= time ? $0.offset : nil }
    }

    private static func dropsOldest(_ rows: Rows) -> Bool {
        OverflowPolicy(rawValue: rows.text(0, 2)) == .dropOldest
    }
}
#endif
