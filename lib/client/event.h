/*
 * event.h - the events of convene.h as they lie in memory: one object that owns all it points to.
 *
 * Vectors are counted blobs of float64, so that the round that starts from a model and the commit
 * that brought it share one copy.
 */
#ifndef CNV_CLIENT_EVENT_H
#define CNV_CLIENT_EVENT_H

#include "base/blob.h"
#include "client/convene.h"
#include "proto/message.h"

struct cnv_event {
    convene_event event; /* first: what the application holds */
    struct cnv_blob *values;
    double *labels;
    char *spec;
    char text[256];
    char run_name[65];
    char solver[24];
    char plan[128];
    char monitor[16];
};

/* NULL when memory is out. Released with convene_event_release(&event->event). */
struct cnv_event *cnv_event_new(convene_event_kind kind);

/* Shares values: a blob of float64. */
void cnv_event_set_values(struct cnv_event *event, struct cnv_blob *values);

/* The same: a model and what lies beside it, width vectors one behind the other. */
void cnv_event_set_model(struct cnv_event *event, struct cnv_blob *values, uint64_t width);

void cnv_event_set_text(struct cnv_event *event, const char *text);

#endif
