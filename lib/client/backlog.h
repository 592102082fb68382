/*
 * backlog.h - events the application has not fetched yet: in order, and bounded by what matters.
 *
 * An application that computes for long, or never reads, must not make the network thread hold
 * every model of the run. A new round makes pending events of older rounds void; of the commits
 * that nobody has seen only the first (it may conclude a round the application took part in) and
 * the last are kept.
 */
#ifndef CNV_CLIENT_BACKLOG_H
#define CNV_CLIENT_BACKLOG_H

#include <stddef.h>

#include "client/convene.h"

enum { CNV_BACKLOG_MAX = 64 };

/* All zero: empty. */
struct cnv_backlog {
    convene_event *events[CNV_BACKLOG_MAX];
    size_t count;
};

/* Takes event, and releases those it makes void. */
void cnv_backlog_put(struct cnv_backlog *backlog, convene_event *event);

/* The oldest event, now the caller's; NULL when there is none. */
convene_event *cnv_backlog_take(struct cnv_backlog *backlog);

/* Releases all events. */
void cnv_backlog_clear(struct cnv_backlog *backlog);

#endif
