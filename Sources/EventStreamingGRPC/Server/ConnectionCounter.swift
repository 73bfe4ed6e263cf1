import GRPCNIOTransportHTTP2Posix
import NIOCore
import Synchronization

/// Keeps the number of connections within its limit: one too many is closed as soon as it is there.
final class ConnectionCounter: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    init(limit: Int) {
        self.limit = limit
    }

    func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
        let isAdmitted = count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard isAdmitted else {
            // After it was set up, since an error now would end the listening, too.
            channel.eventLoop.execute { channel.close(promise: nil) }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        channel.closeFuture.whenComplete { _ in
            self.count.withLock { $0 -= 1 }
        }
        return channel.eventLoop.makeSucceededVoidFuture()
    }
}
