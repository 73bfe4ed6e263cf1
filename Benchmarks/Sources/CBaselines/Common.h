#ifndef COMMON_H
#define COMMON_H

#include "Baselines.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { payload_length = 256, id_length = 16 };

extern const char event_type[];
extern const char correlation_id[];

/// Seconds of a clock that never goes back.
double seconds_now(void);
/// Nanoseconds since 1970.
int64_t wall_nanoseconds(void);
/// An id that is unique and, like those of the library, greater than those made before.
void make_id(uint8_t id[id_length]);
/// A payload that depends on the number.
void make_payload(uint8_t payload[payload_length], int64_t number);

/// Keeps a reason for baseline_problem(); returns -1.
double problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// What threads of one run have in common: they begin together, and the first problem ends all of them.
struct crew {
    pthread_barrier_t gate;
    atomic_bool has_failed;
    char problem[400];
};

void crew_fail(struct crew *crew, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Runs `body` in so many threads, thread i with member i of an array; returns the seconds from the moment when all
/// had called crew_begin until all have called crew_end, or a negative number.
double crew_run(struct crew *crew, int threads, void *(*body)(void *), void *members, unsigned long size);
/// To be called by each thread when it is ready.
void crew_begin(struct crew *crew);
/// To be called by each thread when its work is done, before it tidies up.
void crew_end(struct crew *crew);

/// Sleeps until the moment, in seconds_now().
void sleep_until(double moment);
/// Sorts and picks.
void summarize(double *times, int64_t count, struct baseline_latency *result);

#endif
