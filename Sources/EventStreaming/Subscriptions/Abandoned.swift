import EventStreamingCore

/// A consumer whose loop is gone, and what is to be given back for it.
struct Abandoned: Sendable {
    let consumer: Consumer
    let registration: ConsumerRegistration?
    let settlements: [Settlement]
}
