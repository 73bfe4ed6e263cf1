import Testing

@testable import EventStreamingGRPC

@Suite("The credit that a consumer gives")
struct CreditWindowTests {
    private static func cost(_ sizes: [Int]) -> CreditWindow.Credit {
        CreditWindow.Credit(events: Int64(sizes.count), bytes: Int64(sizes.reduce(0, +)))
    }

    @Test(
        "never stops, never passes a limit, and keeps what is held within bounds",
        arguments: 1...20 as ClosedRange<UInt64>)
    func history(seed: UInt64) throws {
        var generator = SeededNumbers(seed: seed)
        let maximum = CreditWindow.Credit(events: .random(in: 1...300, using: &generator), bytes: 20_000)
        let bytes = Int.random(in: 1024...40_000, using: &generator)
        var window = CreditWindow(bytes: bytes)
        // What the server has been allowed.
        var events: Int64 = 0
        var allowedBytes: Int64 = 0
        var buffered: [CreditWindow.Credit] = []
        var taken = 0
        for _ in 0..<2000 {
            let limit = Int.random(in: 1...300, using: &generator)
            if !buffered.isEmpty {
                window.taken(buffered.removeFirst())
                taken += 1
            }
            if let credit = window.topUp(to: limit, atMost: maximum) {
                #expect(credit.events > 0 && credit.bytes > 0, "seed \(seed)")
                events += credit.events
                allowedBytes += credit.bytes
                #expect(events <= maximum.events && max(0, allowedBytes) <= maximum.bytes, "seed \(seed)")
            }
            // The server sends what it may, sometimes later.
            guard Bool.random(using: &generator) || buffered.isEmpty else { continue }
            if events > 0, allowedBytes > 0 {
                let count = Int(min(events, .random(in: 1...100, using: &generator)))
                let sent = Self.cost((0..<count).map { _ in Int.random(in: 0...500, using: &generator) })
                events -= Int64(count)
                allowedBytes -= sent.bytes
                let isAllowed = window.receive(sent)
                #expect(isAllowed, "seed \(seed)")
                buffered.append(sent)
            } else {
                try #require(!buffered.isEmpty, "Nothing is here, and nothing may come; seed \(seed).")
            }
            let held = buffered.reduce(0) { $0 + $1.events }
            #expect(held <= 600, "seed \(seed)")
        }
        #expect(taken > 100, "seed \(seed)")
    }

    @Test("notices that more came than was allowed")
    func excess() throws {
        var window = CreditWindow(bytes: 1 << 20)
        let credit = window.topUp(to: 3, atMost: CreditWindow.Credit(events: 100, bytes: 1 << 20))
        #expect(credit?.events == 3)
        let isAllowed = window.receive(Self.cost([1, 1, 1]))
        #expect(isAllowed)
        let isExcess = !window.receive(Self.cost([1]))
        #expect(isExcess)
    }
}
