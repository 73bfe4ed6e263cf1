import EventStreamingCore
import GRPCCore
import SwiftProtobuf

/// `grpc.reflection.v1.ServerReflection`: tells tools which services there are, and what their messages look like.
struct ReflectionService: WireServerReflection.SimpleServiceProtocol {
    private let services: [String]
    private let files: [String: Google_Protobuf_FileDescriptorProto]
    private let symbols: [String: String]

    init(services: [String]) {
        self.services = services.sorted()
        var files: [String: Google_Protobuf_FileDescriptorProto] = [:]
        var symbols: [String: String] = [:]
        let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: GeneratedDescriptors.bytes)
        for file in set?.file ?? [] {
            files[file.name] = file
            for name in file.symbols {
                symbols[name] = file.name
            }
        }
        self.files = files
        self.symbols = symbols
    }

    func serverReflectionInfo(
        request: RPCAsyncSequence<WireServerReflectionRequest, any Error>,
        response: RPCWriter<WireServerReflectionResponse>,
        context: ServerContext
    ) async throws {
        for try await question in request {
            try await response.write(try answer(question))
        }
    }

    private func answer(_ question: WireServerReflectionRequest) throws -> WireServerReflectionResponse {
        var response = WireServerReflectionResponse()
        response.validHost = question.host
        response.originalRequest = question
        switch question.messageRequest {
        case .listServices:
            response.listServicesResponse.service = services.map { name in
                var service = WireServiceResponse()
                service.name = name
                return service
            }
        case .fileByFilename(let name):
            try describe(name, in: &response)
        case .fileContainingSymbol(let symbol):
            try describe(symbols[symbol] ?? "", in: &response)
        case .fileContainingExtension, .allExtensionNumbersOfType, nil:
            response.errorResponse.errorCode = Int32(Status.Code.notFound.rawValue)
            response.errorResponse.errorMessage = "Nothing here is extended."
        }
        return response
    }

    private func describe(_ name: String, in response: inout WireServerReflectionResponse) throws {
        guard files[name] != nil else {
            response.errorResponse.errorCode = Int32(Status.Code.notFound.rawValue)
            response.errorResponse.errorMessage = "There is no such file or symbol."
            return
        }
        var descriptors = WireFileDescriptorResponse()
        var seen: Set<String> = []
        var waiting = [name]
        while let next = waiting.popLast() {
            guard seen.insert(next).inserted, let file = files[next] else { continue }
            descriptors.fileDescriptorProto.append(try file.serializedBytes())
            waiting += file.dependency
        }
        response.fileDescriptorResponse = descriptors
    }
}

extension Google_Protobuf_FileDescriptorProto {
    /// The full names of everything in the file: services with their methods, messages with those inside, enumerations.
    fileprivate var symbols: [String] {
        let prefix = package.isEmpty ? "" : package + "."
        var names: [String] = []
        for service in service {
            names.append(prefix + service.name)
            names += service.method.map { prefix + service.name + "." + $0.name }
        }
        names += enumType.map { prefix + $0.name }
        // Messages nest a few levels deep in files that we wrote ourselves.
        var waiting = messageType.map { (prefix, $0) }
        while let (prefix, message) = waiting.popLast() {
            names.append(prefix + message.name)
            names += message.enumType.map { prefix + message.name + "." + $0.name }
            waiting += message.nestedType.map { (prefix + message.name + ".", $0) }
        }
        return names
    }
}
