import EventStreaming
import EventStreamingGRPC
import Foundation
import ServiceLifecycle

/// Counts the users of the service: the same loop as in the process, but for the line that makes the client.
struct UserAnalytics: Service {
    /// The subscription that the service has for programs like this one.
    static let subscription = "user-analytics"

    let client: GRPCEventClient
    let name: String
    let file: CountsFile

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await count()
        } onGracefulShutdown: {
            // Its loops end, and with them this.
            client.beginShutdown()
        }
    }

    private func count() async throws {
        var counts = try file.read()
        tell(counts)
        for try await batch in try client.subscribe(to: Self.subscription, as: name).batches {
            var isChanged = false
            for delivery in batch {
                isChanged = counts.count(delivery.event, at: delivery.record.offset) || isChanged
            }
            // First the counts, then that the events are finished: what is lost in between comes again, and is known.
            if isChanged {
                try file.write(counts)
                tell(counts)
            }
        }
    }

    private func tell(_ counts: Counts) {
        FileHandle.standardOutput.write(
            Data("\(counts.users) users: \(counts.added) added, \(counts.removed) removed\n".utf8)
        )
    }
}
