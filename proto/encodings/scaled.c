/*
 * scaled.c - a multiple of a result everyone already has: one float64, the factor.
 *
 * What a line search ends with: the update is the step size times the direction just settled
 * (GIANT). Any range of coordinates needs the same eight bytes.
 */
#include <string.h>

#include "registry.h"

static size_t scaled_size(size_t length)
{
    (void) length;
    return sizeof(double);
}

static struct cnv_extent scaled_extent(size_t length, size_t first, size_t count)
{
    (void) length;
    (void) first;
    (void) count;
    return (struct cnv_extent){ .offset = 0, .len = sizeof(double) };
}

static void scaled_encode(const double *values, size_t count, uint8_t *bytes)
{
    (void) count;
    memcpy(bytes, values, sizeof(double));
}

static void scaled_decode(const uint8_t *bytes, size_t count, const double *reference, double *out)
{
    double factor = 0;

    memcpy(&factor, bytes, sizeof(factor));
    for (size_t i = 0; i < count; i++) {
        out[i] = factor * reference[i];
    }
}

const struct cnv_encoding_ops cnv_scaled = {
    .name = "scaled",
    .text = "one float64: the factor of the settled result of another exchange",
    .is_relative = true,
    .size = scaled_size,
    .extent = scaled_extent,
    .encode = scaled_encode,
    .decode = scaled_decode,
};
