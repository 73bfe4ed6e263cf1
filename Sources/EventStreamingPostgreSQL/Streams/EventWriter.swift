#if PostgreSQL
import EventStreamingCore
import EventStreamingStoreKit

/// Writes the columns of events as arrays, one array for a column, which `unnest` makes rows of again: one statement
/// takes any number of events.
enum EventWriter {
    /// Adds `event_version`, `size`, `event_id`, `causation_id`, `event_type`, `correlation_id`, `headers` and
    /// `event_data`, in this order.
    static func add(_ events: [NewEvent], to parameters: inout Parameters) {
        let indices = events.indices
        parameters.addArray(of: .int8, indices) { writer, index in writer.write(Int64(events[index].type.version)) }
        parameters.addArray(ofNullable: .int8, indices) { writer, index in
            let size = events[index].size
            guard size != bytes(of: events[index]).count else { return false }
            writer.write(Int64(size))
            return true
        }
        parameters.addArray(of: .uuid, indices) { writer, index in writer.write(events[index].id) }
        parameters.addArray(ofNullable: .uuid, indices) { writer, index in
            guard let id = events[index].context.causationID else { return false }
            writer.write(id)
            return true
        }
        parameters.addArray(of: .text, indices) { writer, index in writer.write(events[index].type.name) }
        parameters.addArray(ofNullable: .text, indices) { writer, index in
            guard let id = events[index].context.correlationID else { return false }
            writer.write(id.rawValue)
            return true
        }
        parameters.addArray(ofNullable: .text, indices) { writer, index in
            guard let text = HeaderText.text(of: events[index].context.headers) else { return false }
            writer.write(text)
            return true
        }
        parameters.addArray(of: .bytea, indices) { writer, index in
            bytes(of: events[index]).withUnsafeBytes { writer.write($0) }
        }
    }

    /// The bytes of an event that was checked to have some.
    static func bytes(of event: NewEvent) -> [UInt8] {
        if case .encoded(let bytes) = event.payload { bytes } else { [] }
    }
}
#endif
