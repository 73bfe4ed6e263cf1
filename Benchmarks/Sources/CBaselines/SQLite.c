#define _GNU_SOURCE
#include "Common.h"
#include "SQLite.h"

#include <stdlib.h>
#include <string.h>

// MARK: - Connections

static const char pragmas[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000; "
    "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;";

static const char insert_sql[] =
    "INSERT INTO events (position, timestamp, bytes_before, event_id, event_type, event_version, size, correlation_id, "
    "causation_id, headers, event_data) VALUES (?, ?, ?, ?, ?, 1, NULL, ?, NULL, NULL, ?)";

static const char page_sql[] =
    "SELECT position, timestamp, event_id, event_type, event_version, size, correlation_id, causation_id, headers, "
    "event_data FROM events WHERE position >= ? AND position < ? ORDER BY position";

static const char cursor_sql[] = "UPDATE baseline_cursors SET position = ?2 WHERE id = ?1";

sqlite3 *sqlite_open(const char *path) {
    sqlite3 *database = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &database, flags, NULL) != SQLITE_OK
        || sqlite3_busy_timeout(database, 5000) != SQLITE_OK
        || sqlite3_exec(database, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
        problem("%s: %s", path, database ? sqlite3_errmsg(database) : "no memory");
        sqlite3_close_v2(database);
        return NULL;
    }
    return database;
}

sqlite3_stmt *sqlite_prepare(sqlite3 *database, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
        problem("%s in: %s", sqlite3_errmsg(database), sql);
    }
    return statement;
}

bool sqlite_run(sqlite3_stmt *statement) {
    int result = sqlite3_step(statement);
    if (result != SQLITE_DONE && result != SQLITE_ROW) {
        problem("%s in: %s", sqlite3_errmsg(sqlite3_db_handle(statement)), sqlite3_sql(statement));
        sqlite3_reset(statement);
        return false;
    }
    sqlite3_reset(statement);
    return true;
}

/// Where the first event of the stream has its key.
static int64_t first_key(int64_t stream) {
    return stream << 40;
}

// MARK: - Appending

struct writer {
    sqlite3 *database;
    sqlite3_stmt *begin, *insert, *commit;
    int64_t next, bytes;
};

static bool writer_open(struct writer *writer, const char *path, int64_t stream) {
    memset(writer, 0, sizeof *writer);
    writer->database = sqlite_open(path);
    if (!writer->database) return false;
    writer->begin = sqlite_prepare(writer->database, "BEGIN IMMEDIATE");
    writer->commit = sqlite_prepare(writer->database, "COMMIT");
    writer->insert = sqlite_prepare(writer->database, insert_sql);
    writer->next = first_key(stream);
    if (!writer->begin || !writer->commit || !writer->insert) return false;
    sqlite3_bind_text(writer->insert, 5, event_type, -1, SQLITE_STATIC);
    sqlite3_bind_text(writer->insert, 6, correlation_id, -1, SQLITE_STATIC);
    return true;
}

static void writer_close(struct writer *writer) {
    sqlite3_finalize(writer->begin);
    sqlite3_finalize(writer->insert);
    sqlite3_finalize(writer->commit);
    sqlite3_close_v2(writer->database);
}

static bool writer_insert(struct writer *writer, const uint8_t *id, const uint8_t *payload, int64_t timestamp) {
    sqlite3_bind_int64(writer->insert, 1, writer->next++);
    sqlite3_bind_int64(writer->insert, 2, timestamp);
    sqlite3_bind_int64(writer->insert, 3, writer->bytes);
    sqlite3_bind_blob(writer->insert, 4, id, id_length, SQLITE_STATIC);
    sqlite3_bind_blob(writer->insert, 7, payload, payload_length, SQLITE_STATIC);
    writer->bytes += payload_length;
    return sqlite_run(writer->insert);
}

