package import EventStreamingCore
import Synchronization

/// The locks of a store that only one process uses: they end with it, so memory is the place for them.
package final class LockTable: Sendable {
    private struct Entry: Sendable {
        let offsets: Range<StreamOffset>
        let token: UInt64
        let expiry: Duration
    }

    private let entries = Mutex<[String: [Entry]]>([:])

    package init() {}

    /// Takes those of the locks that are free at `uptime`.
    package func acquire(_ keys: [IdempotencyKey], for duration: Duration, at uptime: Duration) -> [IdempotencyLock] {
        let token = UInt64.random(in: .min ... .max)
        return entries.withLock { entries in
            var locks: [IdempotencyLock] = []
            for key in keys {
                var held = entries[key.name] ?? []
                held.removeAll { $0.expiry <= uptime && $0.offsets.overlaps(key.offsets) }
                if !held.contains(where: { $0.offsets.overlaps(key.offsets) }) {
                    held.append(Entry(offsets: key.offsets, token: token, expiry: uptime + duration))
                    locks.append(IdempotencyLock(key: key, token: token))
                }
                entries[key.name] = held
            }
            return locks
        }
    }

    /// Gives locks back.
    ///
    /// - Returns: How many of them were still held at `uptime`.
    @discardableResult
    package func release(_ locks: [IdempotencyLock], at uptime: Duration) -> Int {
        entries.withLock { entries in
            var count = 0
            for lock in locks {
                guard
                    let index = entries[lock.key.name]?.firstIndex(where: {
                        $0.token == lock.token && $0.offsets == lock.key.offsets
                    }),
                    let entry = entries[lock.key.name]?.remove(at: index)
                else { continue }
                if entries[lock.key.name]?.isEmpty == true {
                    entries[lock.key.name] = nil
                }
                if entry.expiry > uptime {
                    count += 1
                }
            }
            return count
        }
    }

    /// Removes at most `limit` locks whose time has passed.
    ///
    /// - Returns: How many.
    package func removeExpired(limit: Int, at uptime: Duration) -> Int {
        entries.withLock { entries in
            var count = 0
            for (name, held) in entries where count < limit {
                let expired = held.indices.filter { held[$0].expiry <= uptime }.prefix(limit - count)
                guard !expired.isEmpty else { continue }
                count += expired.count
                let kept = held.indices.filter { !expired.contains($0) }.map { held[$0] }
                entries[name] = kept.isEmpty ? nil : kept
            }
            return count
        }
    }
}
