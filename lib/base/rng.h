/*
 * rng.h - counter-based random numbers: the same key and counter give the same number anywhere.
 *
 * A stream is named by a key of up to four words, for example (seed, shard, iteration, purpose),
 * so that a replayed or repeated piece of work draws the same numbers and no state has to travel.
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", Philox-4x32-10.
 */
#ifndef CNV_BASE_RNG_H
#define CNV_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct cnv_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t buffer[4];
    unsigned used;
};

/* What a stream is for: two purposes never share numbers. The numbers are part of the format. */
enum cnv_rng_purpose {
    CNV_RNG_SHUFFLE = 1,
    CNV_RNG_BATCH = 2,
    CNV_RNG_BLOCKS = 3,
    CNV_RNG_INIT = 4,
    CNV_RNG_SIM = 5,
    CNV_RNG_SYNTHETIC = 6,
    CNV_RNG_TOKEN = 7,
    CNV_RNG_SCALE = 8,
    CNV_RNG_NOISE = 9,
    CNV_RNG_ROUNDING = 10,
    CNV_RNG_ROWS = 11,
    CNV_RNG_LANCZOS = 12,
};

/* Starts the stream of (seed, purpose, a, b); a and b below 2^32 are all distinct. */
void cnv_rng_init(
    struct cnv_rng *rng, uint64_t seed, enum cnv_rng_purpose purpose, uint64_t a, uint64_t b);

uint32_t cnv_rng_u32(struct cnv_rng *rng);
uint64_t cnv_rng_u64(struct cnv_rng *rng);

/* Uniform in [0, 1), 53 bits. */
double cnv_rng_uniform(struct cnv_rng *rng);

/* Uniform in [0, n) without bias; n >= 1. */
uint64_t cnv_rng_below(struct cnv_rng *rng, uint64_t n);

/* Different numbers below n, ret_numbers[count], count <= n: one after the other as cnv_rng_below
 * gives them, drawn again where one is there already. Cost: for small parts of n, count squared. */
void cnv_rng_distinct(struct cnv_rng *rng, uint64_t n, size_t count, uint64_t *ret_numbers);

/* Standard normal (Box-Muller, both uniforms drawn each time). */
double cnv_rng_normal(struct cnv_rng *rng);

/* Fills order[0..n) with a uniform permutation of 0..n-1 (Fisher-Yates from the end). */
void cnv_rng_permutation(struct cnv_rng *rng, size_t *order, size_t n);

#endif
