import GRDB
import GRDBSQLite

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The write-ahead log of a database: moves it into the file when it is long, and makes room in it ahead of the commits.
///
/// Where a commit has to make the file longer, the disk also writes down the new length, and takes twice as long or more.
/// SQLite begins the log anew when everything of it is in the database file; but not as long as anybody reads an old
/// state, and then every commit would make it longer. So it is made longer by a megabyte at a time, with zeros, which
/// SQLite takes for the end of the log.
///
/// Unchecked: the variables are used by ``noteCommit(frames:of:_:)`` alone, which SQLite calls in the connection that
/// writes, one commit after the other.
final class LogFile: @unchecked Sendable {
    /// How many frames are moved into the database file at once.
    private static let checkpointFrames: Int64 = 2000
    /// How much room is made at a time.
    private static let step: Int64 = 1 << 20
    /// How much room there must be at least after a commit.
    private static let reserve: Int64 = 1 << 18
    private static let zeros = [UInt8](repeating: 0, count: 1 << 18)

    private let path: String
    private let frameSize: Int64
    /// How long the file was made, or was tried to be made.
    private var size: Int64 = 0
    /// At how many frames the log is moved into the database file next.
    private var nextCheckpoint = checkpointFrames

    /// - Parameter path: The database file.
    init(of path: String, pageSize: Int64) {
        self.path = path + "-wal"
        frameSize = pageSize + 24
    }

    /// Has the connection tell of its commits, until ``detach(from:)``.
    func attach(to database: Database) {
        sqlite3_wal_hook(
            database.sqliteConnection,
            { context, connection, name, frames in
                guard let context, let connection else { return SQLITE_OK }
                Unmanaged<LogFile>.fromOpaque(context).takeUnretainedValue()
                    .noteCommit(frames: Int64(frames), of: connection, name)
                return SQLITE_OK
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    func detach(from database: Database) {
        sqlite3_wal_hook(database.sqliteConnection, nil, nil)
    }

    private func noteCommit(frames: Int64, of connection: OpaquePointer, _ name: UnsafePointer<CChar>?) {
        if frames >= nextCheckpoint {
            checkpoint(connection, name, frames: frames)
        } else if frames < Self.checkpointFrames {
            nextCheckpoint = Self.checkpointFrames
        }
        let used = frames * frameSize
        guard used + Self.reserve > size else { return }
        size = used + Self.step
        makeRoom(upTo: size)
    }

    /// What cannot be moved now, because somebody reads an old state, is tried again only when there is as much again:
    /// trying costs a look at the whole log.
    private func checkpoint(_ connection: OpaquePointer, _ name: UnsafePointer<CChar>?, frames: Int64) {
        var (length, moved): (Int32, Int32) = (0, 0)
        sqlite3_wal_checkpoint_v2(connection, name, SQLITE_CHECKPOINT_PASSIVE, &length, &moved)
        nextCheckpoint = moved < length ? frames + Self.checkpointFrames : Self.checkpointFrames
    }

    /// Does nothing where that is not possible: SQLite then makes the file longer itself, or tells that the disk is full.
    private func makeRoom(upTo size: Int64) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let present = Int64(lseek(descriptor, 0, SEEK_END))
        guard present >= 0 else { return }
        var end = present
        while end < size {
            let written = Self.zeros.withUnsafeBytes { zeros in
                pwrite(descriptor, zeros.baseAddress, min(zeros.count, Int(size - end)), off_t(end))
            }
            guard written > 0 else {
                // Others need the last of the disk more.
                _ = ftruncate(descriptor, off_t(present))
                return
            }
            end += Int64(written)
        }
    }
}
