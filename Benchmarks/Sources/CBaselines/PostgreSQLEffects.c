#define _GNU_SOURCE
#include "Common.h"
#include "PostgreSQL.h"

#include <endian.h>
#include <stdlib.h>

int postgresql_effects_reset(const char *url, const char *schema) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    bool is_fine = postgresql_check(
        connection,
        PQexec(
            connection,
            "DROP TABLE IF EXISTS effects;"
            "CREATE TABLE effects (number bigint NOT NULL, amount bigint NOT NULL)"
        )
    );
    PQfinish(connection);
    return is_fine ? 0 : -1;
}

int64_t postgresql_effects_count(const char *url, const char *schema) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    PGresult *result = PQexec(
        connection,
        "SELECT count(DISTINCT number) * (count(DISTINCT number) = count(*))::int FROM effects"
    );
    int64_t rows = PQresultStatus(result) == PGRES_TUPLES_OK ? atoll(PQgetvalue(result, 0, 0)) : -1;
    if (rows < 0) problem("%s", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
    return rows;
}

double postgresql_effects_insert(const char *url, const char *schema, int64_t batches, int batch) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    const char sql[] = "INSERT INTO effects (number, amount) VALUES ($1::bigint, $2::bigint)";
    bool is_fine = postgresql_check(connection, PQprepare(connection, "effect", sql, 0, NULL));
    double began = seconds_now();
    for (int64_t i = 0; i < batches && is_fine; i++) {
        is_fine = postgresql_check(connection, PQexec(connection, "BEGIN"));
        for (int j = 0; j < batch && is_fine; j++) {
            uint64_t number = htobe64((uint64_t)(i * batch + j));
            const char *values[2] = {(char *)&number, (char *)&number};
            int lengths[2] = {8, 8}, formats[2] = {1, 1};
            is_fine = postgresql_check(
                connection, PQexecPrepared(connection, "effect", 2, values, lengths, formats, 1));
        }
        is_fine = is_fine && postgresql_check(connection, PQexec(connection, "COMMIT"));
    }
    double seconds = seconds_now() - began;
    PQfinish(connection);
    return is_fine ? (double)(batches * batch) / seconds : -1;
}