double sqlite_append_batches(const char *path, int64_t stream, int64_t batches, int batch) {
    struct writer writer;
    bool is_fine = writer_open(&writer, path, stream);
    double began = seconds_now();
    for (int64_t i = 0; i < batches && is_fine; i++) {
        int64_t timestamp = wall_nanoseconds();
        is_fine = sqlite_run(writer.begin);
        for (int j = 0; j < batch && is_fine; j++) {
            uint8_t id[id_length], payload[payload_length];
            make_id(id);
            make_payload(payload, i * batch + j);
            is_fine = writer_insert(&writer, id, payload, timestamp);
        }
        is_fine = is_fine && sqlite_run(writer.commit);
    }
    double seconds = seconds_now() - began;
    writer_close(&writer);
    return is_fine ? (double)(batches * batch) / seconds : -1;
}

double sqlite_commit_latency(
    const char *path, int64_t stream, int64_t events, int rate, struct baseline_latency *result
) {
    struct writer writer;
    bool is_fine = writer_open(&writer, path, stream);
    double *times = calloc((size_t)events, sizeof *times);
    double began = seconds_now();
    for (int64_t i = 0; i < events && is_fine; i++) {
        sleep_until(began + (double)i / rate);
        double before = seconds_now();
        uint8_t id[id_length], payload[payload_length];
        make_id(id);
        make_payload(payload, i);
        is_fine = sqlite_run(writer.begin) && writer_insert(&writer, id, payload, wall_nanoseconds()) && sqlite_run(writer.commit);
        times[i] = seconds_now() - before;
    }
    double seconds = seconds_now() - began;
    if (is_fine) summarize(times, events, result);
    free(times);
    writer_close(&writer);
    return is_fine ? (double)events / seconds : -1;
}

// MARK: - Appending together

/// An event that a thread waits for, on the stack of that thread.
struct waiting {
    struct waiting *next;
    uint8_t id[id_length];
    uint8_t payload[payload_length];
    pthread_cond_t done;
    bool is_done;
};

struct shared_writer {
    struct crew crew;
    struct writer writer;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct waiting *first, **last;
    int open;
};

struct appender {
    struct shared_writer *shared;
    int64_t each;
    /// The writer's own thread.
    bool writes;
};

static void shared_write(struct shared_writer *shared) {
    crew_begin(&shared->crew);
    pthread_mutex_lock(&shared->mutex);
    for (;;) {
        while (!shared->first && shared->open > 0) {
            pthread_cond_wait(&shared->work, &shared->mutex);
        }
        struct waiting *group = shared->first;
        if (!group) break;
        shared->first = NULL;
        shared->last = &shared->first;
        pthread_mutex_unlock(&shared->mutex);

        int64_t timestamp = wall_nanoseconds();
        bool is_fine = sqlite_run(shared->writer.begin);
        for (struct waiting *event = group; event && is_fine; event = event->next) {
            is_fine = writer_insert(&shared->writer, event->id, event->payload, timestamp);
        }
        is_fine = is_fine && sqlite_run(shared->writer.commit);
        if (!is_fine) crew_fail(&shared->crew, "%s", baseline_problem());

        pthread_mutex_lock(&shared->mutex);
        while (group) {
            struct waiting *event = group;
            group = group->next;
            event->is_done = true;
            pthread_cond_signal(&event->done);
        }
    }
    pthread_mutex_unlock(&shared->mutex);
}

static void shared_append(struct shared_writer *shared, int64_t each) {
    struct waiting event;
    pthread_cond_init(&event.done, NULL);
    crew_begin(&shared->crew);
    for (int64_t i = 0; i < each && !atomic_load(&shared->crew.has_failed); i++) {
        make_id(event.id);
        make_payload(event.payload, i);
        event.next = NULL;
        event.is_done = false;
        pthread_mutex_lock(&shared->mutex);
        bool was_empty = !shared->first;
        *shared->last = &event;
        shared->last = &event.next;
        if (was_empty) pthread_cond_signal(&shared->work);
        while (!event.is_done) {
            pthread_cond_wait(&event.done, &shared->mutex);
        }
        pthread_mutex_unlock(&shared->mutex);
    }
    pthread_mutex_lock(&shared->mutex);
    shared->open--;
    pthread_cond_signal(&shared->work);
    pthread_mutex_unlock(&shared->mutex);
    pthread_cond_destroy(&event.done);
}

