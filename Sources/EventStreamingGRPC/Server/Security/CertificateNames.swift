import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftASN1
import X509

extension ServerContext {
    /// The names in the certificate by which the peer has proved itself: the alternative names, then the common name.
    var certificateNames: [String] {
        guard let posix = transportSpecific as? HTTP2ServerTransport.Posix.Context,
            let certificate = posix.peerCertificate
        else { return [] }
        var names: [String] = []
        for name in (try? certificate.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames([]) {
            switch name {
            case .dnsName(let name), .uniformResourceIdentifier(let name), .rfc822Name(let name):
                names.append(name)
            default:
                break
            }
        }
        for part in certificate.subject {
            for attribute in part where attribute.type == .RDNAttributeType.commonName {
                names.append("\(attribute.value)")
            }
        }
        return names
    }
}
