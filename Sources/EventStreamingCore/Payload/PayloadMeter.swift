/// Measures and compares values without encoding them.
///
/// A value that stays in memory is never encoded, yet its size has to be known for limits and statistics, and two of
/// them have to be compared when an id is used twice. Both are done by walking the value as an encoder does, and both
/// tell a value that could not be encoded.
public enum PayloadMeter {
    /// How deep values may be nested; deeper ones are refused, so that a value that contains itself ends as an error.
    public static let maximumDepth = 512

    /// How many bytes the value takes as compact JSON, without building it.
    ///
    /// The size is that of UTF-8 text without spaces, with `"`, `\` and control characters escaped (but not `/`), whole
    /// numbers in decimal, others in their shortest form, bytes (`[UInt8]`) as a list of numbers, and nothing left out
    /// or counted once where a key is written twice. Types that an encoder treats specially are measured as they encode
    /// themselves: a `Date` by its number, a `Data` as a list of numbers and not as Base64.
    ///
    /// The walk ends as soon as the limit is exceeded. It costs one allocation, and one more for each keyed container.
    ///
    /// - Parameters:
    ///   - value: The value to measure.
    ///   - limit: The largest size allowed, in bytes.
    /// - Throws: `payloadTooLarge`; `encodingFailed` for numbers that are not finite, for values that are nested deeper
    ///   than ``maximumDepth``, and for whatever error the value's own encoding throws, which is the
    ///   ``EventStreamingError/underlying`` error then.
    public static func size<Value: Encodable>(of value: Value, limit: Int) throws(EventStreamingError) -> Int {
        let measurement = PayloadMeasurement(limit: limit)
        do {
            try measurement.encode(value)
            return try measurement.finish()
        } catch {
            throw failure(measurement.problem ?? .foreign(error), encoding: Value.self)
        }
    }

    /// The value in a form that is equal, byte for byte, for equal values: entries of keyed containers and dictionaries
    /// are in order of their keys, members of sets in order of their bytes.
    ///
    /// Only for comparing two values of one type within one process; the form is no format to be stored. A set or
    /// dictionary that is encoded by a direct call of its `encode(to:)` keeps its own order.
    ///
    /// - Throws: `encodingFailed`, as ``size(of:limit:)``.
    public static func canonicalBytes<Value: Encodable>(of value: Value) throws(EventStreamingError) -> [UInt8] {
        let canonicalization = PayloadCanonicalization()
        do {
            return try canonicalization.bytes(of: value)
        } catch {
            throw failure(canonicalization.problem ?? .foreign(error), encoding: Value.self)
        }
    }

    private static func failure<Value>(
        _ problem: PayloadProblem,
        encoding type: Value.Type
    ) -> EventStreamingError {
        switch problem {
        case .tooLarge(let size, let limit):
            EventStreamingError(
                .payloadTooLarge,
                "A value of type \(type) takes at least \(size) bytes; at most \(limit) are allowed. Keep large data "
                    + "elsewhere and put a reference to it into the event, or raise the limit."
            )
        case .tooDeep:
            EventStreamingError(
                .encodingFailed,
                "A value of type \(type) is nested deeper than \(maximumDepth) levels; make it flatter, and make sure "
                    + "that it does not contain itself."
            )
        case .notFinite:
            EventStreamingError(
                .encodingFailed,
                "A value of type \(type) holds a number that is not finite, which JSON cannot express; use an optional "
                    + "where there may be no number."
            )
        case .foreign(let error):
            EventStreamingError(.encodingFailed, "A value of type \(type) cannot be encoded.", underlying: error)
        }
    }
}

/// Why a walk ended early. Kept by the walk as well as thrown, since an `encode(to:)` may swallow what it is thrown.
enum PayloadProblem: Error {
    case tooLarge(size: Int, limit: Int)
    case tooDeep
    case notFinite
    case foreign(any Error)
}