static void *append_together(void *argument) {
    struct appender *appender = argument;
    if (appender->writes) {
        shared_write(appender->shared);
    } else {
        shared_append(appender->shared, appender->each);
    }
    crew_end(&appender->shared->crew);
    return NULL;
}

double sqlite_append_concurrent(const char *path, int64_t stream, int threads, int64_t each) {
    struct shared_writer shared;
    struct appender appenders[127];
    if (threads < 1 || threads >= 127) return problem("%d threads are too many or too few", threads);
    shared.first = NULL;
    shared.last = &shared.first;
    shared.open = threads;
    pthread_mutex_init(&shared.mutex, NULL);
    pthread_cond_init(&shared.work, NULL);
    double seconds = -1;
    if (writer_open(&shared.writer, path, stream)) {
        for (int i = 0; i <= threads; i++) {
            appenders[i] = (struct appender){&shared, each, i == threads};
        }
        seconds = crew_run(&shared.crew, threads + 1, append_together, appenders, sizeof *appenders);
    }
    writer_close(&shared.writer);
    pthread_cond_destroy(&shared.work);
    pthread_mutex_destroy(&shared.mutex);
    return seconds < 0 ? -1 : (double)(threads * each) / seconds;
}

// MARK: - Reading

/// Reads the rows of a page and copies what they hold, as a program does that goes on to use them.
///
/// Returns how many rows there were, or a negative number.
static int64_t read_page(sqlite3_stmt *select, int64_t from, int page) {
    sqlite3_bind_int64(select, 1, from);
    sqlite3_bind_int64(select, 2, from + page);
    int64_t count = 0;
    uint8_t row[1024];
    int result;
    while ((result = sqlite3_step(select)) == SQLITE_ROW) {
        size_t used = 0;
        for (int column = 0; column < 10; column++) {
            if (column == 0 || column == 1 || column == 4 || column == 5) {
                int64_t number = sqlite3_column_int64(select, column);
                memcpy(row + used, &number, sizeof number);
                used += sizeof number;
                continue;
            }
            const void *bytes = sqlite3_column_blob(select, column);
            size_t length = (size_t)sqlite3_column_bytes(select, column);
            if (bytes && used + length <= sizeof row) {
                memcpy(row + used, bytes, length);
                used += length;
            }
        }
        // The copy is wanted, whatever the compiler thinks.
        __asm__ volatile("" : : "r"(row) : "memory");
        count++;
    }
    if (result != SQLITE_DONE) {
        problem("%s", sqlite3_errmsg(sqlite3_db_handle(select)));
        count = -1;
    }
    sqlite3_reset(select);
    return count;
}

double sqlite_replay(const char *path, int64_t stream, int64_t events, int page) {
    sqlite3 *database = sqlite_open(path);
    if (!database) return -1;
    sqlite3_stmt *select = sqlite_prepare(database, page_sql);
    double began = seconds_now();
    int64_t done = 0;
    while (select && done < events) {
        int64_t count = read_page(select, first_key(stream) + done, page);
        if (count == 0) problem("there are %lld events instead of %lld", (long long)done, (long long)events);
        if (count <= 0) break;
        done += count;
    }
    double seconds = seconds_now() - began;
    sqlite3_finalize(select);
    sqlite3_close_v2(database);
    return done >= events ? (double)done / seconds : -1;
}

// MARK: - Consuming

struct cursors {
    struct crew crew;
    const char *path;
    int64_t stream, events;
    int page;
    atomic_llong next;
    /// One thread commits at a time; SQLite's own waiting would be slower.
    pthread_mutex_t commit;
};

struct consumer {
    struct cursors *cursors;
    int number;
};

