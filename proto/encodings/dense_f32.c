/*
 * dense_f32.c - every coordinate rounded to float32: half the bytes of f64.
 *
 * Rounding is to nearest, ties to even (the default mode of IEEE 754, which nothing here
 * changes). A coordinate beyond float32's range becomes infinite: check what decodes, not what
 * was encoded.
 */
#include <string.h>

#include "registry.h"

static size_t f32_size(size_t length)
{
    return length * sizeof(float);
}

static struct cnv_extent f32_extent(size_t length, size_t first, size_t count)
{
    (void) length;
    return (struct cnv_extent){ .offset = first * sizeof(float), .len = count * sizeof(float) };
}

static void f32_encode(const double *values, size_t count, uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        float rounded = (float) values[i];

        memcpy(bytes + i * sizeof(float), &rounded, sizeof(float));
    }
}

static void f32_decode(const uint8_t *bytes, size_t count, const double *reference, double *out)
{
    (void) reference;
    for (size_t i = 0; i < count; i++) {
        float value = 0;

        memcpy(&value, bytes + i * sizeof(float), sizeof(float));
        out[i] = (double) value;
    }
}

const struct cnv_encoding_ops cnv_dense_f32 = {
    .name = "f32",
    .text = "float32: 4 bytes a coordinate, rounded to nearest, ties to even",
    .is_relative = false,
    .size = f32_size,
    .extent = f32_extent,
    .encode = f32_encode,
    .decode = f32_decode,
};
