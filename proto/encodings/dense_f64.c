/* dense_f64.c - every coordinate as it is: 8 bytes each, nothing lost. */
#include <string.h>

#include "registry.h"

static size_t f64_size(size_t length)
{
    return length * sizeof(double);
}

static struct cnv_extent f64_extent(size_t length, size_t first, size_t count)
{
    (void) length;
    return (struct cnv_extent){ .offset = first * sizeof(double), .len = count * sizeof(double) };
}

static void f64_encode(const double *values, size_t count, uint8_t *bytes)
{
    memcpy(bytes, values, count * sizeof(double));
}

static void f64_decode(const uint8_t *bytes, size_t count, const double *reference, double *out)
{
    (void) reference;
    memcpy(out, bytes, count * sizeof(double));
}

const struct cnv_encoding_ops cnv_dense_f64 = {
    .name = "f64",
    .text = "float64: 8 bytes a coordinate, exact",
    .is_relative = false,
    .size = f64_size,
    .extent = f64_extent,
    .encode = f64_encode,
    .decode = f64_decode,
};
