import EventStreamingCore
import Testing

@Suite("PayloadMeter: canonical bytes")
struct PayloadCanonicalBytesTests {
    private struct Order: Codable, Equatable {
        var number = 4711
        var text = "two shirts"
        var price = 19.5
        var isPaid = true
        var note: String?
        var bytes: [UInt8] = Array(0...255)
        var lines: [String: [Int]] = ["a": [1, 2], "b": []]
        var tags: Set<String> = ["x", "y"]
        var counts: [Int: Int] = [1: 2]
    }

    private func bytes(_ value: some Encodable) throws -> [UInt8] {
        try PayloadMeter.canonicalBytes(of: value)
    }

    @Test("equal values have equal bytes")
    func equality() throws {
        #expect(try bytes(Order()) == bytes(Order()))
    }

    @Test("the order of insertion into dictionaries and sets does not matter")
    func insertionOrder() throws {
        let keys = (0..<200).map { "key \($0)" }
        var dictionary: [String: Int] = [:]
        var numbers: [Int: String] = [:]
        var set = Set<String>(minimumCapacity: 4000)
        for (index, key) in keys.enumerated() {
            dictionary[key] = index
            numbers[index] = key
            set.insert(key)
        }
        var reversed: [String: Int] = Dictionary(minimumCapacity: 2000)
        var reversedNumbers: [Int: String] = Dictionary(minimumCapacity: 2000)
        var reversedSet: Set<String> = []
        for (index, key) in keys.enumerated().reversed() {
            reversed[key] = index
            reversedNumbers[index] = key
            reversedSet.insert(key)
        }
        #expect(try bytes(dictionary) == bytes(reversed))
        #expect(try bytes(numbers) == bytes(reversedNumbers))
        #expect(try bytes(set) == bytes(reversedSet))
        #expect(try bytes([set: [dictionary]]) == bytes([reversedSet: [reversed]]))
        #expect(try bytes(["a": Optional(set)]) == bytes(["a": Optional(reversedSet)]))
    }

    private struct Pair: Codable, Hashable {
        let first: Int
        let second: String
    }

    @Test("dictionaries whose keys are no texts have no order either")
    func valueKeys() throws {
        let pairs = (0..<100).map { Pair(first: $0, second: "x") }
        var forward: [Pair: Int] = [:]
        var backward: [Pair: Int] = Dictionary(minimumCapacity: 1000)
        for pair in pairs {
            forward[pair] = pair.first
        }
        for pair in pairs.reversed() {
            backward[pair] = pair.first
        }
        #expect(try bytes(forward) == bytes(backward))
        backward[pairs[0]] = 7
        #expect(try bytes(forward) != bytes(backward))
    }

    @Test("any difference makes a difference")
    func differences() throws {
        let changes: [(inout Order) -> Void] = [
            { $0.number = 4712 }, { $0.text = "two shirt" }, { $0.price = 19.500000000000004 }, { $0.isPaid = false },
            { $0.note = "" }, { $0.bytes[255] = 0 }, { $0.bytes.removeLast() }, { $0.lines["a"] = [1, 3] },
            { $0.lines["b"] = nil }, { $0.lines["c"] = [] }, { $0.tags = ["x", "z"] }, { $0.tags = ["x"] },
            { $0.counts = [2: 1] }, { $0.price = -19.5 }, { $0.text = "two shirts\0" },
        ]
        var seen: Set<[UInt8]> = [try bytes(Order())]
        for change in changes {
            var order = Order()
            change(&order)
            let isNew = seen.insert(try bytes(order)).inserted
            #expect(isNew, "\(order)")
        }
    }

    @Test("values that could be taken for each other are not")
    func confusion() throws {
        let forms: [[UInt8]] = [
            try bytes([["a"], ["b"]]), try bytes([["a", "b"]]), try bytes([["a", "b"], []]),
            try bytes([[], ["a", "b"]]),
            try bytes(["ab", ""]), try bytes(["a", "b"]), try bytes(["", "ab"]), try bytes("ab"), try bytes(["ab"]),
            try bytes(1), try bytes("1"), try bytes(1.5), try bytes("1.5"), try bytes(true), try bytes([UInt8(1)]),
            try bytes([1]), try bytes(Set([1])), try bytes([Int?.none]), try bytes([String: Int]()), try bytes([Int]()),
            try bytes(["a": "b"]), try bytes(["a": ["b"]]), try bytes([["a": "b"]]), try bytes(0.0), try bytes(-0.0),
        ]
        #expect(Set(forms).count == forms.count)
    }

    @Test("a value without any content has a form too")
    func empty() throws {
        struct Empty: Codable {}
        #expect(try !bytes(Empty()).isEmpty)
        #expect(try bytes([Empty()]) != bytes([Empty(), Empty()]))
    }
}
