/*
 * shares.c - divides the steps of a round by time.
 *
 * In real numbers: every member has all the time T there is, steps(T) = (T - fixed) / step between
 * 1 and most; T is found by bisection, as the sum grows with T. In whole numbers: all round down,
 * and the steps left over go to those who would be done soonest with one more.
 */
#include "engine/shares.h"

#include <math.h>
#include <stdlib.h>

enum { HALVINGS = 100 };

/* The steps a member has time for in t seconds. */
static double steps_in(const struct cnv_share *share, double t, uint32_t most)
{
    double steps = (t - share->fixed_s) / share->step_s;

    return fmin(fmax(steps, 1.0), (double) most);
}

static double time_of(const struct cnv_share *share, double steps)
{
    return share->fixed_s + steps * share->step_s;
}

/* The time in which all of them together take so many steps. */
static double shares_time(const struct cnv_share *shares, size_t n, double total, uint32_t most)
{
    double low = 0;
    double high = 0;

    for (size_t i = 0; i < n; i++) {
        high = fmax(high, time_of(&shares[i], (double) most));
    }
    for (int i = 0; i < HALVINGS; i++) {
        double middle = low + (high - low) / 2;
        double sum = 0;

        for (size_t k = 0; k < n; k++) {
            sum += steps_in(&shares[k], middle, most);
        }
        if (sum < total) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

static bool
shares_stand(const struct cnv_share *shares, size_t n, double total, double t, uint32_t most)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double steps = (double) shares[i].steps;

        if (fabs(steps_in(&shares[i], t, most) - steps) > 0.5 + 0.1 * steps) {
            return false;
        }
        sum += steps;
    }
    return sum == total;
}

/* By the time they would be done with one step more. */
static int compare_next(const void *a, const void *b)
{
    const struct cnv_share *left = a;
    const struct cnv_share *right = b;
    double left_s = time_of(left, (double) left->steps + 1);
    double right_s = time_of(right, (double) right->steps + 1);

    if (left_s != right_s) {
        return left_s < right_s ? -1 : 1;
    }
    return left->owner < right->owner ? -1 : left->owner > right->owner;
}

bool cnv_shares_divide(struct cnv_share *shares, size_t n, uint32_t nominal, uint32_t most)
{
    double total = (double) n * (double) nominal;
    double left = total;
    double t = shares_time(shares, n, total, most);

    if (shares_stand(shares, n, total, t, most)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        shares[i].steps = (uint32_t) steps_in(&shares[i], t, most);
        left -= (double) shares[i].steps;
    }
    qsort(shares, n, sizeof(*shares), compare_next);
    for (size_t i = 0; i < n && left > 0; i++) {
        if (shares[i].steps < most) {
            shares[i].steps++;
            left -= 1;
        }
    }
    return true;
}
