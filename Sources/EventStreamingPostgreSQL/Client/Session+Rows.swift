#if PostgreSQL
import EventStreamingCore

extension Session {
    /// Runs a statement, with its error as the caller of the store sees it.
    @discardableResult
    func rows(
        _ statement: Statement,
        _ fill: (inout Parameters) -> Void = { _ in }
    ) throws(EventStreamingError) -> Rows {
        var parameters = Parameters()
        fill(&parameters)
        do throws(DatabaseError) {
            return try query(statement, parameters)
        } catch {
            throw error.eventStreamingError
        }
    }

    /// Runs statements in one round trip, with their error as the caller of the store sees it.
    @discardableResult
    func rows(_ commands: [Command]) throws(EventStreamingError) -> [Rows] {
        do throws(DatabaseError) {
            return try pipeline(commands)
        } catch {
            throw error.eventStreamingError
        }
    }
}
#endif
