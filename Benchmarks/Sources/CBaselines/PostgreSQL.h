#ifndef POSTGRESQL_H
#define POSTGRESQL_H

#include <libpq-fe.h>
#include <stdbool.h>

/// A connection in the schema, whose commits wait for the disk; NULL when that fails.
PGconn *postgresql_open(const char *url, const char *schema);
/// Keeps what went wrong, if anything did, and lets go of the result.
bool postgresql_check(PGconn *connection, PGresult *result);

#endif
