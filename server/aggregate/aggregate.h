/*
 * aggregate.h - how contributions become one vector.
 *
 * To add one: copy mean.c, give it a name, add it to registry.c and its keys to
 * lib/config/keys.c. Runs on worker threads: pure, no globals; the state is read-only in merge.
 */
#ifndef CNV_SERVER_AGGREGATE_AGGREGATE_H
#define CNV_SERVER_AGGREGATE_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/param.h"
#include "base/status.h"

/* What one contributor brings to the weights. */
struct cnv_contributor {
    uint64_t samples; /* rows behind the contribution, >= 1 */
    uint64_t steps;   /* local steps taken */
};

/*
 * One slice of all contributions, in rank order. load decodes contributor i's coordinates
 * [first, first + count) into buffer (count doubles) and checks them; false means that
 * contribution is not finite, and the merge must return CNV_E_NOT_FINITE at once. What a
 * contribution leaves out (blocks) is zero.
 */
struct cnv_merge_input {
    size_t contributors;
    const double *weights; /* [contributors], normalised: they sum to 1 */
    size_t first;          /* first coordinate of the slice */
    size_t count;          /* coordinates in the slice; where the server optimiser widens what was
                            * offered, the numbers it makes of them */
    bool (*load)(const struct cnv_merge_input *input, size_t i, double *buffer);
    /* For sums: sum[j] += weight * contribution i's j-th, in the time that what was sent takes.
     * buffer[count] is scratch. False as load; then sum is spoilt. */
    bool (*add)(
        const struct cnv_merge_input *input, size_t i, double weight, double *sum, double *buffer);
};

enum { CNV_SLICE = 65536 };

/*
 * For rules that need whole vectors before they merge any of it: norms, distances. The engine then
 * holds all contributions whole, as they were sent, instead of asking for them twice: memory on one
 * host is cheaper than traffic between many, and nobody can send something else the second time.
 */
struct cnv_scoring {
    /* Doubles that score_slice writes for n contributors. */
    size_t (*size)(size_t n);
    /* Writes scores[size]; the engine adds up those of all slices, in slice order. Scratch as for
     * merge_slice. Any order, any thread. CNV_E_NOT_FINITE as there. */
    enum cnv_status (*score_slice)(const void *state,
                                   const struct cnv_merge_input *input,
                                   double *scores,
                                   double *scratch);
    /* Changes weights (they must still sum to 1) and scales (what contributions are multiplied by)
     * of the merge that follows. Once, on the loop. CNV_E_NOMEM. */
    enum cnv_status (*judge)(
        const void *state, size_t n, const double *scores, double *weights, double *scales);
};

struct cnv_aggregate_ops {
    const char *name;
    const char *text;
    const char *paper; /* NULL: none of its own */
    const char *keys;  /* settings that init reads, a space between two; NULL: none */
    size_t state_size;
    enum cnv_status (*init)(void *state, const struct cnv_config *config, struct cnv_error *err);
    void (*fini)(void *state); /* NULL: nothing to let go of */
    /* Weights of the contributors, in rank order; must be >= 0 and sum to 1. */
    void (*weigh)(const void *state,
                  const struct cnv_contributor *contributors,
                  size_t n,
                  double *weights);
    /* Doubles of scratch that merge_slice needs for n contributors. */
    size_t (*scratch_size)(const void *state, size_t n, size_t count);
    /* Writes out[count]. Slices are disjoint and run in any order, on any thread. */
    enum cnv_status (*merge_slice)(const void *state,
                                   const struct cnv_merge_input *input,
                                   double *out,
                                   double *scratch);
    const struct cnv_scoring *scoring; /* NULL: merges at once, what comes in */
};

const struct cnv_aggregate_ops *cnv_aggregate_find(const char *name);
const struct cnv_aggregate_ops *cnv_aggregate_at(size_t i);

#endif
