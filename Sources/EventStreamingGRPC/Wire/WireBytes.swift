import SwiftProtobuf

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension WireNewEvent {
    /// The payload as an array of bytes.
    package var payloadBytes: [UInt8] {
        get { [UInt8](payload) }
        set { payload = Data(newValue) }
    }
}

extension WireEvent {
    /// The payload as an array of bytes.
    package var payloadBytes: [UInt8] {
        get { [UInt8](payload) }
        set { payload = Data(newValue) }
    }
}

extension WireBody {
    /// The body's JSON; `nil` when it is in another form.
    package var jsonBytes: [UInt8]? {
        get {
            if case .json(let bytes) = content { [UInt8](bytes) } else { nil }
        }
        set { content = newValue.map { .json(Data($0)) } }
    }

    /// The body's protobuf message; `nil` when it is in another form.
    package var protobufBytes: [UInt8]? {
        get {
            if case .protobuf(let bytes) = content { [UInt8](bytes) } else { nil }
        }
        set { content = newValue.map { .protobuf(Data($0)) } }
    }
}

extension GeneratedDescriptors {
    /// The serialized descriptors; empty when they are damaged.
    static var bytes: [UInt8] { Data(base64Encoded: base64).map { [UInt8]($0) } ?? [] }
}
