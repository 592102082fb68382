/*
 * monitor.c - the estimates of dynamic averaging (Theologitis et al. 2025, FDA).
 *
 * With Delta_i the way member i has come since the last averaging, p_i its weight and bars for
 * weighted means, S = mean |Delta|^2 - |mean Delta|^2. The first term is a mean of numbers; of the
 * second a bound from below keeps the estimate from being too small:
 *
 *   naive    0
 *   linear   (mean <xi, Delta>)^2, xi the unit vector of the model's last move
 *   sketch   the squared norm told by the mean of the sketches, over 1 + eps
 *   exact    all of it: the members send their Delta, for comparison
 */
#include "policy/monitor.h"

#include <math.h>
#include <string.h>

#include "base/sketch.h"

/* 1 / sqrt(columns): what the sketch may be off by. */
#define SKETCH_EPS 0.0632455532033675867

/* Of the share of members that know xi, where all do. */
#define ALL_OF_THEM (1.0 - 1e-9)

static double estimate_linear(const struct cnv_monitor_view *monitor)
{
    const double *scalars = monitor->scalars;

    if (monitor->scalar_count != 3) {
        return NAN;
    }
    /* Who is new does not know xi: then q alone is the bound. */
    return scalars[2] >= ALL_OF_THEM ? scalars[0] - scalars[1] * scalars[1] : scalars[0];
}

static double estimate_sketch(const struct cnv_monitor_view *monitor)
{
    if (monitor->scalar_count != 1 || monitor->length != CNV_SKETCH_SIZE) {
        return NAN;
    }
    return monitor->scalars[0] - cnv_sketch_square(monitor->vector) / (1 + SKETCH_EPS);
}

double cnv_monitor_estimate(const struct cnv_monitor_view *monitor)
{
    double estimate = NAN;

    if (strcmp(monitor->monitor, "naive") == 0) {
        estimate = monitor->scalar_count == 1 ? monitor->scalars[0] : NAN;
    } else if (strcmp(monitor->monitor, "linear") == 0) {
        estimate = estimate_linear(monitor);
    } else if (strcmp(monitor->monitor, "sketch") == 0) {
        estimate = estimate_sketch(monitor);
    } else if (strcmp(monitor->monitor, "exact") == 0) {
        estimate = monitor->variance;
    }
    return estimate < 0 ? 0 : estimate; /* by rounding */
}
