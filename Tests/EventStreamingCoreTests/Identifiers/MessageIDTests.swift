import EventStreamingCore
import Testing

@Suite("MessageID")
struct MessageIDTests {
    @Test(
        "text and bits are the same id",
        arguments: [
            (UInt64(0), UInt64(0), "00000000-0000-0000-0000-000000000000"),
            (.max, .max, "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            (0x0199_F0C8_6F3A_7C1E, 0x8A55_3B1D_6B0F_9E21, "0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e21"),
            (0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, "01234567-89ab-cdef-fedc-ba9876543210"),
        ] as [(UInt64, UInt64, String)]
    )
    func roundTrip(high: UInt64, low: UInt64, text: String) {
        let id = MessageID(high: high, low: low)
        #expect(id.description == text)
        #expect(MessageID(text) == id)
        #expect(MessageID(text.uppercased()) == id)
    }

    @Test("random ids survive the way through their text")
    func randomRoundTrips() {
        for _ in 0..<1000 {
            let id = MessageID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
            #expect(MessageID(id.description) == id)
        }
    }

    @Test(
        "anything but the usual form is no id",
        arguments: [
            "", "-", "0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e2", "0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e211",
            "0199f0c86f3a7c1e8a553b1d6b0f9e21", "0199f0c8-6f3a-7c1e-8a553-b1d6b0f9e21",
            "0199f0c8_6f3a_7c1e_8a55_3b1d6b0f9e21", "g199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e21",
            " 0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e21", "0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e21 ",
            "{0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e21}", "0199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e2\0",
            "٠199f0c8-6f3a-7c1e-8a55-3b1d6b0f9e21", "------------------------------------",
            String(repeating: "a", count: 10_000),
        ]
    )
    func badText(_ text: String) {
        #expect(MessageID(text) == nil)
    }

    @Test("ids are in order of their bits")
    func order() {
        let ids = [
            MessageID(high: 0, low: 0), MessageID(high: 0, low: .max), MessageID(high: 1, low: 0),
            MessageID(high: .max, low: 1),
        ]
        #expect(ids.shuffled().sorted() == ids)
        #expect(ids.map(\.description).sorted() == ids.map(\.description))
    }
}
