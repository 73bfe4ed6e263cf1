import EventStreamingCore
import Foundation
import Testing

@Suite("PayloadMeter: containers of every kind")
struct PayloadMeterContainerTests {
    private enum Key: String, CodingKey {
        case first, second, third
    }

    /// A value that encodes itself as a test tells it to.
    private struct Custom: Encodable, Sendable {
        let body: @Sendable (any Encoder) throws -> Void

        func encode(to encoder: any Encoder) throws {
            try body(encoder)
        }
    }

    private static let nothing = Custom { _ in }

    private static let customs: [Custom] = [
        Custom { encoder in
            var container = encoder.container(keyedBy: Key.self)
            try container.encodeNil(forKey: .first)
            var nested = container.nestedContainer(keyedBy: Key.self, forKey: .second)
            try nested.encode(1, forKey: .first)
            try nested.encode("two", forKey: .second)
            var list = container.nestedUnkeyedContainer(forKey: .third)
            try list.encode(true)
            try list.encodeNil()
            try list.encode(contentsOf: [UInt8(1), 20, 200])
            try nested.encode(3.5, forKey: .third)
        },
        Custom { encoder in
            var list = encoder.unkeyedContainer()
            var first = list.nestedContainer(keyedBy: Key.self)
            var second = list.nestedUnkeyedContainer()
            try first.encode([1, 2], forKey: .first)
            try second.encode("a")
            try second.encode(["b": 1])
            try first.encode(Float(1), forKey: .second)
            _ = list.nestedUnkeyedContainer()
            _ = list.nestedContainer(keyedBy: Key.self)
        },
        Custom { encoder in
            var container = encoder.container(keyedBy: Key.self)
            try [1, 2].encode(to: container.superEncoder())
            try "text".encode(to: container.superEncoder(forKey: .first))
            try container.encode(1, forKey: .second)
        },
        Custom { encoder in
            var list = encoder.unkeyedContainer()
            try ["a": 1].encode(to: list.superEncoder())
            try list.encode(2)
            try 3.encode(to: list.superEncoder())
        },
        Custom { encoder in
            // Two containers of one place are one object.
            var one = encoder.container(keyedBy: Key.self)
            try one.encode(1, forKey: .first)
            var two = encoder.container(keyedBy: Key.self)
            try two.encode([1], forKey: .second)
            try one.encode("x", forKey: .third)
        },
        Custom { encoder in
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(nothing, forKey: .first)
            try container.encode([nothing, nothing], forKey: .second)
        },
        Custom { encoder in
            _ = encoder.container(keyedBy: Key.self)
        },
        Custom { encoder in
            _ = encoder.unkeyedContainer()
        },
        Custom { encoder in
            var container = encoder.singleValueContainer()
            try container.encode([Int?.none, 5])
        },
        Custom { encoder in
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        },
    ]

    @Test("as a JSONEncoder", arguments: customs.indices)
    func containers(index: Int) throws {
        let value = [Self.customs[index], Self.customs[index]]
        let data = try JSONEncoder().encode(value)
        let size = try PayloadMeter.size(of: value, limit: .max)
        #expect(size == data.count, "\(String(decoding: data, as: UTF8.self))")
    }

    private class Animal: Encodable {
        let name = "cat"
    }

    private final class Cat: Animal {
        let lives = 9

        private enum CodingKeys: String, CodingKey {
            case lives
        }

        override func encode(to encoder: any Encoder) throws {
            try super.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(lives, forKey: .lives)
        }
    }

    @Test("a class that encodes its superclass into the same object")
    func inheritance() throws {
        #expect(try PayloadMeter.size(of: Cat(), limit: .max) == #"{"name":"cat","lives":9}"#.utf8.count)
    }

    @Test("unkeyed containers count their elements")
    func counts() throws {
        let value = Custom { encoder in
            var list = encoder.unkeyedContainer()
            #expect(list.count == 0)
            try list.encode(1)
            try list.encodeNil()
            _ = list.nestedUnkeyedContainer()
            #expect(list.count == 3)
        }
        _ = try PayloadMeter.size(of: value, limit: .max)
        _ = try PayloadMeter.canonicalBytes(of: value)
    }
}
