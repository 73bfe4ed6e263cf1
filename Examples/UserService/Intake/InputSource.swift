import Dispatch
import Foundation
import Synchronization

/// Reads a file or standard input in chunks, and can be told to stop while it waits for more.
///
/// Reading blocks, and standard input may block for hours. So it is done on a queue of its own: the threads that run
/// tasks are as many as there are processors, and a program that blocks them stands still.
final class InputSource: Sendable {
    /// The input cannot be read.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "cannot read '\(path)': \(reason)" }
    }

    private static let chunkSize = 64 * 1024

    private let path: String
    private let descriptor: Int32
    private let wakeUp: Pipe
    private let queue = DispatchQueue(label: "user-service.input")
    private let isStopped = Atomic(false)

    /// Opens a file; `-` is standard input.
    init(path: String) throws(Failure) {
        self.path = path
        wakeUp = Pipe()
        if path == "-" {
            descriptor = STDIN_FILENO
        } else {
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Failure(path: path, reason: Self.reason(errno)) }
        }
    }

    deinit {
        if descriptor != STDIN_FILENO {
            close(descriptor)
        }
    }

    /// The next bytes, as soon as there are some; `nil` at the end, or when the source was stopped.
    func next() async throws -> [UInt8]? {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.read() }) }
        }
    }

    /// Ends the input: a call of ``next()`` that waits returns `nil`, and so does every later one.
    func stop() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        try? wakeUp.fileHandleForWriting.close()
    }

    /// Waits for bytes, or for the other end of the pipe to be closed, whichever is first.
    private func read() throws(Failure) -> [UInt8]? {
        while !isStopped.load(ordering: .acquiring) {
            var files = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeUp.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&files, nfds_t(files.count), -1) >= 0 else {
                if errno == EINTR { continue }
                throw Failure(path: path, reason: Self.reason(errno))
            }
            if files[1].revents != 0 { return nil }
            guard files[0].revents != 0 else { continue }
            var count = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { buffer, initializedCount in
                count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
                initializedCount = max(0, count)
            }
            if count > 0 { return chunk }
            if count == 0 { return nil }
            if errno != EINTR && errno != EAGAIN { throw Failure(path: path, reason: Self.reason(errno)) }
        }
        return nil
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
