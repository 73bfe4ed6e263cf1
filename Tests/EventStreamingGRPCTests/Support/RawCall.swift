import EventStreamingGRPC
import SwiftProtobuf

/// The bytes of calls that are made by hand, frame by frame of HTTP/2.
enum RawCall {
    /// The preface with the largest windows there are, so that nothing but the reader holds the server back.
    static var wideOpen: [UInt8] {
        let settings: [UInt8] = [0, 4, 0x7F, 0xFF, 0xFF, 0xFF]
        let window: [UInt8] = [0x7F, 0xFF, 0x00, 0x00]
        return Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + RawConnection.frame(4, stream: 0, settings)
            + RawConnection.frame(8, stream: 0, window)
    }

    /// A consumer's call, on a connection of its own.
    static func subscribe(_ subscription: String, as consumer: String, events: Int64 = 1000) -> [UInt8] {
        wideOpen + RawConnection.frame(1, flags: 4, stream: 1, headers("Subscribe"))
            + message(open(subscription, as: consumer, events: events))
    }

    /// Headers of a call, none of them compressed.
    static func headers(_ method: String) -> [UInt8] {
        func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
        return [0x83, 0x86, 0x04] + text("/eventstreaming.v1.EventDelivery/" + method) + [0x01] + text("localhost")
            + [0x0F, 0x10] + text("application/grpc") + [0x00] + text("te") + text("trailers")
    }

    private static func open(_ subscription: String, as consumer: String, events: Int64) -> [UInt8] {
        var frame = WireSubscribeRequest()
        frame.open.protocolVersion = 1
        frame.open.subscription = subscription
        frame.open.consumer = consumer
        frame.open.credit.events = events
        frame.open.credit.bytes = 16 << 20
        return (try? frame.serializedBytes()) ?? []
    }

    private static func message(_ bytes: [UInt8]) -> [UInt8] {
        RawConnection.frame(0, stream: 1, [0, 0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes)
    }
}
