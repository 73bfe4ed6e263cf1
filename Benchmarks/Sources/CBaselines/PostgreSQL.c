#define _GNU_SOURCE
#include "Common.h"
#include "PostgreSQL.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { oid_bytea = 17, oid_int8 = 20, oid_text = 25, oid_uuid = 2950 };

// MARK: - Connections

static void ignore_notice(void *context, const char *message) {
    (void)context;
    (void)message;
}

static PGconn *connect_to(const char *url) {
    PGconn *connection = PQconnectdb(url);
    PQsetNoticeProcessor(connection, ignore_notice, NULL);
    return connection;
}

PGconn *postgresql_open(const char *url, const char *schema) {
    PGconn *connection = connect_to(url);
    if (PQstatus(connection) != CONNECTION_OK) {
        problem("%s", PQerrorMessage(connection));
        PQfinish(connection);
        return NULL;
    }
    char text[200];
    snprintf(text, sizeof text, "SET search_path TO \"%s\"; SET synchronous_commit TO on", schema);
    PGresult *result = PQexec(connection, text);
    bool is_fine = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!is_fine) problem("%s", PQerrorMessage(connection));
    PQclear(result);
    if (is_fine) return connection;
    PQfinish(connection);
    return NULL;
}

bool postgresql_check(PGconn *connection, PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    bool is_fine = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!is_fine) problem("%s", PQerrorMessage(connection));
    PQclear(result);
    return is_fine;
}

static bool prepare(PGconn *connection, const char *name, const char *sql) {
    return postgresql_check(connection, PQprepare(connection, name, sql, 0, NULL));
}

int postgresql_execute(const char *url, const char *sql) {
    PGconn *connection = connect_to(url);
    bool is_fine = PQstatus(connection) == CONNECTION_OK && postgresql_check(connection, PQexec(connection, sql));
    if (!is_fine) problem("%s", PQerrorMessage(connection));
    PQfinish(connection);
    return is_fine ? 0 : -1;
}

/// Partitions for so many events, so that making them is not measured.
static bool make_partitions(PGconn *connection, int64_t events) {
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT make_event_partitions(0, %lld)", (long long)events);
    return postgresql_check(connection, PQexec(connection, sql));
}

// MARK: - Binary parameters

struct buffer {
    char *bytes;
    int length, capacity;
};

static void add(struct buffer *buffer, const void *bytes, int length) {
    if (buffer->length + length > buffer->capacity) {
        buffer->capacity = 2 * (buffer->length + length);
        buffer->bytes = realloc(buffer->bytes, (size_t)buffer->capacity);
        if (!buffer->bytes) abort();
    }
    memcpy(buffer->bytes + buffer->length, bytes, (size_t)length);
    buffer->length += length;
}

static void add_int(struct buffer *buffer, int32_t number) {
    uint32_t big = htobe32((uint32_t)number);
    add(buffer, &big, sizeof big);
}

static void begin_array(struct buffer *buffer, int oid, int count) {
    buffer->length = 0;
    add_int(buffer, 1);
    add_int(buffer, 0);
    add_int(buffer, oid);
    add_int(buffer, count);
    add_int(buffer, 1);
}

static void add_element(struct buffer *buffer, const void *bytes, int length) {
    add_int(buffer, length);
    add(buffer, bytes, length);
}

// MARK: - Appending

static const char batch_sql[] =
    "INSERT INTO events (stream_id, \"offset\", timestamp, event_version, size, event_id, causation_id, event_type, "
    "correlation_id, headers, event_data) "
    "SELECT $1::bigint, o, $2::bigint, 1, NULL, i, NULL, t, c, NULL, d "
    "FROM unnest($3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::bytea[]) AS e (o, i, t, c, d)";

static const char single_sql[] =
    "INSERT INTO events (stream_id, \"offset\", timestamp, event_version, size, event_id, causation_id, event_type, "
    "correlation_id, headers, event_data) "
    "VALUES ($1::bigint, $2::bigint, $3::bigint, 1, NULL, $4::uuid, NULL, $5::text, $6::text, NULL, $7::bytea)";