static void *consume(void *argument) {
    struct consumer *consumer = argument;
    struct cursors *cursors = consumer->cursors;
    sqlite3 *database = sqlite_open(cursors->path);
    sqlite3_stmt *select = database ? sqlite_prepare(database, page_sql) : NULL;
    sqlite3_stmt *cursor = database ? sqlite_prepare(database, cursor_sql) : NULL;
    bool is_fine = select && cursor;
    if (!is_fine) crew_fail(&cursors->crew, "%s", baseline_problem());
    crew_begin(&cursors->crew);
    while (is_fine && !atomic_load(&cursors->crew.has_failed)) {
        int64_t offset = atomic_fetch_add(&cursors->next, cursors->page);
        if (offset >= cursors->events) break;
        int64_t count = read_page(select, first_key(cursors->stream) + offset, cursors->page);
        is_fine = count > 0;
        if (is_fine) {
            sqlite3_bind_int64(cursor, 1, consumer->number);
            sqlite3_bind_int64(cursor, 2, offset + count);
            pthread_mutex_lock(&cursors->commit);
            is_fine = sqlite_run(cursor);
            pthread_mutex_unlock(&cursors->commit);
        }
        if (!is_fine) crew_fail(&cursors->crew, "page at %lld: %s", (long long)offset, baseline_problem());
    }
    crew_end(&cursors->crew);
    sqlite3_finalize(select);
    sqlite3_finalize(cursor);
    sqlite3_close_v2(database);
    return NULL;
}

double sqlite_consume(const char *path, int64_t stream, int64_t events, int page, int threads) {
    struct cursors cursors = {.path = path, .stream = stream, .events = events, .page = page};
    struct consumer consumers[64];
    if (threads < 1 || threads > 64) return problem("%d threads are too many or too few", threads);
    sqlite3 *database = sqlite_open(path);
    if (!database) return -1;
    int result = sqlite3_exec(
        database,
        "CREATE TABLE IF NOT EXISTS baseline_cursors (id INTEGER PRIMARY KEY, position INTEGER NOT NULL) STRICT;"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 63) "
        "INSERT OR REPLACE INTO baseline_cursors SELECT i, 0 FROM n;",
        NULL, NULL, NULL
    );
    if (result != SQLITE_OK) problem("%s", sqlite3_errmsg(database));
    sqlite3_close_v2(database);
    if (result != SQLITE_OK) return -1;
    pthread_mutex_init(&cursors.commit, NULL);
    for (int i = 0; i < threads; i++) {
        consumers[i] = (struct consumer){&cursors, i};
    }
    double seconds = crew_run(&cursors.crew, threads, consume, consumers, sizeof *consumers);
    pthread_mutex_destroy(&cursors.commit);
    return seconds < 0 ? -1 : (double)events / seconds;
}

// MARK: - Old snapshots

void *sqlite_snapshot_begin(const char *path) {
    sqlite3 *database = sqlite_open(path);
    if (!database) return NULL;
    if (sqlite3_exec(database, "BEGIN; SELECT count(*) FROM streams;", NULL, NULL, NULL) == SQLITE_OK) return database;
    problem("%s", sqlite3_errmsg(database));
    sqlite3_close_v2(database);
    return NULL;
}

void sqlite_snapshot_end(void *snapshot) {
    sqlite3_close_v2(snapshot);
}

// MARK: - Sizes

double sqlite_table_bytes(const char *path, const char *table) {
    sqlite3 *database = sqlite_open(path);
    if (!database) return -1;
    sqlite3_stmt *statement = sqlite_prepare(
        database,
        "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?)"
    );
    double bytes = -1;
    if (statement && sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC) == SQLITE_OK) {
        if (sqlite3_step(statement) == SQLITE_ROW) bytes = sqlite3_column_double(statement, 0);
        else problem("%s", sqlite3_errmsg(database));
    }
    sqlite3_finalize(statement);
    sqlite3_close_v2(database);
    return bytes;
}
