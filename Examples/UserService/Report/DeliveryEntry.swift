import EventStreaming

/// One delivery of an event to a consumer, and how it ended.
struct DeliveryEntry: ConsoleEntry {
    enum Kind: String, Encodable {
        case delivered
        case failed
    }

    let kind: Kind
    let subscription: String
    let consumer: String
    let event: String
    let subject: String
    let offset: Int64
    let attempt: Int
    let partition: Int?
    let workflow: String?
    var code: String?
    var message: String?

    init(_ delivery: Delivery, failure: Failure? = nil) {
        kind = failure == nil ? .delivered : .failed
        subscription = delivery.subscription.rawValue
        consumer = delivery.consumerID.rawValue
        event = delivery.record.type.description
        subject = Self.subject(of: delivery.event)
        offset = delivery.record.offset.rawValue
        attempt = delivery.attempt
        partition = delivery.partition
        workflow = delivery.workflowID?.rawValue
        code = failure?.code
        message = failure?.message
    }

    var text: String {
        var text = "  \(subscription)/\(consumer): \(event) \(subject) offset=\(offset) attempt=\(attempt)"
        if let partition {
            text += " partition=\(partition)"
        }
        if let workflow {
            text += " workflow=\(Self.shortened(workflow))"
        }
        if let code, let message {
            text += " failed \(code): \(message)"
        }
        return text
    }

    private static func subject(of event: any Event) -> String {
        switch event {
        case let event as UserAdded: "\(event.name) <\(event.email)>"
        case let event as UserRemoved: "<\(event.email)>"
        case let event as UserInvited: "<\(event.email)>"
        case let event as InvitationAccepted: "\(event.name) <\(event.email)>"
        case let event as InvitationDeclined: "<\(event.email)>"
        default: "?"
        }
    }

    /// Ids that were made up are long, and begin alike: their end tells them apart.
    private static func shortened(_ id: String) -> String {
        id.count > 20 ? "…" + id.suffix(8) : id
    }
}
