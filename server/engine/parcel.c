/*
 * parcel.c - a finished vector as it is sent: one copy of its bytes, however many receive it.
 *
 * The CRC of a chunk is computed when the first receiver gets it and kept for the others, so that
 * a broadcast costs one pass over the bytes, spread over the turns that send them.
 * Invariant: blob is never written after the parcel was made.
 */
#include "base/crc32c.h"
#include "base/mem.h"
#include "internal.h"
#include "proto/vector.h"

struct cnv_parcel *
cnv_parcel_new(struct cnv_blob *blob, size_t length, uint32_t digest, uint64_t chunk_bytes)
{
    struct cnv_parcel *parcel = cnv_object_new(struct cnv_parcel);

    if (parcel == NULL) {
        cnv_blob_unref(blob);
        return NULL;
    }
    uint64_t chunks = cnv_chunk_count(cnv_blob_len(blob), chunk_bytes);

    parcel->refs = 1;
    parcel->blob = blob;
    parcel->length = length;
    parcel->digest = digest;
    parcel->chunk_bytes = chunk_bytes;
    parcel->crcs = cnv_array_new(chunks, sizeof(*parcel->crcs));
    parcel->known = cnv_array_new(chunks, sizeof(*parcel->known));
    if (parcel->crcs == NULL || parcel->known == NULL) {
        cnv_parcel_unref(parcel);
        return NULL;
    }
    return parcel;
}

struct cnv_parcel *cnv_parcel_ref(struct cnv_parcel *parcel)
{
    if (parcel != NULL) {
        parcel->refs++;
    }
    return parcel;
}

void cnv_parcel_unref(struct cnv_parcel *parcel)
{
    if (parcel == NULL || --parcel->refs > 0) {
        return;
    }
    cnv_blob_unref(parcel->blob);
    cnv_free(parcel->crcs);
    cnv_free(parcel->known);
    cnv_free(parcel);
}

uint32_t cnv_parcel_crc(struct cnv_parcel *parcel, uint64_t index)
{
    if (parcel->known[index] == 0) {
        const uint8_t *chunk = cnv_blob_data(parcel->blob) + index * parcel->chunk_bytes;

        parcel->crcs[index] = cnv_crc32c(
            0, chunk, cnv_chunk_len(cnv_blob_len(parcel->blob), parcel->chunk_bytes, index));
        parcel->known[index] = 1;
    }
    return parcel->crcs[index];
}
