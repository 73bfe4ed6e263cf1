#if PostgreSQL
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Whether the file can be read by this process.
func isReadable(_ path: String) -> Bool {
    access(path, R_OK) == 0
}

/// Whether there is something to read, or the other side has closed the socket. Does not wait.
func hasInput(_ socket: Int32) -> Bool {
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 0) > 0
}

/// What became of waiting for a socket.
enum SocketReadiness {
    case ready
    case timedOut
    case woken
    case failed
}

/// Blocks this thread until the socket can be read or written, the wake-up has come, or the time has passed.
///
/// - Parameters:
///   - socket: The socket; one that is not there has failed.
///   - forWriting: Whether being able to write counts too; reading always does.
///   - deadline: Until when to wait; `nil` for ever.
///   - wakeUp: A descriptor that becomes readable when waiting shall end.
func waitForSocket(
    _ socket: Int32,
    forReading: Bool = true,
    forWriting: Bool,
    until deadline: ContinuousClock.Instant?,
    wakeUp: Int32? = nil
) -> SocketReadiness {
    guard socket >= 0 else { return .failed }
    let events = Int16((forReading ? POLLIN : 0) | (forWriting ? POLLOUT : 0))
    while true {
        var descriptors = [pollfd(fd: socket, events: events, revents: 0)]
        if let wakeUp {
            descriptors.append(pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0))
        }
        var timeout: Int32 = -1
        if let deadline {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return .timedOut }
            let (seconds, attoseconds) = left.components
            timeout = Int32(clamping: min(seconds, 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
        }
        let count = poll(&descriptors, nfds_t(descriptors.count), timeout)
        if count < 0 {
            guard errno == EINTR else { return .failed }
        } else if count > 0 {
            return descriptors[0].revents != 0 ? .ready : .woken
        }
    }
}
#endif
