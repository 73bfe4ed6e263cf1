import EventStreamingCore

/// What is kept of a command that was sent under a key, and how its events are known.
struct CommandRecord: Sendable {
    /// Names of headers that are the library's own.
    private enum Header {
        static let response = "idempotency-response"
        static let command = "idempotency-command"
    }

    let key: CommandKey
    /// The response as JSON.
    let response: String
    /// The hash of the command.
    let command: String

    init(key: CommandKey, response: String, command: String) {
        self.key = key
        self.response = response
        self.command = command
    }

    /// What the first event of a command tells; `nil` when it tells nothing.
    init?(_ event: StoredEvent, of key: CommandKey) {
        guard let response = event.headers[Header.response], let command = event.headers[Header.command] else {
            return nil
        }
        self.init(key: key, response: response, command: command)
    }

    /// The headers of the first event: these besides its own.
    func headers(besides own: [String: String]) -> [String: String] {
        own.merging([Header.response: response, Header.command: command]) { $1 }
    }

    /// - Throws: `headersTooLarge` when there is no room for the response.
    func check(besides own: [String: String], _ payloads: PayloadEncoder) throws(EventStreamingError) {
        do throws(EventStreamingError) {
            try payloads.check(headers: headers(besides: own))
        } catch {
            guard error.code == .headersTooLarge else { throw error }
            throw EventStreamingError(
                .headersTooLarge,
                "The response has \(response.utf8.count) bytes as JSON, too many to record it in the headers of the "
                    + "first event. Respond with less, say an id, or raise options.limits.maximumHeaderBytes.",
                underlying: error
            )
        }
    }
}
