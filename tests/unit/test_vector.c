/* test_vector.c - chunk arithmetic at its edges; the digest against its definition. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "proto/vector.h"

Test(vector, chunks_cover_every_byte_once, .timeout = 10)
{
    for (uint64_t bytes = 0; bytes <= 40; bytes++) {
        for (uint64_t chunk = 1; chunk <= 41; chunk++) {
            uint64_t count = cnv_chunk_count(bytes, chunk);
            uint64_t sum = 0;

            for (uint64_t i = 0; i < count; i++) {
                size_t len = cnv_chunk_len(bytes, chunk, i);

                cr_assert(len <= chunk && (len == chunk || i + 1 == count));
                cr_assert(len > 0 || bytes == 0);
                sum += len;
            }
            cr_assert_eq(sum, bytes);
            cr_assert_eq(cnv_chunk_len(bytes, chunk, count), 0);
            cr_assert_eq(cnv_chunk_len(bytes, chunk, UINT64_MAX), 0);
        }
    }
}

Test(vector, chunks_of_an_empty_vector_are_one, .timeout = 5)
{
    cr_assert_eq(cnv_chunk_count(0, 1), 1);
    cr_assert_eq(cnv_chunk_len(0, 1, 0), 0);
}

Test(vector, chunk_arithmetic_does_not_overflow, .timeout = 5)
{
    cr_assert_eq(cnv_chunk_count(UINT64_MAX, 1), UINT64_MAX);
    cr_assert_eq(cnv_chunk_count(UINT64_MAX, UINT64_MAX), 1);
    cr_assert_eq(cnv_chunk_count(UINT64_MAX, UINT64_MAX - 1), 2);
    cr_assert_eq(cnv_chunk_len(UINT64_MAX, UINT64_MAX - 1, 1), 1);
    cr_assert_eq(cnv_chunk_len(UINT64_MAX, 1, UINT64_MAX - 1), 1);
}

/* The definition of PROTOCOL.md, section 7, with the bytes of the slices named by hand. */
static uint32_t digest_by_hand(const uint8_t *bytes, size_t len, size_t slice_bytes)
{
    uint8_t words[64];
    size_t at = 0;

    for (size_t first = 0; first < len; first += slice_bytes) {
        size_t count = len - first < slice_bytes ? len - first : slice_bytes;
        uint32_t crc = cnv_crc32c(0, bytes + first, count);

        for (int i = 0; i < 4; i++) {
            words[at++] = (uint8_t) (crc >> 8 * i);
        }
    }
    return cnv_crc32c(0, words, at);
}

Test(vector, digest_is_over_the_slices_checksums, .timeout = 10)
{
    static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 131072, 200000 };
    uint8_t *bytes = cnv_array_new(200000, 8);
    uint32_t before = 0;

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < (size_t) 200000 * 8; i++) {
        bytes[i] = (uint8_t) (i * 2654435761U >> 13);
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t n = lengths[i];

        cr_assert_eq(cnv_vector_digest(cnv_encoding_find("f64"), bytes, n),
                     digest_by_hand(bytes, n * 8, (size_t) CNV_DIGEST_SLICE * 8));
        cr_assert_eq(cnv_vector_digest(cnv_encoding_find("f32"), bytes, n),
                     digest_by_hand(bytes, n * 4, (size_t) CNV_DIGEST_SLICE * 4));
    }
    before = cnv_vector_digest(cnv_encoding_find("f64"), bytes, 200000);
    bytes[1599999] ^= 1;
    cr_assert_neq(cnv_vector_digest(cnv_encoding_find("f64"), bytes, 200000), before);
    cnv_free(bytes);
}

Test(vector, digest_of_the_first_of_each_width_is_that_of_the_model_alone, .timeout = 10)
{
    enum { LENGTH = CNV_DIGEST_SLICE + 3, WIDTH = 3 };
    double *wide = cnv_array_new((size_t) LENGTH * WIDTH, sizeof(*wide));
    double *alone = cnv_array_new(LENGTH, sizeof(*alone));

    for (size_t j = 0; j < (size_t) LENGTH * WIDTH; j++) {
        wide[j] = (double) j;
    }
    cnv_vector_first((const uint8_t *) wide, LENGTH, WIDTH, sizeof(*wide), (uint8_t *) alone);
    cr_assert_eq(alone[LENGTH - 1], (LENGTH - 1.0) * WIDTH);
    cr_assert_eq(cnv_vector_first_digest((const uint8_t *) wide, LENGTH, WIDTH, sizeof(*wide)),
                 cnv_vector_digest(cnv_encoding_find("f64"), (const uint8_t *) alone, LENGTH));
    cnv_free(wide);
    cnv_free(alone);
}
