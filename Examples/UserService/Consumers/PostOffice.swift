/// Where mails go. A stand-in for a mail server, which refuses every mail to an address that begins with `bounce@`.
struct PostOffice: Sendable {
    func send(to address: String) async throws(UserServiceError) {
        guard !address.hasPrefix("bounce@") else {
            throw UserServiceError(.mailBounced, "The mail server refused \(address).")
        }
    }
}
