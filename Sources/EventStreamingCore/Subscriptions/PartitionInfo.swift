/// A partition of a consumer group, and who has it.
public struct PartitionInfo: Sendable, Hashable {
    /// The partition's number, from 0.
    public let number: Int
    /// The member that gets its events; `nil` while the group has no members.
    public let owner: ConsumerID?
    /// Grows whenever the partition gets another owner, or its owner another registration.
    public let epoch: UInt64
    /// The member that still holds events of the partition, where that is not its owner: the owner gets the next ones
    /// when these are settled, or their lease has ended.
    public let previousOwner: ConsumerID?

    /// Creates a description of a partition; only stores do.
    public init(number: Int, owner: ConsumerID?, epoch: UInt64, previousOwner: ConsumerID? = nil) {
        self.number = number
        self.owner = owner
        self.epoch = epoch
        self.previousOwner = previousOwner
    }
}
