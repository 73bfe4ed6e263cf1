import EventStreaming
import EventStreamingCore
import Logging

/// What the calls of one server share.
struct ServerEnvironment: Sendable {
    let provider: any EventDeliveryProvider
    let clock: any EventStreamingClock
    let logger: Logger
    let options: GRPCServerOptions
    let access: AccessControl
    let registry: PeerRegistry

    /// Why the transport has cancelled a call: the server shuts down, or the peer is gone.
    var cancellation: EventStreamingError {
        registry.isDraining
            ? EventStreamingError(.shuttingDown, "The server is shutting down; call again, here or elsewhere.")
            : EventStreamingError(.cancelled, "The call was cancelled by the peer, or its connection is gone.")
    }
}
