/*
 * shares.c - divides the steps of a round by time.
 *
 * In real numbers: every member has all the time T there is, steps(T) = (T - fixed) / step between
 * 1 and most; T is found by bisection, as the sum grows with T. Where one member takes longer than
 * T with a single step, the others have that time too, and none takes more than it must: all are
 * cut at one level, found the same way. In whole numbers: all round down, and the steps left over
 * go to those who would be done soonest with one more.
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

/* What time and level leave a member. */
struct shares_cut {
    double t;
    double level;
    uint32_t most;
};

static double steps_of(const struct cnv_share *share, const struct shares_cut *cut)
{
    return fmin(steps_in(share, cut->t, cut->most), cut->level);
}

static struct shares_cut
shares_cut(const struct cnv_share *shares, size_t n, double total, uint32_t most)
{
    struct shares_cut cut = { .t = shares_time(shares, n, total, most), .most = most };
    double low = 0;
    double high = most;

    for (size_t i = 0; i < n; i++) {
        cut.t = fmax(cut.t, time_of(&shares[i], 1));
    }
    for (int i = 0; i < HALVINGS; i++) {
        double sum = 0;

        cut.level = low + (high - low) / 2;
        for (size_t k = 0; k < n; k++) {
            sum += steps_of(&shares[k], &cut);
        }
        if (sum < total) {
            low = cut.level;
        } else {
            high = cut.level;
        }
    }
    cut.level = high;
    return cut;
}

static bool
shares_stand(const struct cnv_share *shares, size_t n, double total, const struct shares_cut *cut)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double steps = (double) shares[i].steps;

        if (fabs(steps_of(&shares[i], cut) - steps) > 0.5 + 0.1 * steps) {
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
    struct shares_cut cut = shares_cut(shares, n, total, most);

    if (shares_stand(shares, n, total, &cut)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        shares[i].steps = (uint32_t) steps_of(&shares[i], &cut);
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
