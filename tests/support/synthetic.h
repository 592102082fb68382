/* synthetic.h - small shards made from a seed, for tests of problems and solvers. */
#ifndef CNV_TESTS_SYNTHETIC_H
#define CNV_TESTS_SYNTHETIC_H

#include "data/shard.h"

struct synthetic {
    size_t rows;
    size_t features;
    double density; /* 1: every value is there */
    size_t classes; /* 0: real targets; 2: labels -1 and +1; more: labels 1 .. classes */
    double noise;   /* on targets; on the scores that decide a class */
    uint64_t seed;
};

/* Sparse rows with standard normal values; every seventh row is empty when density < 1. Targets
 * are linear in the features plus noise, classes the largest of such scores. */
struct cnv_shard *synthetic_shard(const struct synthetic *how);

/* The same rows, dense. */
struct cnv_shard *synthetic_dense(const struct cnv_shard *sparse);

/* Rows [first, last) of a sparse shard. */
struct cnv_shard *synthetic_part(const struct cnv_shard *sparse, size_t first, size_t last);

/* NULL is fine. */
void synthetic_destroy(struct cnv_shard *shard);

#endif
