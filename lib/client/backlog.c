/*
 * backlog.c - see backlog.h.
 *
 * Invariant: at most one ROUND, the SETTLED and REFUSED_CONTRIBUTION events behind it, two
 * COMMITs, and the few events that come once in a session; so the array never fills in practice.
 * If a server should manage to fill it all the same, the oldest event goes.
 */
#include "client/backlog.h"

#include <stdbool.h>
#include <string.h>

static void drop(struct cnv_backlog *backlog, size_t at)
{
    convene_event_release(backlog->events[at]);
    backlog->count--;
    memmove(&backlog->events[at],
            &backlog->events[at + 1],
            (backlog->count - at) * sizeof(backlog->events[0]));
}

static bool is_of_round(const convene_event *event)
{
    return event->kind == CONVENE_ROUND || event->kind == CONVENE_SETTLED ||
           event->kind == CONVENE_REFUSED_CONTRIBUTION;
}

/* Pending commits but the first give way to the new one. */
static void drop_later_commits(struct cnv_backlog *backlog)
{
    bool is_first = true;

    for (size_t i = 0; i < backlog->count;) {
        if (backlog->events[i]->kind == CONVENE_COMMIT && !is_first) {
            drop(backlog, i);
            continue;
        }
        is_first = is_first && backlog->events[i]->kind != CONVENE_COMMIT;
        i++;
    }
}

static void drop_rounds(struct cnv_backlog *backlog)
{
    for (size_t i = 0; i < backlog->count;) {
        if (is_of_round(backlog->events[i])) {
            drop(backlog, i);
            continue;
        }
        i++;
    }
}

void cnv_backlog_put(struct cnv_backlog *backlog, convene_event *event)
{
    if (event->kind == CONVENE_ROUND) {
        drop_rounds(backlog);
    } else if (event->kind == CONVENE_COMMIT) {
        drop_later_commits(backlog);
    }
    if (backlog->count == CNV_BACKLOG_MAX) {
        drop(backlog, 0);
    }
    backlog->events[backlog->count++] = event;
}

convene_event *cnv_backlog_take(struct cnv_backlog *backlog)
{
    if (backlog->count == 0) {
        return NULL;
    }
    convene_event *event = backlog->events[0];

    backlog->count--;
    memmove(&backlog->events[0], &backlog->events[1], backlog->count * sizeof(backlog->events[0]));
    return event;
}

void cnv_backlog_clear(struct cnv_backlog *backlog)
{
    convene_event *event = NULL;

    while ((event = cnv_backlog_take(backlog)) != NULL) {
        convene_event_release(event);
    }
}
