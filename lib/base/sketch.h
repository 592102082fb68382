/*
 * sketch.h - a small linear picture of a large vector, from which its norm can be told.
 *
 * The AMS sketch of dynamic averaging (Theologitis et al. 2025, arXiv 2405.20988): every
 * coordinate is added, with a random sign, to a random column of each row. The sketch of a mean is
 * the mean of the sketches, so that a server that sees sketches alone knows the norm of the mean.
 */
#ifndef CNV_BASE_SKETCH_H
#define CNV_BASE_SKETCH_H

#include <stddef.h>
#include <stdint.h>

enum {
    CNV_SKETCH_ROWS = 5,
    CNV_SKETCH_COLUMNS = 250,
    CNV_SKETCH_SIZE = CNV_SKETCH_ROWS * CNV_SKETCH_COLUMNS,
};

/*
 * Fills sketch[CNV_SKETCH_SIZE], row after row, with that of values[n]. Sketches of the same seed
 * can be averaged. With h = mix(seed + (j + 1) 0x9e3779b97f4a7c15), the finaliser of splitmix64,
 * coordinate j lies in row r at column (b * 250) >> 11 with the sign of bit 11, where b is the
 * lower eleven bits of h >> 12 r, and a set sign bit means minus.
 */
void cnv_sketch_take(uint64_t seed, const double *values, size_t n, double *sketch);

/* Estimate of the squared norm of the vector behind the sketch: the median over the rows. */
double cnv_sketch_square(const double *sketch);

#endif
