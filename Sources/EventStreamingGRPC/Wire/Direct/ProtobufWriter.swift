/// Writes fields of protobuf into memory whose size was found out before.
///
/// Nothing is written beyond the end; ``isComplete`` tells whether it came out even.
struct ProtobufWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private var position = 0
    private var hasFailed = false

    init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    /// Whether the memory was filled exactly.
    var isComplete: Bool { position == memory.count && !hasFailed }

    mutating func varint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    /// A field that is a number; left out where it is zero.
    mutating func field(_ number: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        byte(number << 3)
        varint(value)
    }

    /// A field that is a number of eight bytes; left out where it is zero.
    mutating func fixed(_ number: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        byte(number << 3 | 1)
        guard let start = reserve(8) else { return }
        memory.storeBytes(of: value.littleEndian, toByteOffset: start, as: UInt64.self)
    }

    /// A field that is a text; left out where it is empty.
    mutating func field(_ number: UInt8, _ text: String) {
        var text = text
        text.withUTF8 { bytes in
            guard !bytes.isEmpty else { return }
            field(number, UnsafeRawBufferPointer(bytes))
        }
    }

    /// A field that is bytes; left out where there are none.
    mutating func field(_ number: UInt8, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        bytes.withUnsafeBytes { field(number, $0) }
    }

    private mutating func field(_ number: UInt8, _ bytes: UnsafeRawBufferPointer) {
        begin(number, size: bytes.count)
        guard let start = reserve(bytes.count) else { return }
        UnsafeMutableRawBufferPointer(rebasing: memory[start..<position]).copyMemory(from: bytes)
    }

    /// Begins a field that is a message of so many bytes, which follow.
    mutating func begin(_ number: UInt8, size: Int) {
        byte(number << 3 | 2)
        varint(UInt64(size))
    }

    private mutating func byte(_ byte: UInt8) {
        guard position < memory.count else {
            hasFailed = true
            return
        }
        memory[position] = byte
        position += 1
    }

    private mutating func reserve(_ count: Int) -> Int? {
        guard !hasFailed, memory.count - position >= count else {
            hasFailed = true
            return nil
        }
        defer { position += count }
        return position
    }
}

/// How many bytes fields take. All numbers of fields here are below 16, so that their keys have one byte.
enum ProtobufSize {
    static func varint(_ number: UInt64) -> Int {
        (70 - (number | 1).leadingZeroBitCount) / 7
    }

    static func field(_ value: UInt64) -> Int { value == 0 ? 0 : 1 + varint(value) }
    static func fixed(_ value: UInt64) -> Int { value == 0 ? 0 : 9 }
    static func field(_ text: String) -> Int { bytes(text.utf8.count) }
    static func bytes(_ count: Int) -> Int { count == 0 ? 0 : message(count) }
    static func message(_ size: Int) -> Int { 1 + varint(UInt64(size)) + size }
}
