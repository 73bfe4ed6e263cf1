#define _GNU_SOURCE
#include "Common.h"
#include "SQLite.h"

int sqlite_effects_reset(const char *path) {
    sqlite3 *database = sqlite_open(path);
    if (!database) return -1;
    int result = sqlite3_exec(
        database,
        "DROP TABLE IF EXISTS effects;"
        "CREATE TABLE effects (number INTEGER NOT NULL, amount INTEGER NOT NULL) STRICT;",
        NULL, NULL, NULL
    );
    if (result != SQLITE_OK) problem("%s", sqlite3_errmsg(database));
    sqlite3_close_v2(database);
    return result == SQLITE_OK ? 0 : -1;
}

int64_t sqlite_effects_count(const char *path) {
    sqlite3 *database = sqlite_open(path);
    sqlite3_stmt *count = database ? sqlite_prepare(database, "SELECT count(DISTINCT number) * (count(DISTINCT number) "
        "= count(*)) FROM effects") : NULL;
    int64_t rows = -1;
    if (count && sqlite3_step(count) == SQLITE_ROW) {
        rows = sqlite3_column_int64(count, 0);
    } else if (count) {
        problem("%s", sqlite3_errmsg(database));
    }
    sqlite3_finalize(count);
    sqlite3_close_v2(database);
    return rows;
}

double sqlite_effects_insert(const char *path, int64_t batches, int batch) {
    sqlite3 *database = sqlite_open(path);
    if (!database) return -1;
    sqlite3_stmt *begin = sqlite_prepare(database, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = sqlite_prepare(database, "COMMIT");
    sqlite3_stmt *insert = sqlite_prepare(database, "INSERT INTO effects (number, amount) VALUES (?, ?)");
    bool is_fine = begin && commit && insert;
    double began = seconds_now();
    for (int64_t i = 0; i < batches && is_fine; i++) {
        is_fine = sqlite_run(begin);
        for (int j = 0; j < batch && is_fine; j++) {
            sqlite3_bind_int64(insert, 1, i * batch + j);
            sqlite3_bind_int64(insert, 2, i * batch + j);
            is_fine = sqlite_run(insert);
        }
        is_fine = is_fine && sqlite_run(commit);
    }
    double seconds = seconds_now() - began;
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
    sqlite3_close_v2(database);
    return is_fine ? (double)(batches * batch) / seconds : -1;
}
