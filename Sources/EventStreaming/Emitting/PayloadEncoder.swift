import EventStreamingCore

/// Turns events into what the store wants, and keeps the limits.
struct PayloadEncoder: Sendable {
    let form: PayloadForm
    let codec: any EventCodec
    let limits: EventStreamingOptions.Limits
    let types: EventTypeRegistry

    /// The description of a type whose events are about to be appended. Once for many events, as it costs a look-up.
    func describe<E: Event>(_ type: E.Type) -> EventType {
        let description = EventType(type)
        if form == .encoded {
            types.learn(description, as: type)
        }
        return description
    }

    /// Notes that events of this description are of the event's type, where the store keeps bytes.
    func learn<E: Event>(_ description: EventType, from event: E) {
        guard form == .encoded else { return }
        types.learn(description, as: E.self)
    }

    /// The payload and its size.
    ///
    /// A store that keeps values gets the value, measured but not encoded, so that an event that is too large or cannot
    /// be encoded fails there as it would on a store that keeps bytes.
    func payload<E: Event>(_ event: E) throws(EventStreamingError) -> (EventPayload, size: Int) {
        switch form {
        case .value:
            if let size = event.payloadSize, size >= 0 {
                try check(size, of: E.eventType)
                return (.value(event), size)
            }
            return (.value(event), try PayloadMeter.size(of: event, limit: limits.maximumPayloadBytes))
        case .encoded:
            let bytes = try codec.encode(event)
            try check(bytes.count, of: E.eventType)
            return (.encoded(bytes), bytes.count)
        }
    }

    /// Checks the size of an encoded event against the limit.
    func check(_ size: Int, of type: @autoclosure () -> String) throws(EventStreamingError) {
        guard size <= limits.maximumPayloadBytes else {
            throw EventStreamingError(
                .payloadTooLarge,
                "\(type()) has \(size) bytes; the limit is \(limits.maximumPayloadBytes). Emit less, or raise "
                    + "options.limits.maximumPayloadBytes."
            )
        }
    }

    /// Checks headers against the limits and against characters that must not reach a wire.
    func check(headers: [String: String]) throws(EventStreamingError) {
        guard !headers.isEmpty else { return }
        var bytes = 0
        for (name, value) in headers {
            bytes += name.utf8.count + value.utf8.count
            guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }) else {
                throw EventStreamingError(
                    .invalidArgument,
                    "\(EventStreamingError.printable(name)) is not a valid header name: use printable ASCII without "
                        + "spaces and colons."
                )
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw EventStreamingError(
                    .invalidArgument,
                    "The header '\(name)' has a control character in its value; leave it out or encode the value."
                )
            }
        }
        guard headers.count <= limits.maximumHeaders, bytes <= limits.maximumHeaderBytes else {
            throw EventStreamingError(
                .headersTooLarge,
                "\(headers.count) headers with \(bytes) bytes; the limits are \(limits.maximumHeaders) headers and "
                    + "\(limits.maximumHeaderBytes) bytes. Keep less in headers, or raise them in options.limits."
            )
        }
    }
}
