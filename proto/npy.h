/* npy.h - an encoded vector as a NumPy .npy file: the head that goes before its payload, and back.
 */
#ifndef CNV_PROTO_NPY_H
#define CNV_PROTO_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "encodings/encoding.h"

enum { CNV_NPY_HEAD_SIZE = 128 };

/*
 * Writes the head (format version 1.0) of a one-dimensional array of length numbers; the file is
 * the head followed by the payload of the encoding, byte for byte.
 *
 * Returns CNV_NPY_HEAD_SIZE, or 0: the encoding is neither "f64" nor "f32".
 */
size_t cnv_npy_head(const char *encoding, uint64_t length, uint8_t head[CNV_NPY_HEAD_SIZE]);

/* What such a file holds: length numbers of the encoding, from byte offset on. */
struct cnv_npy {
    const struct cnv_encoding_ops *encoding;
    uint64_t length;
    size_t offset;
};

/*
 * Reads the head of a whole file, also one that NumPy wrote: float32 or float64, little-endian, of
 * any shape in C order. CNV_E_INPUT says what it is instead.
 */
CNV_MUST_CHECK enum cnv_status
cnv_npy_parse(const uint8_t *bytes, size_t len, struct cnv_npy *ret_npy, struct cnv_error *err);

#endif
