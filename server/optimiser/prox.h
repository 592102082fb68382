/* prox.h - the proximal step of an l1 term in the objective. Inside server/optimiser. */
#ifndef CNV_SERVER_OPTIMISER_PROX_H
#define CNV_SERVER_OPTIMISER_PROX_H

#include <math.h>

/* Where threshold |x| + (x - value)^2 / 2 is least. NaN stays NaN. */
static inline double cnv_prox_l1(double value, double threshold)
{
    double left = fabs(value) - threshold;

    if (threshold == 0) {
        return value;
    }
    return left <= 0 ? 0 : copysign(left, value);
}

#endif
