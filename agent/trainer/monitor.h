/* monitor.h - what an agent offers in the exchange monitor: how far it has drifted, in few numbers.
 */
#ifndef CNV_AGENT_TRAINER_MONITOR_H
#define CNV_AGENT_TRAINER_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sketch.h"
#include "client/convene.h"

struct cnv_monitor {
    size_t dimension;
    double *move; /* [dimension] of the model in the last round, as a unit vector */
    bool has_move;
    double sketch[CNV_SKETCH_SIZE];
};

/* False: memory is out. */
bool cnv_monitor_init(struct cnv_monitor *monitor, size_t dimension);
void cnv_monitor_fini(struct cnv_monitor *monitor);

/* The model went from one version to the next; from NULL: it is not known from where. */
void cnv_monitor_moved(struct cnv_monitor *monitor, const double *from, const double *to);

/*
 * Fills values, length and scalars of the contribution for a drift of [dimension] coordinates. Both
 * are borrowed until the next call. False: kind is not known. seed is the run's.
 */
bool cnv_monitor_tell(struct cnv_monitor *monitor,
                      const char *kind,
                      uint64_t seed,
                      const double *drift,
                      convene_contribution *contribution);

#endif
