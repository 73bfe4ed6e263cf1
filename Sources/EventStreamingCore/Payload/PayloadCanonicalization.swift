/// One walk over a value that brings it into a form that is the same for equal values.
final class PayloadCanonicalization {
    /// A place for a value, filled as the walk goes on and written at its end.
    final class Node {
        enum Content {
            case empty
            case scalar([UInt8])
            case list([Node])
            case unordered([Node])
            case object([(key: [UInt8], value: Node)])
        }

        var content = Content.empty
    }

    /// Which kind of value follows, so that values of different kinds never look the same.
    enum Tag: UInt8 {
        case empty, null, boolean, integer, number, text, bytes, list, unordered, object
    }

    private var depth = 0
    private(set) var problem: PayloadProblem?

    func bytes(of value: some Encodable) throws -> [UInt8] {
        let root = Node()
        try encode(value, into: root)
        if let problem {
            throw problem
        }
        var result: [UInt8] = []
        try write(root, to: &result, depth: 0)
        return result
    }

    func fail(_ problem: PayloadProblem) -> PayloadProblem {
        self.problem = self.problem ?? problem
        return problem
    }

    func encode(_ value: some Encodable, into node: Node) throws {
        guard depth < PayloadMeter.maximumDepth else { throw fail(.tooDeep) }
        depth += 1
        defer { depth -= 1 }
        if let bytes = value as? [UInt8] {
            setScalar(.bytes, bytes, of: node)
        } else if let members = (value as? any UnorderedValue)?.members {
            node.content = .unordered(
                try members.map { member in
                    let child = Node()
                    try encode(member, into: child)
                    return child
                }
            )
        } else {
            try value.encode(to: PayloadCanonicalEncoder(walk: self, node: node))
        }
    }

    func setScalar(_ tag: Tag, _ bytes: some Sequence<UInt8>, of node: Node) {
        node.content = .scalar([tag.rawValue] + bytes)
    }

    func setNumber(_ value: some BinaryFloatingPoint & CustomStringConvertible, of node: Node) throws {
        guard value.isFinite else { throw fail(.notFinite) }
        setScalar(.number, value.description.utf8, of: node)
    }

    // MARK: - Writing

    private func write(_ node: Node, to result: inout [UInt8], depth: Int) throws {
        // Nested containers add levels that are no values, so the depth is looked after here once more.
        guard depth <= 2 * PayloadMeter.maximumDepth else { throw fail(.tooDeep) }
        switch node.content {
        case .empty:
            result.append(Tag.empty.rawValue)
        case .scalar(let bytes):
            write(bytes.count, to: &result)
            result += bytes
        case .list(let nodes):
            result.append(Tag.list.rawValue)
            write(nodes.count, to: &result)
            for child in nodes {
                try write(child, to: &result, depth: depth + 1)
            }
        case .unordered(let nodes):
            result.append(Tag.unordered.rawValue)
            write(nodes.count, to: &result)
            let members = try nodes.map { child in
                var bytes: [UInt8] = []
                try write(child, to: &bytes, depth: depth + 1)
                return bytes
            }
            result += members.sorted { $0.lexicographicallyPrecedes($1) }.joined()
        case .object(let entries):
            result.append(Tag.object.rawValue)
            let last = Dictionary(entries, uniquingKeysWith: { _, last in last })
            write(last.count, to: &result)
            for (key, child) in last.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                write(key.count, to: &result)
                result += key
                try write(child, to: &result, depth: depth + 1)
            }
        }
    }

    private func write(_ count: Int, to result: inout [UInt8]) {
        withUnsafeBytes(of: UInt64(count).bigEndian) { result += $0 }
    }
}

// MARK: - Values without an order

/// A value whose members come in an order of no meaning.
private protocol UnorderedValue {
    /// The members in any order; `nil` when the value encodes itself in an order that can be relied on.
    var members: [any Encodable]? { get }
}

extension Set: UnorderedValue where Element: Encodable {
    fileprivate var members: [any Encodable]? { map { $0 } }
}

extension Dictionary: UnorderedValue where Key: Encodable, Value: Encodable {
    private struct Entry: Encodable {
        let key: Key
        let value: Value
    }

    fileprivate var members: [any Encodable]? { map { Entry(key: $0.key, value: $0.value) } }
}
