/* registry.h - the encodings there are. Inside proto/encodings. */
#ifndef CNV_PROTO_ENCODINGS_REGISTRY_H
#define CNV_PROTO_ENCODINGS_REGISTRY_H

#include "encodings/encoding.h"

/* Payloads are little-endian, and copied as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "encodings need a little-endian host");

extern const struct cnv_encoding_ops cnv_dense_f64;
extern const struct cnv_encoding_ops cnv_dense_f32;
extern const struct cnv_encoding_ops cnv_dense_bf16;
extern const struct cnv_encoding_ops cnv_scaled;
extern const struct cnv_encoding_ops cnv_blocks;
extern const struct cnv_encoding_ops cnv_q8;

#endif