static bool insert_batch(PGconn *connection, struct buffer arrays[5], int64_t stream, int64_t first, int count) {
    static const int oids[5] = {oid_int8, oid_uuid, oid_text, oid_text, oid_bytea};
    for (int i = 0; i < 5; i++) {
        begin_array(&arrays[i], oids[i], count);
    }
    for (int i = 0; i < count; i++) {
        uint8_t id[id_length], payload[payload_length];
        make_id(id);
        make_payload(payload, first + i);
        uint64_t offset = htobe64((uint64_t)(first + i));
        add_element(&arrays[0], &offset, sizeof offset);
        add_element(&arrays[1], id, id_length);
        add_element(&arrays[2], event_type, (int)strlen(event_type));
        add_element(&arrays[3], correlation_id, (int)strlen(correlation_id));
        add_element(&arrays[4], payload, payload_length);
    }
    uint64_t big_stream = htobe64((uint64_t)stream), timestamp = htobe64((uint64_t)wall_nanoseconds());
    const char *values[7] = {(char *)&big_stream, (char *)&timestamp};
    int lengths[7] = {8, 8}, formats[7] = {1, 1, 1, 1, 1, 1, 1};
    for (int i = 0; i < 5; i++) {
        values[2 + i] = arrays[i].bytes;
        lengths[2 + i] = arrays[i].length;
    }
    return postgresql_check(connection, PQexecPrepared(connection, "batch", 7, values, lengths, formats, 1));
}

static bool insert_single(PGconn *connection, int64_t stream, int64_t offset) {
    uint8_t id[id_length], payload[payload_length];
    make_id(id);
    make_payload(payload, offset);
    uint64_t numbers[3] = {htobe64((uint64_t)stream), htobe64((uint64_t)offset), htobe64((uint64_t)wall_nanoseconds())};
    const char *values[7] = {
        (char *)&numbers[0], (char *)&numbers[1], (char *)&numbers[2], (char *)id, event_type, correlation_id,
        (char *)payload,
    };
    int lengths[7] = {8, 8, 8, id_length, (int)strlen(event_type), (int)strlen(correlation_id), payload_length};
    int formats[7] = {1, 1, 1, 1, 1, 1, 1};
    return postgresql_check(connection, PQexecPrepared(connection, "single", 7, values, lengths, formats, 1));
}

double postgresql_append_batches(const char *url, const char *schema, int64_t batches, int batch) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    bool is_fine = make_partitions(connection, batches * batch) && prepare(connection, "batch", batch_sql);
    struct buffer arrays[5] = {0};
    double began = seconds_now();
    for (int64_t i = 0; i < batches && is_fine; i++) {
        is_fine = insert_batch(connection, arrays, 1, i * batch, batch);
    }
    double seconds = seconds_now() - began;
    for (int i = 0; i < 5; i++) {
        free(arrays[i].bytes);
    }
    PQfinish(connection);
    return is_fine ? (double)(batches * batch) / seconds : -1;
}

double postgresql_commit_latency(
    const char *url, const char *schema, int64_t events, int rate, struct baseline_latency *result
) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    bool is_fine = make_partitions(connection, events) && prepare(connection, "single", single_sql);
    double *times = calloc((size_t)events, sizeof *times);
    double began = seconds_now();
    for (int64_t i = 0; i < events && is_fine; i++) {
        sleep_until(began + (double)i / rate);
        double before = seconds_now();
        is_fine = insert_single(connection, 1, i);
        times[i] = seconds_now() - before;
    }
    double seconds = seconds_now() - began;
    if (is_fine) summarize(times, events, result);
    free(times);
    PQfinish(connection);
    return is_fine ? (double)events / seconds : -1;
}

struct appends {
    struct crew crew;
    const char *url, *schema;
    int64_t each;
    /// The next offset of each stream.
    atomic_llong next[128];
};

