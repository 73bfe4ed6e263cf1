/// The encoder of a ``PayloadMeasurement``. It shows an empty coding path, since nobody is told where a value failed.
struct PayloadSizeEncoder: Encoder {
    let measurement: PayloadMeasurement
    let own: PayloadMeasurement.OwnSlot?

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        measurement.openContainer(own)
        return KeyedEncodingContainer(PayloadSizeKeyedContainer<Key>(measurement: measurement, own: own))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        measurement.openContainer(own)
        return PayloadSizeUnkeyedContainer(measurement: measurement, own: own)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        measurement.startSingleValue(own)
        return PayloadSizeSingleValueContainer(measurement: measurement)
    }
}

// MARK: - Keyed

private struct PayloadSizeKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let measurement: PayloadMeasurement
    let own: PayloadMeasurement.OwnSlot?

    var codingPath: [any CodingKey] { [] }

    private func begin(_ key: some CodingKey) {
        measurement.beginEntry(own)
        measurement.addKey(key)
    }

    func encodeNil(forKey key: Key) throws {
        begin(key)
        try measurement.add(4)
    }

    func encode(_ value: Bool, forKey key: Key) throws {
        begin(key)
        try measurement.add(value ? 4 : 5)
    }

    func encode(_ value: String, forKey key: Key) throws {
        begin(key)
        try measurement.add(PayloadSizes.ofText(value))
    }

    func encode(_ value: Double, forKey key: Key) throws {
        begin(key)
        try measurement.addNumber(value)
    }

    func encode(_ value: Float, forKey key: Key) throws {
        begin(key)
        try measurement.addNumber(value)
    }

    func encode(_ value: Int, forKey key: Key) throws {
        begin(key)
        try measurement.add(PayloadSizes.ofInteger(isNegative: value < 0, magnitude: UInt64(value.magnitude)))
    }

    func encode<Integer: FixedWidthInteger & Encodable>(_ value: Integer, forKey key: Key) throws {
        begin(key)
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    func encode(_ value: Int128, forKey key: Key) throws {
        begin(key)
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    func encode(_ value: UInt128, forKey key: Key) throws {
        begin(key)
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        begin(key)
        try measurement.encode(value)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        superEncoder(forKey: key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        superEncoder(forKey: key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        begin(PayloadSuperKey())
        return PayloadSizeEncoder(measurement: measurement, own: measurement.makeSlot())
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        begin(key)
        return PayloadSizeEncoder(measurement: measurement, own: measurement.makeSlot())
    }
}

/// The key under which keyed containers keep what a superclass encodes.
struct PayloadSuperKey: CodingKey {
    var stringValue: String { "super" }
    var intValue: Int? { nil }

    init() {}
    init?(stringValue: String) {}
    init?(intValue: Int) {}
}

// MARK: - Unkeyed

private struct PayloadSizeUnkeyedContainer: UnkeyedEncodingContainer {
    let measurement: PayloadMeasurement
    let own: PayloadMeasurement.OwnSlot?
    var count = 0

    init(measurement: PayloadMeasurement, own: PayloadMeasurement.OwnSlot?) {
        self.measurement = measurement
        self.own = own
    }

    var codingPath: [any CodingKey] { [] }

    private mutating func begin() {
        count += 1
        measurement.beginEntry(own)
    }

    mutating func encodeNil() throws {
        begin()
        try measurement.add(4)
    }

    mutating func encode(_ value: Bool) throws {
        begin()
        try measurement.add(value ? 4 : 5)
    }

    mutating func encode(_ value: String) throws {
        begin()
        try measurement.add(PayloadSizes.ofText(value))
    }

    mutating func encode(_ value: Double) throws {
        begin()
        try measurement.addNumber(value)
    }

    mutating func encode(_ value: Float) throws {
        begin()
        try measurement.addNumber(value)
    }

    mutating func encode(_ value: Int) throws {
        begin()
        try measurement.add(PayloadSizes.ofInteger(isNegative: value < 0, magnitude: UInt64(value.magnitude)))
    }

    mutating func encode<Integer: FixedWidthInteger & Encodable>(_ value: Integer) throws {
        begin()
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    mutating func encode(_ value: Int128) throws {
        begin()
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    mutating func encode(_ value: UInt128) throws {
        begin()
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
        begin()
        try measurement.encode(value)
    }

    mutating func encode(contentsOf bytes: some Sequence<UInt8>) throws {
        for byte in bytes {
            begin()
            try measurement.add(PayloadSizes.ofInteger(byte))
        }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        superEncoder().container(keyedBy: keyType)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        superEncoder().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        begin()
        return PayloadSizeEncoder(measurement: measurement, own: measurement.makeSlot())
    }
}

// MARK: - Single value

private struct PayloadSizeSingleValueContainer: SingleValueEncodingContainer {
    let measurement: PayloadMeasurement

    var codingPath: [any CodingKey] { [] }

    func encodeNil() throws {
        try measurement.add(4)
    }

    func encode(_ value: Bool) throws {
        try measurement.add(value ? 4 : 5)
    }

    func encode(_ value: String) throws {
        try measurement.add(PayloadSizes.ofText(value))
    }

    func encode(_ value: Double) throws {
        try measurement.addNumber(value)
    }

    func encode(_ value: Float) throws {
        try measurement.addNumber(value)
    }

    func encode(_ value: Int) throws {
        try measurement.add(PayloadSizes.ofInteger(isNegative: value < 0, magnitude: UInt64(value.magnitude)))
    }

    func encode<Integer: FixedWidthInteger & Encodable>(_ value: Integer) throws {
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    func encode(_ value: Int128) throws {
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    func encode(_ value: UInt128) throws {
        try measurement.add(PayloadSizes.ofInteger(value))
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        try measurement.encode(value)
    }
}
