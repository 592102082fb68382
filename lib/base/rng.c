/* rng.c - Philox-4x32-10 and what is drawn from it. */
#include "base/rng.h"

#include <math.h>

static void philox_round(uint32_t counter[4], const uint32_t key[2])
{
    uint64_t p0 = (uint64_t) 0xD2511F53U * counter[0];
    uint64_t p1 = (uint64_t) 0xCD9E8D57U * counter[2];
    uint32_t c1 = counter[1];
    uint32_t c3 = counter[3];

    counter[0] = (uint32_t) (p1 >> 32) ^ c1 ^ key[0];
    counter[1] = (uint32_t) p1;
    counter[2] = (uint32_t) (p0 >> 32) ^ c3 ^ key[1];
    counter[3] = (uint32_t) p0;
}

static void rng_refill(struct cnv_rng *rng)
{
    uint32_t key[2] = { rng->key[0], rng->key[1] };

    for (int i = 0; i < 4; i++) {
        rng->buffer[i] = rng->counter[i];
    }
    for (int round = 0; round < 10; round++) {
        philox_round(rng->buffer, key);
        key[0] += 0x9E3779B9U;
        key[1] += 0xBB67AE85U;
    }
    rng->counter[0]++;
    if (rng->counter[0] == 0) {
        rng->counter[3] += 0x10000U;
    }
    rng->used = 0;
}

void cnv_rng_init(
    struct cnv_rng *rng, uint64_t seed, enum cnv_rng_purpose purpose, uint64_t a, uint64_t b)
{
    /* Counter word 3: the purpose in its low 16 bits, the carry of word 0 above it. */
    *rng = (struct cnv_rng){
        .key = { (uint32_t) seed ^ (uint32_t) (a >> 32),
                 (uint32_t) (seed >> 32) ^ (uint32_t) (b >> 32) },
        .counter = { 0, (uint32_t) a, (uint32_t) b, (uint32_t) purpose },
        .used = 4,
    };
}

uint32_t cnv_rng_u32(struct cnv_rng *rng)
{
    if (rng->used == 4) {
        rng_refill(rng);
    }
    return rng->buffer[rng->used++];
}

uint64_t cnv_rng_u64(struct cnv_rng *rng)
{
    uint64_t high = cnv_rng_u32(rng);

    return high << 32 | cnv_rng_u32(rng);
}

double cnv_rng_uniform(struct cnv_rng *rng)
{
    return (double) (cnv_rng_u64(rng) >> 11) * 0x1p-53;
}

uint64_t cnv_rng_below(struct cnv_rng *rng, uint64_t n)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n;
    uint64_t draw = 0;

    do {
        draw = cnv_rng_u64(rng);
    } while (draw >= limit);
    return draw % n;
}

void cnv_rng_distinct(struct cnv_rng *rng, uint64_t n, size_t count, uint64_t *ret_numbers)
{
    for (size_t i = 0; i < count;) {
        uint64_t number = cnv_rng_below(rng, n);
        size_t before = 0;

        while (before < i && ret_numbers[before] != number) {
            before++;
        }
        if (before == i) {
            ret_numbers[i++] = number;
        }
    }
}

double cnv_rng_normal(struct cnv_rng *rng)
{
    double u = 1.0 - cnv_rng_uniform(rng);
    double v = cnv_rng_uniform(rng);

    return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * v);
}

void cnv_rng_permutation(struct cnv_rng *rng, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t) cnv_rng_below(rng, i);
        size_t swap = order[i - 1];

        order[i - 1] = order[j];
        order[j] = swap;
    }
}
