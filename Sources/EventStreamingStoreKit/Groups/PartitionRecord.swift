/// A partition of a consumer group, as a store writes it down.
package struct PartitionRecord: Sendable, Hashable {
    package var number: Int
    /// The epoch of the owner's registration; `nil` while the group has no members.
    package var owner: UInt64?
    /// Grows with every change of the owner.
    package var epoch: UInt64

    package init(number: Int, owner: UInt64?, epoch: UInt64) {
        self.number = number
        self.owner = owner
        self.epoch = epoch
    }
}
