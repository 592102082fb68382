/*
 * dense_bf16.c - every coordinate rounded to bfloat16, the upper half of a float32: a quarter of
 * the bytes of f64, the range of float32, 8 bits of precision.
 *
 * Rounding is to nearest, ties to even, once: float32 in between keeps in its last bit whether
 * anything was cut off, so that a tie is one only where it was one. A coordinate beyond the range
 * becomes infinite: check what decodes, not what was encoded.
 *
 * For the way up alone: a model rounded so at every commit loses what is less than a 512th of a
 * coordinate (proto/README.md has numbers), and NumPy files know no bfloat16.
 */
#include <math.h>
#include <string.h>

#include "registry.h"

static size_t bf16_size(size_t length)
{
    return length * sizeof(uint16_t);
}

static struct cnv_extent bf16_extent(size_t length, size_t first, size_t count)
{
    (void) length;
    return (struct cnv_extent){ .offset = first * sizeof(uint16_t),
                                .len = count * sizeof(uint16_t) };
}

/* The float32 next to value towards zero, its last bit set if that is not value itself. */
static uint32_t cut_to_odd(double value)
{
    float cut = (float) value;
    uint32_t bits = 0;

    memcpy(&bits, &cut, sizeof(bits));
    bits -= fabs((double) cut) > fabs(value) ? 1 : 0;
    return (double) cut == value ? bits : bits | 1;
}

static void bf16_encode(const double *values, size_t count, uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = cut_to_odd(values[i]);
        uint32_t carry = isnan(values[i]) ? 0 : 0x7FFF + (bits >> 16 & 1);
        uint16_t rounded = (uint16_t) ((bits + carry) >> 16);

        memcpy(bytes + i * sizeof(rounded), &rounded, sizeof(rounded));
    }
}

static void bf16_decode(const uint8_t *bytes, size_t count, const double *reference, double *out)
{
    (void) reference;
    for (size_t i = 0; i < count; i++) {
        uint16_t half = 0;
        uint32_t bits = 0;
        float value = 0;

        memcpy(&half, bytes + i * sizeof(half), sizeof(half));
        bits = (uint32_t) half << 16;
        memcpy(&value, &bits, sizeof(value));
        out[i] = (double) value;
    }
}

const struct cnv_encoding_ops cnv_dense_bf16 = {
    .name = "bf16",
    .text = "bfloat16: 2 bytes a coordinate, rounded to nearest, ties to even; updates only",
    .is_up_only = true,
    .size = bf16_size,
    .extent = bf16_extent,
    .encode = bf16_encode,
    .decode = bf16_decode,
};
