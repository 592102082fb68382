/* event.c - see event.h. Invariant: everything an event points to goes with its release. */
#include "client/event.h"

#include <stdio.h>

#include "base/mem.h"

struct cnv_event *cnv_event_new(convene_event_kind kind)
{
    struct cnv_event *event = cnv_object_new(struct cnv_event);

    if (event != NULL) {
        event->event.kind = kind;
        event->event.text = event->text;
        event->event.spec = "";
        event->event.run_name = event->run_name;
        event->event.solver = event->solver;
        event->event.plan = event->plan;
        event->event.monitor = event->monitor;
    }
    return event;
}

void cnv_event_set_values(struct cnv_event *event, struct cnv_blob *values)
{
    event->values = cnv_blob_ref(values);
    if (values != NULL) {
        /* Vectors are decoded into blobs of our own, which are aligned to 64 bytes. */
        event->event.values = (const double *) (const void *) cnv_blob_data(values);
        event->event.length = cnv_blob_len(values) / sizeof(double);
        event->event.width = 1;
    }
}

void cnv_event_set_model(struct cnv_event *event, struct cnv_blob *values, uint64_t width)
{
    cnv_event_set_values(event, values);
    event->event.length /= (size_t) width;
    event->event.width = (size_t) width;
}

void cnv_event_set_text(struct cnv_event *event, const char *text)
{
    (void) snprintf(event->text, sizeof(event->text), "%s", text);
}

void convene_event_release(convene_event *event)
{
    if (event == NULL) {
        return;
    }
    /* The public part is the first member of the object. */
    struct cnv_event *whole = (struct cnv_event *) (void *) event;

    cnv_blob_unref(whole->values);
    cnv_free(whole->labels);
    cnv_free(whole->spec);
    cnv_free(whole);
}
