/*
 * monitor.c - states of dynamic averaging (Theologitis et al. 2025; PROTOCOL.md, 4).
 *
 *   naive    q = |Delta|^2
 *   linear   q, s = <xi, Delta>, 1; or q, 0, 0 from who does not know the model's last move, whose
 *            unit vector xi is
 *   sketch   q, and the sketch of Delta under the run's seed
 *   exact    q, and Delta
 */
#include "trainer/monitor.h"

#include <string.h>

#include "base/mem.h"
#include "num/vector.h"

bool cnv_monitor_init(struct cnv_monitor *monitor, size_t dimension)
{
    *monitor = (struct cnv_monitor){ .dimension = dimension };
    monitor->move = cnv_array_new(dimension, sizeof(*monitor->move));
    return monitor->move != NULL;
}

void cnv_monitor_fini(struct cnv_monitor *monitor)
{
    cnv_free(monitor->move);
    monitor->move = NULL;
    monitor->has_move = false;
}

void cnv_monitor_moved(struct cnv_monitor *monitor, const double *from, const double *to)
{
    double norm = 0;

    if (from != NULL) {
        cnv_vector_move(monitor->dimension, to, -1.0, from, monitor->move);
        norm = cnv_vector_norm(monitor->dimension, monitor->move);
    }
    monitor->has_move = norm > 0;
    if (monitor->has_move) {
        cnv_vector_scale(monitor->dimension, 1.0 / norm, monitor->move);
    }
}

bool cnv_monitor_tell(struct cnv_monitor *monitor,
                      const char *kind,
                      uint64_t seed,
                      const double *drift,
                      convene_contribution *contribution)
{
    size_t n = monitor->dimension;

    contribution->values = NULL;
    contribution->length = 0;
    contribution->scalars[0] = cnv_vector_dot(n, drift, drift);
    contribution->scalar_count = 1;
    if (strcmp(kind, "linear") == 0) {
        contribution->scalars[1] =
            monitor->has_move ? cnv_vector_dot(n, monitor->move, drift) : 0.0;
        contribution->scalars[2] = monitor->has_move ? 1.0 : 0.0;
        contribution->scalar_count = 3;
    } else if (strcmp(kind, "sketch") == 0) {
        cnv_sketch_take(seed, drift, n, monitor->sketch);
        contribution->values = monitor->sketch;
        contribution->length = CNV_SKETCH_SIZE;
    } else if (strcmp(kind, "exact") == 0) {
        contribution->values = drift;
        contribution->length = n;
    } else if (strcmp(kind, "naive") != 0) {
        return false;
    }
    return true;
}
