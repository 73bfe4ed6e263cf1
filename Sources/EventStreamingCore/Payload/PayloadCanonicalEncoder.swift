/// The encoder of a ``PayloadCanonicalization``.
struct PayloadCanonicalEncoder: Encoder {
    let walk: PayloadCanonicalization
    let node: PayloadCanonicalization.Node

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = node.content {
        } else {
            node.content = .object([])
        }
        return KeyedEncodingContainer(PayloadCanonicalKeyedContainer<Key>(walk: walk, node: node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .list = node.content {
        } else {
            node.content = .list([])
        }
        return PayloadCanonicalUnkeyedContainer(walk: walk, node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        PayloadCanonicalValueContainer(walk: walk, node: node)
    }
}

// MARK: - Keyed

private struct PayloadCanonicalKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let walk: PayloadCanonicalization
    let node: PayloadCanonicalization.Node

    var codingPath: [any CodingKey] { [] }

    private func entry(_ key: some CodingKey) -> PayloadCanonicalEncoder {
        let child = PayloadCanonicalization.Node()
        if case .object(var entries) = node.content {
            node.content = .empty
            entries.append((Array(key.stringValue.utf8), child))
            node.content = .object(entries)
        }
        return PayloadCanonicalEncoder(walk: walk, node: child)
    }

    func encodeNil(forKey key: Key) throws {
        try entry(key).value.encodeNil()
    }

    func encode(_ value: Bool, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func encode(_ value: String, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func encode(_ value: Double, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func encode(_ value: Float, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func encode<Integer: FixedWidthInteger & Encodable>(_ value: Integer, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func encode(_ value: Int128, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func encode(_ value: UInt128, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try entry(key).value.encode(value)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        entry(key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        entry(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        entry(PayloadSuperKey())
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        entry(key)
    }
}

// MARK: - Unkeyed

private struct PayloadCanonicalUnkeyedContainer: UnkeyedEncodingContainer {
    let walk: PayloadCanonicalization
    let node: PayloadCanonicalization.Node

    var codingPath: [any CodingKey] { [] }

    var count: Int {
        if case .list(let nodes) = node.content { nodes.count } else { 0 }
    }

    private func element() -> PayloadCanonicalEncoder {
        let child = PayloadCanonicalization.Node()
        if case .list(var nodes) = node.content {
            node.content = .empty
            nodes.append(child)
            node.content = .list(nodes)
        }
        return PayloadCanonicalEncoder(walk: walk, node: child)
    }

    func encodeNil() throws {
        try element().value.encodeNil()
    }

    func encode(_ value: Bool) throws {
        try element().value.encode(value)
    }

    func encode(_ value: String) throws {
        try element().value.encode(value)
    }

    func encode(_ value: Double) throws {
        try element().value.encode(value)
    }

    func encode(_ value: Float) throws {
        try element().value.encode(value)
    }

    func encode<Integer: FixedWidthInteger & Encodable>(_ value: Integer) throws {
        try element().value.encode(value)
    }

    func encode(_ value: Int128) throws {
        try element().value.encode(value)
    }

    func encode(_ value: UInt128) throws {
        try element().value.encode(value)
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        try element().value.encode(value)
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        element().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        element().unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        element()
    }
}

// MARK: - Single value

extension PayloadCanonicalEncoder {
    fileprivate var value: PayloadCanonicalValueContainer { PayloadCanonicalValueContainer(walk: walk, node: node) }
}

private struct PayloadCanonicalValueContainer: SingleValueEncodingContainer {
    let walk: PayloadCanonicalization
    let node: PayloadCanonicalization.Node

    var codingPath: [any CodingKey] { [] }

    func encodeNil() throws {
        walk.setScalar(.null, [], of: node)
    }

    func encode(_ value: Bool) throws {
        walk.setScalar(.boolean, [value ? 1 : 0], of: node)
    }

    func encode(_ value: String) throws {
        walk.setScalar(.text, value.utf8, of: node)
    }

    func encode(_ value: Double) throws {
        try walk.setNumber(value, of: node)
    }

    func encode(_ value: Float) throws {
        try walk.setNumber(value, of: node)
    }

    func encode<Integer: FixedWidthInteger & Encodable>(_ value: Integer) throws {
        walk.setScalar(.integer, String(value).utf8, of: node)
    }

    func encode(_ value: Int128) throws {
        walk.setScalar(.integer, String(value).utf8, of: node)
    }

    func encode(_ value: UInt128) throws {
        walk.setScalar(.integer, String(value).utf8, of: node)
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        try walk.encode(value, into: node)
    }
}
