import EventStreaming
import EventStreamingCore
import GRPCCore

/// `grpc.health.v1.Health`: whether the service takes work. Asked by load balancers, so without credentials.
struct HealthService: WireHealth.SimpleServiceProtocol {
    let provider: any EventDeliveryProvider
    let server: ServingState
    let services: Set<String>

    func check(request: WireHealthCheckRequest, context: ServerContext) async throws -> WireHealthCheckResponse {
        guard isKnown(request.service) else {
            throw RPCError(code: .notFound, message: "There is no such service.")
        }
        return await response()
    }

    func watch(
        request: WireHealthCheckRequest,
        response writer: RPCWriter<WireHealthCheckResponse>,
        context: ServerContext
    ) async throws {
        guard isKnown(request.service) else {
            var unknown = WireHealthCheckResponse()
            unknown.status = .serviceUnknown
            try await writer.write(unknown)
            return try await waitForEnd(context)
        }
        let isCancelled = CancellationFlag()
        try await withRPCCancellationHandler {
            var last: WireHealthCheckResponse.ServingStatus?
            while true {
                let version = server.changes.version
                // Asked before the answer is made: what begins to stop after that is told in another round. A server that
                // stops cancels its calls, too.
                let isEnding = server.isStopping || isCancelled.value || Task.isCancelled
                let current = await response()
                if current.status != last {
                    last = current.status
                    try await writer.write(current)
                }
                if isEnding { return }
                await server.changes.wait(since: version)
            }
        } onCancelRPC: {
            isCancelled.set()
            server.changes.notify()
        }
    }

    private func waitForEnd(_ context: ServerContext) async throws {
        while !server.isStopping {
            let version = server.changes.version
            if context.cancellation.isCancelled || server.isStopping { return }
            try await withRPCCancellationHandler {
                await server.changes.wait(since: version)
                try Task.checkCancellation()
            } onCancelRPC: {
                server.changes.notify()
            }
        }
    }

    private func isKnown(_ service: String) -> Bool { service.isEmpty || services.contains(service) }

    private func response() async -> WireHealthCheckResponse {
        var response = WireHealthCheckResponse()
        let isServing = !server.isStopping
        response.status = isServing ? (await provider.health.state == .available ? .serving : .notServing) : .notServing
        return response
    }
}
