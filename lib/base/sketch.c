/* sketch.c - see sketch.h. One hash a coordinate serves all rows: twelve of its bits each. */
#include "base/sketch.h"

#include <string.h>

enum { BITS_A_ROW = 12, SIGN_BIT = 11, COLUMN_MASK = 0x7ff };

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

void cnv_sketch_take(uint64_t seed, const double *values, size_t n, double *sketch)
{
    memset(sketch, 0, CNV_SKETCH_SIZE * sizeof(*sketch));
    for (size_t j = 0; j < n; j++) {
        uint64_t hash = mix(seed + ((uint64_t) j + 1) * UINT64_C(0x9e3779b97f4a7c15));

        for (size_t row = 0; row < CNV_SKETCH_ROWS; row++) {
            uint64_t bits = hash >> (BITS_A_ROW * row);
            size_t column = (size_t) (((bits & COLUMN_MASK) * CNV_SKETCH_COLUMNS) >> SIGN_BIT);
            double value = (bits >> SIGN_BIT & 1U) != 0 ? -values[j] : values[j];

            sketch[row * CNV_SKETCH_COLUMNS + column] += value;
        }
    }
}

double cnv_sketch_square(const double *sketch)
{
    double squares[CNV_SKETCH_ROWS];

    /* Sorted by insertion as they are summed. */
    for (size_t row = 0; row < CNV_SKETCH_ROWS; row++) {
        const double *values = sketch + row * CNV_SKETCH_COLUMNS;
        double square = 0;
        size_t at = row;

        for (size_t i = 0; i < CNV_SKETCH_COLUMNS; i++) {
            square += values[i] * values[i];
        }
        for (; at > 0 && squares[at - 1] > square; at--) {
            squares[at] = squares[at - 1];
        }
        squares[at] = square;
    }
    return squares[CNV_SKETCH_ROWS / 2];
}
