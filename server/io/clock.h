/*
 * clock.h - the engine's time: the loop's, without our own absences.
 *
 * While the process was stopped or the machine asleep nobody could be heard, so that silence is
 * ours, not the agents'. Whoever notices first, a tick or a message, leaves the gap out; the time
 * never goes back.
 */
#ifndef CNV_SERVER_IO_CLOCK_H
#define CNV_SERVER_IO_CLOCK_H

#include <stdint.h>

enum {
    CNV_TICK_MS = 50,    /* the clock is read at least so often, */
    CNV_STALL_MS = 1000, /* and a longer gap than this is an absence */
};

struct cnv_clock {
    uint64_t seen_ms;   /* of the loop, when it was last read */
    uint64_t absent_ms; /* all absences together */
    uint64_t told_ms;   /* absences a log line was written for */
};

/* loop_ms must not go back. */
static inline uint64_t cnv_clock_read(struct cnv_clock *clock, uint64_t loop_ms)
{
    uint64_t gap_ms = loop_ms - clock->seen_ms;

    if (gap_ms > CNV_STALL_MS) {
        clock->absent_ms += gap_ms - CNV_TICK_MS;
    }
    clock->seen_ms = loop_ms;
    return loop_ms - clock->absent_ms;
}

#endif
