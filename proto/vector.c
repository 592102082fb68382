/* vector.c - chunk arithmetic without overflow, and the digest of an encoded vector. */
#include "proto/vector.h"

#include <assert.h>
#include <string.h>

#include "base/crc32c.h"

uint64_t cnv_chunk_count(uint64_t bytes, uint64_t chunk_bytes)
{
    assert(chunk_bytes > 0);
    return bytes == 0 ? 1 : bytes / chunk_bytes + (bytes % chunk_bytes != 0 ? 1 : 0);
}

size_t cnv_chunk_len(uint64_t bytes, uint64_t chunk_bytes, uint64_t index)
{
    uint64_t before = 0;

    if (index >= cnv_chunk_count(bytes, chunk_bytes)) {
        return 0;
    }
    before = index * chunk_bytes;
    return (size_t) (bytes - before < chunk_bytes ? bytes - before : chunk_bytes);
}

uint64_t cnv_chunk_time_ms(uint64_t chunk_bytes)
{
    return chunk_bytes * 1000 / CNV_SLOWEST;
}

/* What a slice adds, by the CRC of its bytes. */
static uint32_t digest_add(uint32_t digest, uint32_t crc)
{
    uint8_t word[4] = {
        (uint8_t) crc, (uint8_t) (crc >> 8), (uint8_t) (crc >> 16), (uint8_t) (crc >> 24)
    };

    return cnv_crc32c(digest, word, sizeof(word));
}

uint32_t
cnv_vector_digest(const struct cnv_encoding_ops *encoding, const uint8_t *bytes, size_t length)
{
    uint32_t digest = 0;

    for (size_t first = 0; first < length; first += CNV_DIGEST_SLICE) {
        size_t count = length - first < CNV_DIGEST_SLICE ? length - first : CNV_DIGEST_SLICE;
        struct cnv_extent extent = encoding->extent(length, first, count);

        digest = digest_add(digest, cnv_crc32c(0, bytes + extent.offset, extent.len));
    }
    return digest;
}

uint32_t cnv_vector_first_digest(const uint8_t *bytes, size_t length, size_t width, size_t size)
{
    uint32_t digest = 0;

    for (size_t first = 0; first < length; first += CNV_DIGEST_SLICE) {
        size_t count = length - first < CNV_DIGEST_SLICE ? length - first : CNV_DIGEST_SLICE;
        uint32_t crc = 0;

        for (size_t j = first; j < first + count; j++) {
            crc = cnv_crc32c(crc, bytes + j * width * size, size);
        }
        digest = digest_add(digest, crc);
    }
    return digest;
}

void cnv_vector_first(const uint8_t *bytes, size_t length, size_t width, size_t size, uint8_t *out)
{
    if (width == 1) {
        memcpy(out, bytes, length * size);
        return;
    }
    for (size_t j = 0; j < length; j++) {
        memcpy(out + j * size, bytes + j * width * size, size);
    }
}
