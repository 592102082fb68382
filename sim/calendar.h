/*
 * calendar.h - what will happen when: a queue ordered by time, then by order of entry.
 *
 * Invariant: two events of the same time come out in the order they went in, so that a run is a
 * function of its seed.
 */
#ifndef CNV_SIM_CALENDAR_H
#define CNV_SIM_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_event_kind {
    SIM_EVENT_PACKET,      /* subject: a struct sim_packet, which it owns */
    SIM_EVENT_SERVER_TICK, /* the engine's */
    SIM_EVENT_AGENT_TICK,  /* agent: the session's */
    SIM_EVENT_WORK,        /* agent: it has time for events and the next step */
    SIM_EVENT_GONE,        /* number: the server notices that this peer's link is dead */
    SIM_EVENT_CONNECT,     /* agent, number: it has connected channel number anew */
    SIM_EVENT_JOB,         /* subject: a struct cnv_job that is done */
    SIM_EVENT_PERSISTED,   /* number: this version is durable */
    SIM_EVENT_CUT,         /* agent: faults that befall it */
    SIM_EVENT_KILL,
    SIM_EVENT_FREEZE,
    SIM_EVENT_BACK, /* agent: revived, or thawed */
};

struct sim_event {
    uint64_t at_us;
    uint64_t entry;
    enum sim_event_kind kind;
    uint32_t life; /* of the agent: meaningless for a later process of its name */
    size_t agent;
    uint64_t number;
    void *subject;
};

struct sim_calendar {
    struct sim_event *heap;
    size_t count;
    size_t capacity;
    uint64_t entries;
};

/* False when memory is out; nothing was entered. */
bool sim_calendar_put(struct sim_calendar *calendar, const struct sim_event *event);

/* The next event; false when there is none. */
bool sim_calendar_take(struct sim_calendar *calendar, struct sim_event *ret_event);

/* Frees the queue, not what its events own. */
void sim_calendar_fini(struct sim_calendar *calendar);

#endif
