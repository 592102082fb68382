/* sorted.h - the values of one coordinate, in order. Inside server/aggregate. */
#ifndef CNV_SERVER_AGGREGATE_SORTED_H
#define CNV_SERVER_AGGREGATE_SORTED_H

#include <stddef.h>

#include "aggregate/aggregate.h"

/* Ascending. No allocation. */
void cnv_sort(double *values, size_t n);

/* Doubles of scratch for cnv_sorted_merge. */
size_t cnv_sorted_scratch(size_t n, size_t count);

/*
 * Sorts the contributors' values of each coordinate; out is the mean of those that are left when
 * `cut` are dropped at either end, 2 cut < n. Summed in ascending order.
 *
 * CNV_E_NOT_FINITE: a contribution is not finite.
 */
enum cnv_status
cnv_sorted_merge(const struct cnv_merge_input *input, size_t cut, double *out, double *scratch);

#endif
