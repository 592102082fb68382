/* monitor.h - from what agents say of their drift, how far their models have come apart. */
#ifndef CNV_SERVER_POLICY_MONITOR_H
#define CNV_SERVER_POLICY_MONITOR_H

#include "policy/policy.h"

/*
 * Estimate of the model variance S, not below it (sketch: with high probability), from the means of
 * q = |Delta|^2 and of what else the monitor offers. NaN where that is not what it offers.
 */
double cnv_monitor_estimate(const struct cnv_monitor_view *monitor);

#endif
