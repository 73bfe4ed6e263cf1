/// What this service refuses, and why. Programs decide by ``code``; ``message`` tells people what to do.
struct UserServiceError: Error, Equatable, CustomStringConvertible {
    /// A kind of refusal. The texts are part of the interface: they never change.
    enum Code: String {
        // A line that is no command.
        case lineTooLong, invalidUTF8, invalidJSON, notAnObject, unknownCommand, missingField, invalidField
        // A command that does not go with what is.
        case idTaken, emailTaken, unknownUser, userRemoved, alreadyInvited, unknownInvitation, invitationFinished
        // The world outside.
        case mailBounced
        case storageMissing
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { "userService.\(code.rawValue): \(message)" }
}