struct appender {
    struct appends *appends;
    int stream;
};

static void *append(void *argument) {
    struct appender *appender = argument;
    struct appends *appends = appender->appends;
    PGconn *connection = postgresql_open(appends->url, appends->schema);
    bool is_fine = connection && prepare(connection, "single", single_sql);
    if (!is_fine) crew_fail(&appends->crew, "%s", baseline_problem());
    crew_begin(&appends->crew);
    for (int64_t i = 0; i < appends->each && is_fine && !atomic_load(&appends->crew.has_failed); i++) {
        int64_t offset = atomic_fetch_add(&appends->next[appender->stream], 1);
        is_fine = insert_single(connection, appender->stream + 1, offset);
        if (!is_fine) crew_fail(&appends->crew, "%s", baseline_problem());
    }
    crew_end(&appends->crew);
    PQfinish(connection);
    return NULL;
}

double postgresql_append_concurrent(const char *url, const char *schema, int connections, int64_t each, int streams) {
    struct appends appends = {.url = url, .schema = schema, .each = each};
    struct appender appenders[128];
    if (connections < 1 || connections > 128 || streams < 1 || streams > connections) {
        return problem("%d connections, %d streams", connections, streams);
    }
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    bool is_fine = make_partitions(connection, connections * each);
    PQfinish(connection);
    if (!is_fine) return -1;
    for (int i = 0; i < connections; i++) {
        appenders[i] = (struct appender){&appends, i % streams};
    }
    double seconds = crew_run(&appends.crew, connections, append, appenders, sizeof *appenders);
    return seconds < 0 ? -1 : (double)(connections * each) / seconds;
}

// MARK: - Reading

static const char page_sql[] =
    "SELECT \"offset\", timestamp, event_version, size, event_id, causation_id, event_type, correlation_id, headers, "
    "event_data FROM events WHERE stream_id = $1::bigint AND \"offset\" >= $2::bigint AND \"offset\" < $3::bigint "
    "ORDER BY \"offset\"";

static const char cursor_sql[] = "UPDATE baseline_cursors SET position = $2::bigint WHERE id = $1::bigint";

/// Reads a page and copies what its rows hold, as a program does that goes on to use them.
///
/// Returns how many rows there were, or a negative number.
static int read_page(PGconn *connection, int64_t stream, int64_t from, int page) {
    uint64_t numbers[3] = {htobe64((uint64_t)stream), htobe64((uint64_t)from), htobe64((uint64_t)(from + page))};
    const char *values[3] = {(char *)&numbers[0], (char *)&numbers[1], (char *)&numbers[2]};
    int lengths[3] = {8, 8, 8}, formats[3] = {1, 1, 1};
    PGresult *result = PQexecPrepared(connection, "page", 3, values, lengths, formats, 1);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        problem("%s", PQerrorMessage(connection));
        PQclear(result);
        return -1;
    }
    int count = PQntuples(result), columns = PQnfields(result);
    uint8_t copy[1024];
    for (int row = 0; row < count; row++) {
        size_t used = 0;
        for (int column = 0; column < columns; column++) {
            if (PQgetisnull(result, row, column)) continue;
            size_t length = (size_t)PQgetlength(result, row, column);
            if (used + length > sizeof copy) continue;
            memcpy(copy + used, PQgetvalue(result, row, column), length);
            used += length;
        }
        // The copy is wanted, whatever the compiler thinks.
        __asm__ volatile("" : : "r"(copy) : "memory");
    }
    PQclear(result);
    return count;
}

double postgresql_replay(const char *url, const char *schema, int64_t stream, int64_t events, int page) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    bool is_fine = prepare(connection, "page", page_sql);
    double began = seconds_now();
    int64_t done = 0;
    while (is_fine && done < events) {
        int count = read_page(connection, stream, done, page);
        if (count == 0) problem("there are %lld events instead of %lld", (long long)done, (long long)events);
        if (count <= 0) break;
        done += count;
    }
    double seconds = seconds_now() - began;
    PQfinish(connection);
    return done >= events ? (double)done / seconds : -1;
}

