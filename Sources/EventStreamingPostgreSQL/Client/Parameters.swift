#if PostgreSQL
import EventStreamingCore

/// The values of a statement's `$1`, `$2`…, in binary form. Text never becomes a part of a statement.
struct Parameters: ~Copyable {
    private var writer: BinaryWriter
    /// Where each value is; `nil` for NULL.
    private var ranges: [Range<Int>?] = []

    init(capacity: Int = 256) {
        writer = BinaryWriter(capacity: capacity)
    }

    var count: Int { ranges.count }

    mutating func add(_ number: Int64) {
        add { $0.write(number) }
    }

    mutating func add(_ number: Int64?) {
        if let number { add(number) } else { ranges.append(nil) }
    }

    mutating func add(_ number: Double) {
        add { $0.write(number.bitPattern) }
    }

    mutating func add(_ bytes: [UInt8]?) {
        guard let bytes else {
            ranges.append(nil)
            return
        }
        add { writer in bytes.withUnsafeBytes { writer.write($0) } }
    }

    mutating func add(_ isTrue: Bool) {
        add { $0.write(isTrue ? UInt8(1) : 0) }
    }

    mutating func add(_ text: String) {
        add { $0.write(text) }
    }

    mutating func add(_ text: String?) {
        if let text { add(text) } else { ranges.append(nil) }
    }

    mutating func add(_ id: MessageID?) {
        if let id { add { $0.write(id) } } else { ranges.append(nil) }
    }

    mutating func add(_ numbers: some Collection<Int64>) {
        addArray(of: .int8, numbers) { writer, number in writer.write(number) }
    }

    mutating func add(_ ids: some Collection<MessageID>) {
        addArray(of: .uuid, ids) { writer, id in writer.write(id) }
    }

    mutating func add(_ texts: some Collection<String>) {
        addArray(of: .text, texts) { writer, text in writer.write(text) }
    }

    /// Adds an array whose elements `write` writes, returning `false` for NULL. When all are, the array itself is NULL:
    /// `unnest` makes the same of it beside arrays that are not.
    mutating func addArray<Elements: Collection>(
        ofNullable type: ElementType,
        _ elements: Elements,
        _ write: (inout BinaryWriter, Elements.Element) -> Bool
    ) {
        let start = writer.count
        writer.write(Int32(1))  // dimensions
        let flag = writer.count
        writer.write(Int32(0))  // whether there are NULLs
        writer.write(type.oid)
        writer.write(Int32(clamping: elements.count))
        writer.write(Int32(1))  // the first index
        var (hasNulls, hasValues) = (false, false)
        for element in elements {
            let length = writer.count
            writer.write(Int32(-1))
            if write(&writer, element) {
                writer.overwrite(at: length, with: Int32(clamping: writer.count - length - 4))
                hasValues = true
            } else {
                hasNulls = true
            }
        }
        if hasNulls, !hasValues {
            writer.removeAll(from: start)
            ranges.append(nil)
            return
        }
        if hasNulls {
            writer.overwrite(at: flag, with: 1)
        }
        ranges.append(start..<writer.count)
    }

    /// Adds an array without NULLs.
    mutating func addArray<Elements: Collection>(
        of type: ElementType,
        _ elements: Elements,
        _ write: (inout BinaryWriter, Elements.Element) -> Void
    ) {
        addArray(ofNullable: type, elements) { writer, element in
            write(&writer, element)
            return true
        }
    }

    private mutating func add(_ write: (inout BinaryWriter) -> Void) {
        let start = writer.count
        write(&writer)
        ranges.append(start..<writer.count)
    }

    /// Calls `body` with the values as libpq wants them: pointers, lengths, formats.
    func withValues<Result>(
        _ body: (Int32, [UnsafePointer<CChar>?], [Int32], [Int32]) -> Result
    ) -> Result {
        let bytes = writer.bytes
        let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        let values = ranges.map { range in range.flatMap { base?.advanced(by: $0.lowerBound) } }
        let lengths = ranges.map { Int32(clamping: $0?.count ?? 0) }
        return body(Int32(clamping: ranges.count), values, lengths, Array(repeating: 1, count: ranges.count))
    }
}

/// Types of array elements, by their numbers in PostgreSQL's catalogue, which are the same in every server.
enum ElementType {
    case int8, uuid, text, bytea, bool

    var oid: Int32 {
        switch self {
        case .int8: 20
        case .uuid: 2950
        case .text: 25
        case .bytea: 17
        case .bool: 16
        }
    }
}
#endif
