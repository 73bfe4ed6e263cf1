/// Which leases of a consumer a sign of life prolongs.
public enum LeaseExtension: Sendable, Hashable {
    /// None of them.
    case none
    /// Every lease of the registration, also one of which the consumer does not know.
    case all
    /// Those with these epochs, as far as they have not ended.
    case only(Set<UInt64>)
}