// MARK: - Consuming

struct cursors {
    struct crew crew;
    const char *url, *schema;
    int64_t stream, events;
    int page;
    bool each_reads_all;
    atomic_llong next;
};

struct consumer {
    struct cursors *cursors;
    int number;
};

static bool commit_cursor(PGconn *connection, int number, int64_t position) {
    uint64_t numbers[2] = {htobe64((uint64_t)number), htobe64((uint64_t)position)};
    const char *values[2] = {(char *)&numbers[0], (char *)&numbers[1]};
    int lengths[2] = {8, 8}, formats[2] = {1, 1};
    return postgresql_check(connection, PQexecPrepared(connection, "cursor", 2, values, lengths, formats, 1));
}

static void *consume(void *argument) {
    struct consumer *consumer = argument;
    struct cursors *cursors = consumer->cursors;
    PGconn *connection = postgresql_open(cursors->url, cursors->schema);
    bool is_fine =
        connection && prepare(connection, "page", page_sql) && prepare(connection, "cursor", cursor_sql);
    if (!is_fine) crew_fail(&cursors->crew, "%s", baseline_problem());
    int64_t own = 0;
    crew_begin(&cursors->crew);
    while (is_fine && !atomic_load(&cursors->crew.has_failed)) {
        int64_t offset = cursors->each_reads_all ? own : atomic_fetch_add(&cursors->next, cursors->page);
        if (offset >= cursors->events) break;
        int count = read_page(connection, cursors->stream, offset, cursors->page);
        own = offset + count;
        is_fine = count > 0 && commit_cursor(connection, consumer->number, own);
        if (!is_fine) crew_fail(&cursors->crew, "page at %lld: %s", (long long)offset, baseline_problem());
    }
    crew_end(&cursors->crew);
    PQfinish(connection);
    return NULL;
}

double postgresql_consume(
    const char *url, const char *schema, int64_t stream, int64_t events, int page, int connections, int each_reads_all
) {
    struct cursors cursors = {
        .url = url, .schema = schema, .stream = stream, .events = events, .page = page,
        .each_reads_all = each_reads_all != 0,
    };
    struct consumer consumers[64];
    if (connections < 1 || connections > 64) return problem("%d connections are too many or too few", connections);
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    bool is_fine = postgresql_check(
        connection,
        PQexec(
            connection,
            "DROP TABLE IF EXISTS baseline_cursors;"
            "CREATE TABLE baseline_cursors (id bigint PRIMARY KEY, position bigint NOT NULL);"
            "INSERT INTO baseline_cursors SELECT i, 0 FROM generate_series(0, 63) i"
        )
    );
    PQfinish(connection);
    if (!is_fine) return -1;
    for (int i = 0; i < connections; i++) {
        consumers[i] = (struct consumer){&cursors, i};
    }
    double seconds = crew_run(&cursors.crew, connections, consume, consumers, sizeof *consumers);
    return seconds < 0 ? -1 : (double)events * (each_reads_all ? connections : 1) / seconds;
}

// MARK: - Old snapshots

void *postgresql_snapshot_begin(const char *url, const char *schema) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return NULL;
    const char sql[] = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM streams";
    if (postgresql_check(connection, PQexec(connection, sql))) return connection;
    PQfinish(connection);
    return NULL;
}

void postgresql_snapshot_end(void *snapshot) {
    PQfinish(snapshot);
}

// MARK: - Sizes

double postgresql_table_bytes(const char *url, const char *schema, const char *table) {
    PGconn *connection = postgresql_open(url, schema);
    if (!connection) return -1;
    const char *values[] = { table };
    PGresult *result = PQexecParams(
        connection, "SELECT pg_total_relation_size($1::regclass)", 1, NULL, values, NULL, NULL, 0
    );
    double bytes = -1;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1) bytes = atof(PQgetvalue(result, 0, 0));
    else problem("%s", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
    return bytes;
}
