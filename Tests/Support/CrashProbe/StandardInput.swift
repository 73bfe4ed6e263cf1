import Foundation
import Synchronization

/// Finds out that standard input has ended, which is how whoever runs the program tells it to leave.
final class StandardInput: Sendable {
    private let ended = Atomic(false)

    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    init() {
        // Reading waits, so it has a thread of its own; it ends with the process.
        Thread.detachNewThread { [self] in
            while !FileHandle.standardInput.availableData.isEmpty {}
            ended.store(true, ordering: .releasing)
        }
    }
}
