#define _GNU_SOURCE
#include "Common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char event_type[] = "packet-received";
const char correlation_id[] = "01890a5d-ac96-774b-bcce-b302099a8057";

static _Thread_local char last_problem[400];

const char *baseline_problem(void) {
    return last_problem;
}

double problem(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_problem, sizeof last_problem, format, arguments);
    va_end(arguments);
    return -1;
}

double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int64_t wall_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void make_id(uint8_t id[id_length]) {
    static _Atomic uint64_t counter;
    uint64_t milliseconds = (uint64_t)(wall_nanoseconds() / 1000000);
    uint64_t number = atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
    for (int i = 0; i < 6; i++) {
        id[i] = (uint8_t)(milliseconds >> (40 - 8 * i));
    }
    id[6] = 0x70;
    id[7] = 0;
    for (int i = 0; i < 8; i++) {
        id[8 + i] = (uint8_t)(number >> (56 - 8 * i));
    }
    id[8] = (uint8_t)(id[8] | 0x80);
}

void make_payload(uint8_t payload[payload_length], int64_t number) {
    memset(payload, (int)(number & 0xFF), payload_length);
    memcpy(payload, &number, sizeof number);
}

void crew_fail(struct crew *crew, const char *format, ...) {
    if (atomic_exchange(&crew->has_failed, true)) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(crew->problem, sizeof crew->problem, format, arguments);
    va_end(arguments);
}

void crew_begin(struct crew *crew) {
    pthread_barrier_wait(&crew->gate);
}

void crew_end(struct crew *crew) {
    pthread_barrier_wait(&crew->gate);
}

double crew_run(struct crew *crew, int threads, void *(*body)(void *), void *members, unsigned long size) {
    pthread_t ids[128];
    if (threads < 1 || threads > 128) return problem("%d threads are too many or too few", threads);
    atomic_store(&crew->has_failed, false);
    crew->problem[0] = 0;
    pthread_barrier_init(&crew->gate, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, body, (char *)members + size * (unsigned long)i) != 0) abort();
    }
    pthread_barrier_wait(&crew->gate);
    double began = seconds_now();
    pthread_barrier_wait(&crew->gate);
    double seconds = seconds_now() - began;
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
    }
    pthread_barrier_destroy(&crew->gate);
    return atomic_load(&crew->has_failed) ? problem("%s", crew->problem) : seconds;
}

void sleep_until(double moment) {
    struct timespec time = {(time_t)moment, (long)((moment - (double)(time_t)moment) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void summarize(double *times, int64_t count, struct baseline_latency *result) {
    qsort(times, (size_t)count, sizeof *times, compare);
    result->p50 = times[count / 2];
    result->p99 = times[count - 1 - count / 100];
}
