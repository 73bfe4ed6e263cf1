#if PostgreSQL
import EventStreamingCore

/// Bytes in PostgreSQL's binary form, most significant first, in one buffer that grows.
///
/// A plain pointer: arrays check bounds and ownership for every few bytes, and this is where most of an append's own
/// time goes.
struct BinaryWriter: ~Copyable {
    private(set) var count = 0
    private var buffer: UnsafeMutableRawBufferPointer

    init(capacity: Int = 1024) {
        buffer = .allocate(byteCount: max(64, capacity), alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    mutating func reserve(_ more: Int) {
        guard buffer.count - count < more else { return }
        let grown = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(buffer.count * 2, count + more),
            alignment: 16
        )
        grown.copyMemory(from: bytes)
        buffer.deallocate()
        buffer = grown
    }

    mutating func write<Number: FixedWidthInteger>(_ number: Number) {
        let size = MemoryLayout<Number>.size
        reserve(size)
        buffer.storeBytes(of: number.bigEndian, toByteOffset: count, as: Number.self)
        count += size
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    mutating func write(_ id: MessageID) {
        write(id.high)
        write(id.low)
    }

    /// Takes back what was written last, down to a count there was before.
    mutating func removeAll(from position: Int) {
        count = min(count, max(0, position))
    }

    /// Replaces four bytes that were written before.
    mutating func overwrite(at position: Int, with number: Int32) {
        buffer.storeBytes(of: number.bigEndian, toByteOffset: position, as: Int32.self)
    }
}
#endif
