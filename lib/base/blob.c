/* blob.c - counted immutable bytes. Invariant: the count is at least 1 while anyone can see it. */
#include "base/blob.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

struct cnv_blob {
    _Atomic uint32_t refs;
    size_t len;
    const uint8_t *data;
    uint8_t *own;
    cnv_blob_release_fn release;
    void *hint;
};

static _Atomic size_t blobs_alive;

static struct cnv_blob *blob_new(void)
{
    struct cnv_blob *blob = cnv_object_new(struct cnv_blob);

    if (blob != NULL) {
        atomic_init(&blob->refs, 1);
        atomic_fetch_add(&blobs_alive, 1);
    }
    return blob;
}

/* Takes own; NULL when it is or when memory is out. */
static struct cnv_blob *blob_around(uint8_t *own, size_t len)
{
    struct cnv_blob *blob = own == NULL ? NULL : blob_new();

    if (blob == NULL) {
        cnv_free(own);
        return NULL;
    }
    blob->own = own;
    blob->data = own;
    blob->len = len;
    return blob;
}

struct cnv_blob *cnv_blob_new(size_t len)
{
    return blob_around(cnv_array_new(len, 1), len);
}

struct cnv_blob *cnv_blob_new_raw(size_t len)
{
    return blob_around(cnv_array_new_raw(len, 1), len);
}

struct cnv_blob *cnv_blob_copy(const void *bytes, size_t len)
{
    struct cnv_blob *blob = cnv_blob_new_raw(len);

    if (blob != NULL && len > 0) {
        memcpy(blob->own, bytes, len);
    }
    return blob;
}

struct cnv_blob *
cnv_blob_wrap(const void *bytes, size_t len, cnv_blob_release_fn release, void *hint)
{
    struct cnv_blob *blob = blob_new();

    if (blob != NULL) {
        blob->data = bytes;
        blob->len = len;
        blob->release = release;
        blob->hint = hint;
    }
    return blob;
}

struct cnv_blob *cnv_blob_ref(struct cnv_blob *blob)
{
    if (blob != NULL) {
        uint32_t before = atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);

        assert(before > 0);
        (void) before;
    }
    return blob;
}

void cnv_blob_unref(struct cnv_blob *blob)
{
    if (blob == NULL) {
        return;
    }
    uint32_t before = atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1) {
        return;
    }
    if (blob->release != NULL) {
        blob->release(blob->hint);
    }
    cnv_free(blob->own);
    cnv_free(blob);
    atomic_fetch_sub(&blobs_alive, 1);
}

const uint8_t *cnv_blob_data(const struct cnv_blob *blob)
{
    return blob->data;
}

size_t cnv_blob_len(const struct cnv_blob *blob)
{
    return blob == NULL ? 0 : blob->len;
}

uint8_t *cnv_blob_edit(struct cnv_blob *blob)
{
    assert(blob->own != NULL && atomic_load(&blob->refs) == 1);
    return blob->own;
}

size_t cnv_blob_alive(void)
{
    return atomic_load(&blobs_alive);
}
