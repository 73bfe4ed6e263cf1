import EventStreamingCore

extension [PartitionKey] {
    /// The keys as they are written down: four bytes each, most significant first.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 4)
        for key in self {
            for shift in stride(from: 24, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: key.hash >> UInt32(shift)))
            }
        }
        return bytes
    }

    /// Reads keys that were written down; what is no whole key at the end is left out.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self = stride(from: 0, to: bytes.count - 3, by: 4).map { index in
            PartitionKey(hash: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)))
        }
    }
}
