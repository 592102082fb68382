/*
 * q8.c - QSGD with 8 bits: in buckets of 512 coordinates a float32 norm and an int8 for each
 * coordinate, rounded at random so that the mean is right.
 *
 *     v_j is sent as norm * q_j / 127, norm = |v|_2 of its bucket rounded up to float32,
 *     q_j = floor of 127 v_j / norm, or one more with the probability of what is left
 *
 * so that E[q_j] norm / 127 = v_j whatever v is. A bucket with a number that is not finite decodes
 * to numbers that are not finite, and is refused. Source: Alistarh et al. 2017, QSGD; s = 127.
 */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "registry.h"

enum { BUCKET = 512, LEVELS = 127 };

static size_t q8_size(size_t length)
{
    return length + sizeof(float) * (length / BUCKET + (length % BUCKET != 0 ? 1 : 0));
}

static struct cnv_extent q8_extent(size_t length, size_t first, size_t count)
{
    (void) length;
    return (struct cnv_extent){ .offset = q8_size(first), .len = q8_size(count) };
}

static float bucket_norm(const double *values, size_t count)
{
    double square = 0;

    for (size_t j = 0; j < count; j++) {
        square += values[j] * values[j];
    }
    float norm = (float) sqrt(square);
    return (double) norm < sqrt(square) ? nextafterf(norm, INFINITY) : norm;
}

static void q8_encode_random(const double *values,
                             size_t count,
                             const struct cnv_rounding *rounding,
                             uint8_t *bytes)
{
    struct cnv_rng rng;

    cnv_rng_init(&rng, rounding->seed, CNV_RNG_ROUNDING, rounding->stream, rounding->contribution);
    for (size_t first = 0; first < count; first += BUCKET) {
        size_t n = count - first < BUCKET ? count - first : BUCKET;
        float norm = bucket_norm(values + first, n);

        memcpy(bytes, &norm, sizeof(norm));
        bytes += sizeof(norm);
        for (size_t j = 0; j < n; j++) {
            double level =
                norm > 0 && isfinite(norm) ? LEVELS * values[first + j] / (double) norm : 0;
            double low = floor(level);
            double q = low + (cnv_rng_uniform(&rng) < level - low ? 1 : 0);

            *bytes++ = (uint8_t) (int8_t) q;
        }
    }
}

static void q8_decode(const uint8_t *bytes, size_t count, const double *reference, double *out)
{
    (void) reference;
    for (size_t first = 0; first < count; first += BUCKET) {
        size_t n = count - first < BUCKET ? count - first : BUCKET;
        float norm = 0;

        memcpy(&norm, bytes, sizeof(norm));
        bytes += sizeof(norm);
        for (size_t j = 0; j < n; j++) {
            out[first + j] = (double) norm * (double) (int8_t) *bytes++ / LEVELS;
        }
    }
}

const struct cnv_encoding_ops cnv_q8 = {
    .name = "q8",
    .text = "8 bits a coordinate, rounded at random without bias: QSGD",
    .paper = "Alistarh et al. 2017, QSGD",
    .size = q8_size,
    .extent = q8_extent,
    .encode_random = q8_encode_random,
    .decode = q8_decode,
};
