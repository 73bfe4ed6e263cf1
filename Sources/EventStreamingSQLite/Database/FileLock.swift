import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The right to open a database file, held by one opener on the machine until it is given up or the process ends.
///
/// The lock is the operating system's, on a file beside the database, so it cannot be left behind by a crash. That file
/// stays; removing it would let two processes lock two files of one name.
final class FileLock: Sendable {
    /// Why a file could not be locked.
    enum Failure: Error, Hashable {
        /// Somebody has it: the process with this id, where it could be read.
        case isHeld(by: Int32?)
        /// The lock file cannot be opened or locked, with the error number of the system.
        case system(errorNumber: Int32, reason: String)
    }

    private let descriptor: Int32
    private let isReleased = Atomic(false)

    /// Locks the file at `path`, which is created when there is none.
    init(path: String) throws(Failure) {
        // Not inherited by child processes, which would keep the lock after the end of this one.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw number == EWOULDBLOCK ? .isHeld(by: holder) : Self.failure(number)
        }
        self.descriptor = descriptor
        writeHolder()
    }

    deinit {
        release()
        close(descriptor)
    }

    /// Lets others have the file.
    func release() {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        // Closing is not enough: a child that is being started may have a copy of the descriptor for a moment.
        flock(descriptor, LOCK_UN)
    }

    /// The real path of a file that may not exist yet: symbolic links lead to one file, which has one lock.
    static func realPath(of path: String) -> String {
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        guard let slash = path.lastIndex(of: "/") else { return path }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        guard let resolved = realpath(folder, nil) else { return path }
        defer { free(resolved) }
        let name = String(cString: resolved)
        return (name == "/" ? "" : name) + path[slash...]
    }

    /// Whether there is a folder that a file of this path would be in.
    static func folderExists(for path: String) -> Bool {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        return stat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func failure(_ number: Int32) -> Failure {
        .system(errorNumber: number, reason: String(cString: strerror(number)))
    }

    /// Leaves the id of this process, only for messages; whether it can be written makes no difference.
    private func writeHolder() {
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 {
            _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            let digits = buffer.prefix(count).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return Int32(String(decoding: digits, as: UTF8.self))
        }
    }
}
