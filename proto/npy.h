/* npy.h - an encoded vector as a NumPy .npy file: the head that goes before its payload. */
#ifndef CNV_PROTO_NPY_H
#define CNV_PROTO_NPY_H

#include <stddef.h>
#include <stdint.h>

enum { CNV_NPY_HEAD_SIZE = 128 };

/*
 * Writes the head (format version 1.0) of a one-dimensional array of length numbers; the file is
 * the head followed by the payload of the encoding, byte for byte.
 *
 * Returns CNV_NPY_HEAD_SIZE, or 0: the encoding is neither "f64" nor "f32".
 */
size_t cnv_npy_head(const char *encoding, uint64_t length, uint8_t head[CNV_NPY_HEAD_SIZE]);

#endif
