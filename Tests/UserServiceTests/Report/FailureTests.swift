import CQRS
import EventStreaming
import Testing

@testable import UserService

@Suite("Failure")
struct FailureTests {
    @Test("Every error has a code and a message")
    func codes() {
        struct Unknown: Error {}
        let violation = Violation(field: "name", rule: "length", message: "must have 1 to 100 characters")
        let errors: [(any Error, String)] = [
            (UserServiceError(.emailTaken, "taken"), "userService.emailTaken"),
            (ValidationError(messageName: "AddUser", violations: [violation]), "cqrs.validation"),
            (CQRSError(code: .noHandler, message: "none"), "cqrs.noHandler"),
            (EventStreamingError(.streamFull, "full"), "eventStreaming.streamFull"),
            (CancellationError(), "userService.cancelled"),
            (Unknown(), "userService.unexpected"),
        ]
        for (error, code) in errors {
            #expect(Failure(error).code == code)
            #expect(!Failure(error).message.isEmpty)
        }
    }
}
