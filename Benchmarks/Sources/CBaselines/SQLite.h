#ifndef SQLITE_H
#define SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>

/// Opens a database as the store does; NULL when that fails.
sqlite3 *sqlite_open(const char *path);
/// NULL when that fails.
sqlite3_stmt *sqlite_prepare(sqlite3 *database, const char *sql);
/// Steps once, and resets.
bool sqlite_run(sqlite3_stmt *statement);

#endif
