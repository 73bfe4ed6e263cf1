#ifndef BASELINES_H
#define BASELINES_H

#include <stdint.h>

// What plain C programs reach with the same databases: the baselines of the durable stores.
//
// Each function works on tables that the store made, so that columns and indexes are the same. It returns how many
// events a second it got done, or a negative number; then baseline_problem() says why.

/// What went wrong in the last call that this thread made.
const char *baseline_problem(void);

/// Times in seconds.
struct baseline_latency {
    double p50;
    double p99;
};

// MARK: - SQLite

/// One connection inserts batches, each in a transaction of its own.
double sqlite_append_batches(const char *path, int64_t stream, int64_t batches, int batch);

/// Threads that each insert one event after the other. A single writer commits everything that waits.
double sqlite_append_concurrent(const char *path, int64_t stream, int threads, int64_t each);

/// One connection reads all events of the stream in pages.
double sqlite_replay(const char *path, int64_t stream, int64_t events, int page);

/// Threads take the next page in turns, read it, and commit their cursor.
double sqlite_consume(const char *path, int64_t stream, int64_t events, int page, int threads);

/// Single commits at a steady rate.
double sqlite_commit_latency(const char *path, int64_t stream, int64_t events, int rate, struct baseline_latency *result);

/// Begins a transaction that reads, and goes on to see what was there then. NULL when it cannot.
void *sqlite_snapshot_begin(const char *path);
void sqlite_snapshot_end(void *snapshot);

/// Makes an empty table for effects of events, beside those of the store. Returns 0, or a negative number.
int sqlite_effects_reset(const char *path);
/// How many rows there are, not counting an event twice; a negative number when it cannot be said.
int64_t sqlite_effects_count(const char *path);
/// One connection inserts effects one by one, a transaction for each batch.
double sqlite_effects_insert(const char *path, int64_t batches, int batch);

/// How many bytes a table has in the file, its indexes included. Negative when it cannot be told.
double sqlite_table_bytes(const char *path, const char *table);

// MARK: - PostgreSQL

/// Runs statements.
///
/// Returns 0, or a negative number.
int postgresql_execute(const char *url, const char *sql);

/// One connection inserts batches by unnest, each in a transaction of its own.
double postgresql_append_batches(const char *url, const char *schema, int64_t batches, int batch);

/// Connections that each commit one INSERT after the other, into one stream together or into one stream each.
double postgresql_append_concurrent(const char *url, const char *schema, int connections, int64_t each, int streams);

/// One connection reads all events of the stream in pages.
double postgresql_replay(const char *url, const char *schema, int64_t stream, int64_t events, int page);

/// Connections that read pages and commit their cursors: the next page in turns, or each of them all pages.
double postgresql_consume(
    const char *url, const char *schema, int64_t stream, int64_t events, int page, int connections, int each_reads_all
);

/// Single commits at a steady rate.
double postgresql_commit_latency(
    const char *url, const char *schema, int64_t events, int rate, struct baseline_latency *result
);

/// Begins a transaction that reads, and goes on to see what was there then. NULL when it cannot.
void *postgresql_snapshot_begin(const char *url, const char *schema);
void postgresql_snapshot_end(void *snapshot);

/// As for SQLite, in the schema.
int postgresql_effects_reset(const char *url, const char *schema);
int64_t postgresql_effects_count(const char *url, const char *schema);
double postgresql_effects_insert(const char *url, const char *schema, int64_t batches, int batch);

/// How many bytes a table has on disk, its indexes included. Negative when it cannot be told.
double postgresql_table_bytes(const char *url, const char *schema, const char *table);

#endif
