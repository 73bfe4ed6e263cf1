#if PostgreSQL
import Foundation
import Synchronization

/// A shell that runs a script beside the tests, with its input and output at the other end of a socket.
///
/// It is started by the system's own call: Foundation's `Process` has state that all processes of a program share, and has
/// crashed where several threads started some. A server begins where nobody can wait, so it cannot be `withProgram` of
/// the other tests either.
final class Keeper: Sendable {
    /// What is written here the script reads, and what it writes is read here.
    let socket: FileHandle
    /// Until its end was waited for. The number may be another's afterwards.
    private let processID: Mutex<pid_t?>

    /// Starts `/bin/sh` with a script and its arguments, in a process group of its own.
    ///
    /// - Throws: What the system says.
    init(script: String, _ arguments: [String]) throws {
        let (ours, its) = try Self.sockets()
        socket = ours
        #if canImport(Darwin)
        var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?) = (nil, nil)
        #else
        var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
        #endif
        try Self.check(posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        try Self.check(posix_spawn_file_actions_adddup2(&actions, its.fileDescriptor, STDIN_FILENO))
        try Self.check(posix_spawn_file_actions_adddup2(&actions, its.fileDescriptor, STDOUT_FILENO))
        try Self.check(posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0))
        try Self.check(posix_spawnattr_init(&attributes))
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals as at login: a test that ignores one would have everything below the shell ignore it.
        var signals = sigset_t()
        sigfillset(&signals)
        try Self.check(posix_spawnattr_setsigdefault(&attributes, &signals))
        sigemptyset(&signals)
        try Self.check(posix_spawnattr_setsigmask(&attributes, &signals))
        try Self.check(posix_spawnattr_setpgroup(&attributes, 0))
        let flags = Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETPGROUP)
        try Self.check(posix_spawnattr_setflags(&attributes, Int16(truncatingIfNeeded: flags)))
        var words: [UnsafeMutablePointer<CChar>?] = (["/bin/sh", script] + arguments).map { strdup($0) }
        words.append(nil)
        defer {
            for word in words { free(word) }
        }
        var processID = pid_t()
        try Self.check(posix_spawn(&processID, "/bin/sh", &actions, &attributes, words, environ))
        self.processID = Mutex(processID)
        // Not before: the shell gets it. Not later: the end of its output could not be seen.
        try its.close()
    }

    /// Ends the script's input and waits until the script has ended.
    func end() {
        try? socket.close()
        processID.withLock { processID in
            guard let ending = processID else { return }
            processID = nil
            while waitpid(ending, nil, 0) == -1, errno == EINTR {}
        }
    }

    /// The ends of a connection. No other process gets ours, or it would keep the server running.
    private static func sockets() throws -> (ours: FileHandle, its: FileHandle) {
        var ends: [Int32] = [-1, -1]
        #if os(Linux)
        let kind = Int32(bitPattern: SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw ServerProblem("no socket, by error \(errno)") }
        #if !os(Linux)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #endif
        return (
            FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
            FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        )
    }

    private static func check(_ error: Int32) throws {
        guard error == 0 else { throw ServerProblem("no shell, by error \(error)") }
    }
}
#endif
