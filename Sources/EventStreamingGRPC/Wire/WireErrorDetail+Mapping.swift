import EventStreamingCore
package import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

extension WireErrorDetail {
    init(_ error: EventStreamingError) {
        self.init()
        code = error.code.description
        message = error.message
        isRetriable = error.isRetriable
        problems = error.problems
        if let length = error.actualLength { actualLength = length }
    }

    /// The key of the trailing metadata that holds the code alone.
    static let metadataKey = "eventstreaming-error-code"
}

extension EventStreamingError {
    /// The error that another process tells of; `nil` for a code that is not known here.
    init?(_ wire: WireErrorDetail) {
        guard let code = Code(wire.code) else { return nil }
        self.init(
            code,
            wire.message,
            problems: wire.problems,
            actualLength: wire.hasActualLength ? wire.actualLength : nil
        )
    }

    /// The error that ended a call: by its details where it has ours, otherwise by its status.
    init(_ error: RPCError) {
        if let detail = error.eventStreamingDetail, let known = EventStreamingError(detail) {
            self = known
            return
        }
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .deadlineExceeded: .timedOut
            case .invalidArgument, .outOfRange: .invalidArgument
            case .unauthenticated: .unauthenticated
            case .permissionDenied: .permissionDenied
            case .resourceExhausted: .limitExceeded
            case .unimplemented, .failedPrecondition: .unsupported
            case .internalError, .unknown, .dataLoss: .handlerFailed
            default: .storeUnavailable
            }
        self.init(code, error.message.isEmpty ? "The call failed." : error.message, underlying: error)
    }

    /// The status of a call that ends with this error.
    var statusCode: RPCError.Code {
        switch code {
        case .invalidName, .invalidArgument, .invalidConfiguration, .headersTooLarge, .encodingFailed, .decodingFailed:
            .invalidArgument
        case .payloadTooLarge, .limitExceeded, .streamFull: .resourceExhausted
        case .unknownStream, .unknownSubscription, .unknownEvent, .unknownEventType: .notFound
        case .streamConflict, .subscriptionConflict, .eventIDConflict, .idempotencyKeyConflict: .alreadyExists
        case .wrongExpectedVersion, .leaseExpired, .alreadySettled, .consumerReplaced, .unknownConsumer: .aborted
        case .unsupported: .unimplemented
        case .replayNotEnabled, .notDelivered, .receiptExpired: .failedPrecondition
        case .offsetTrimmed: .outOfRange
        case .unauthenticated: .unauthenticated
        case .permissionDenied: .permissionDenied
        case .cancelled: .cancelled
        case .timedOut: .deadlineExceeded
        case .storeDamaged: .dataLoss
        case .shuttingDown, .shutDown, .storeUnavailable: .unavailable
        default: .internalError
        }
    }

    /// The error as it ends a call: status, details, and the code alone in the trailing metadata.
    var asRPCError: RPCError {
        let detail = WireErrorDetail(self)
        var metadata: Metadata = [WireErrorDetail.metadataKey: .string(detail.code)]
        if let any = try? Google_Protobuf_Any(message: detail) {
            let status = GoogleRPCStatus(code: statusCode, message: message, details: [.any(any)])
            metadata.add(contentsOf: status.rpcErrorMetadata)
        }
        return RPCError(code: statusCode, message: message, metadata: metadata)
    }
}

extension RPCError {
    /// What our server says about the error; `nil` where it says nothing.
    package var eventStreamingDetail: WireErrorDetail? {
        guard let status = try? unpackGoogleRPCStatus() else { return nil }
        for any in status.details.compactMap(\.any) {
            if let detail = try? WireErrorDetail(unpackingAny: any) { return detail }
        }
        return nil
    }
}
