import EventStreamingGRPC
import GRPCCore
import SwiftProtobuf
import Testing

@Suite("The wire contract")
struct ContractTests {
    @Test("has the services that clients in other languages call by name")
    func services() {
        #expect(WireEventDelivery.descriptor.fullyQualifiedService == "eventstreaming.v1.EventDelivery")
        #expect(WireMessages.descriptor.fullyQualifiedService == "eventstreaming.v1.Messages")
        #expect(WireHealth.descriptor.fullyQualifiedService == "grpc.health.v1.Health")
        #expect(WireServerReflection.descriptor.fullyQualifiedService == "grpc.reflection.v1.ServerReflection")
    }

    @Test("keeps the numbers of fields: these bytes are what clients send and read")
    func golden() throws {
        var event = WireEvent()
        event.offset = 7
        event.timestampNanos = 1
        event.id.high = 2
        event.id.low = 3
        event.type = "T"
        event.version = 1
        event.payloadBytes = [0x7B, 0x7D]
        event.correlationID = "w"
        event.headers = ["a": "b"]
        let bytes: [UInt8] = try event.serializedBytes()
        #expect(
            bytes == [
                0x08, 7, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1A, 18, 0x09, 2, 0, 0, 0, 0, 0, 0, 0, 0x11, 3, 0, 0, 0, 0, 0,
                0, 0, 0x22, 1, 0x54, 0x28, 1, 0x32, 2, 0x7B, 0x7D, 0x3A, 1, 0x77, 0x4A, 6, 0x0A, 1, 0x61, 0x12, 1, 0x62,
            ]
        )
    }
}
