/*
 * blob.h - bytes that many may read and nobody writes, with an atomic count of holders.
 *
 * A model, a chunk as it came from the network, a specification. The maker fills the bytes
 * before the blob is shared; after that they never change. Threads: any may ref and unref.
 */
#ifndef CNV_BASE_BLOB_H
#define CNV_BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct cnv_blob;

/* Lets go of what a wrapped blob's bytes lie in. Called once, on the thread of the last unref. */
typedef void (*cnv_blob_release_fn)(void *hint);

/* A blob of len zeroed bytes (64-byte aligned), count 1; NULL when memory is out. */
struct cnv_blob *cnv_blob_new(size_t len);

/* As above, but the bytes are whatever they are: the maker fills them all. */
struct cnv_blob *cnv_blob_new_raw(size_t len);

/* A blob with a copy of the bytes. */
struct cnv_blob *cnv_blob_copy(const void *bytes, size_t len);

/* A blob around bytes that lie elsewhere (any alignment). On NULL, release was not called. */
struct cnv_blob *
cnv_blob_wrap(const void *bytes, size_t len, cnv_blob_release_fn release, void *hint);

/* Shares: one more holder. Returns blob. NULL is fine. */
struct cnv_blob *cnv_blob_ref(struct cnv_blob *blob);

/* One holder less; the last one frees. NULL is fine. */
void cnv_blob_unref(struct cnv_blob *blob);

const uint8_t *cnv_blob_data(const struct cnv_blob *blob);
size_t cnv_blob_len(const struct cnv_blob *blob);

/* For the maker alone, before the blob is shared; not for wrapped blobs. */
uint8_t *cnv_blob_edit(struct cnv_blob *blob);

/* How many blobs are alive in this process: tests check that it returns to what it was. */
size_t cnv_blob_alive(void);

#endif
