#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stddef.h>

/// Whether allocations and the heap can be looked at here. Where not, every number below is 0.
bool allocation_counter_is_available(void);

/// Counts allocations from now on, beginning at 0, in all threads.
void allocation_counter_start(void);

/// Ends counting; returns how often memory was asked for meanwhile.
size_t allocation_counter_stop(void);

/// The bytes of the heap in use, allocation headers and rounding included.
size_t heap_bytes_in_use(void);

/// Gives memory that is not in use back to the system.
void heap_trim(void);

/// The resident memory of the process, in bytes.
size_t resident_bytes(void);

#endif
