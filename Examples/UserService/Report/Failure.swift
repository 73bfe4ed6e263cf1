import EventStreaming

/// An error as a stable code and a message for people, whatever threw it.
struct Failure: Equatable {
    let code: String
    let message: String

    init(_ error: any Error) {
        switch error {
        case let error as UserServiceError:
            code = "userService.\(error.code.rawValue)"
            message = error.message
        case let error as ValidationError:
            code = "cqrs.validation"
            message = error.violations.map(\.description).joined(separator: "; ")
        case let error as CQRSError:
            code = error.code.rawValue
            message = error.message
        case let error as EventStreamingError:
            code = error.code.description
            message = error.code == .payloadTooLarge ? "\(error.message) (--max-payload)" : error.message
        case is CancellationError:
            code = "userService.cancelled"
            message = "The service was stopped before the command was done."
        default:
            code = "userService.unexpected"
            message = "\(error)".printable(limit: 500)
        }
    }
}
