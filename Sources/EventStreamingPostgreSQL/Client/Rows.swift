#if PostgreSQL
import CLibPQ
import EventStreamingCore

/// The rows of a result, in binary form. Columns are read as what they are known to be: statements are ours.
///
/// A value of an unexpected size reads as zero or empty, never beyond its end.
final class Rows {
    private let result: OpaquePointer

    /// The number of rows.
    let count: Int

    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
    }

    deinit {
        PQclear(result)
    }

    var columnCount: Int { Int(PQnfields(result)) }

    /// How many rows the statement changed.
    var affected: Int {
        PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    func isNull(_ row: Int, _ column: Int) -> Bool {
        PQgetisnull(result, Int32(clamping: row), Int32(clamping: column)) != 0
    }

    func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        let (row, column) = (Int32(clamping: row), Int32(clamping: column))
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column),
            count: Int(PQgetlength(result, row, column))
        )
    }

    func int64(_ row: Int, _ column: Int) -> Int64 {
        Self.number(bytes(row, column), at: 0, as: Int64.self)
    }

    func int32(_ row: Int, _ column: Int) -> Int32 {
        Self.number(bytes(row, column), at: 0, as: Int32.self)
    }

    func double(_ row: Int, _ column: Int) -> Double {
        Double(bitPattern: Self.number(bytes(row, column), at: 0, as: UInt64.self))
    }

    func optionalInt64(_ row: Int, _ column: Int) -> Int64? {
        isNull(row, column) ? nil : int64(row, column)
    }

    func bool(_ row: Int, _ column: Int) -> Bool {
        bytes(row, column).first == 1
    }

    func text(_ row: Int, _ column: Int) -> String {
        String(decoding: bytes(row, column), as: UTF8.self)
    }

    func optionalText(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : text(row, column)
    }

    func id(_ row: Int, _ column: Int) -> MessageID {
        let bytes = bytes(row, column)
        return MessageID(
            high: Self.number(bytes, at: 0, as: UInt64.self),
            low: Self.number(bytes, at: 8, as: UInt64.self)
        )
    }

    func optionalID(_ row: Int, _ column: Int) -> MessageID? {
        isNull(row, column) ? nil : id(row, column)
    }

    private static func number<Number: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer,
        at offset: Int,
        as type: Number.Type
    ) -> Number {
        guard bytes.count >= offset + MemoryLayout<Number>.size else { return 0 }
        return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
#endif
