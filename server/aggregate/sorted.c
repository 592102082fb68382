/*
 * sorted.c - coordinate by coordinate: sort, drop the ends, average the rest.
 *
 * The slice of every contributor is held at once, decoded: half a megabyte for each of them and
 * each thread.
 */
#include "sorted.h"

#include <assert.h>

/* Shell's: no allocation, no call a comparison, and fast for the few values that there are. */
void cnv_sort(double *values, size_t n)
{
    static const size_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };

    for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
        for (size_t i = gaps[g]; i < n; i++) {
            double value = values[i];
            size_t at = i;

            for (; at >= gaps[g] && values[at - gaps[g]] > value; at -= gaps[g]) {
                values[at] = values[at - gaps[g]];
            }
            values[at] = value;
        }
    }
}

size_t cnv_sorted_scratch(size_t n, size_t count)
{
    return n * count + n;
}

enum cnv_status
cnv_sorted_merge(const struct cnv_merge_input *input, size_t cut, double *out, double *scratch)
{
    size_t n = input->contributors;
    double *values = scratch + n * input->count;

    assert(2 * cut < n || n == 0);
    for (size_t i = 0; i < n; i++) {
        if (!input->load(input, i, scratch + i * input->count)) {
            return CNV_E_NOT_FINITE;
        }
    }
    for (size_t j = 0; j < input->count; j++) {
        double sum = 0;

        for (size_t i = 0; i < n; i++) {
            values[i] = scratch[i * input->count + j];
        }
        cnv_sort(values, n);
        for (size_t i = cut; i + cut < n; i++) {
            sum += values[i];
        }
        out[j] = n == 0 ? 0 : sum / (double) (n - 2 * cut);
    }
    return CNV_OK;
}
