/* vector.h - what both sides of a transfer compute alike: chunk counts, digests. */
#ifndef CNV_PROTO_VECTOR_H
#define CNV_PROTO_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "encodings/encoding.h"

enum {
    CNV_DIGEST_SLICE = 65536, /* coordinates */
    CNV_SLOWEST = 8192,       /* bytes/s: what a transfer has to keep to count as life */
};

/* Chunks of a transfer: ceil(bytes / chunk_bytes), at least 1. chunk_bytes >= 1. */
uint64_t cnv_chunk_count(uint64_t bytes, uint64_t chunk_bytes);

/* Bytes of chunk index; 0 past the last. */
size_t cnv_chunk_len(uint64_t bytes, uint64_t chunk_bytes, uint64_t index);

/* How long a chunk may be under way before it is taken for lost: at CNV_SLOWEST bytes/s. */
uint64_t cnv_chunk_time_ms(uint64_t chunk_bytes);

/* CRC-32C over the little-endian CRC-32Cs of the encoded slices of CNV_DIGEST_SLICE coordinates. */
uint32_t
cnv_vector_digest(const struct cnv_encoding_ops *encoding, const uint8_t *bytes, size_t length);

/* The model alone: of every width numbers of size bytes the first, into out[length x size]. */
void cnv_vector_first(const uint8_t *bytes, size_t length, size_t width, size_t size, uint8_t *out);
/* Its digest, as cnv_vector_digest has it of out. */
uint32_t cnv_vector_first_digest(const uint8_t *bytes, size_t length, size_t width, size_t size);

#endif
