/*
 * race_blob.c - a blob's count under ThreadSanitizer: threads share and let go of the same blobs,
 * read their bytes, and the last of them frees, on whichever thread that is.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "base/blob.h"

enum { THREADS = 4, BLOBS = 2000, SHARES = 20 };

struct race {
    struct cnv_blob *blobs[BLOBS];
    uv_barrier_t barrier;
};

static _Atomic int released;
static _Atomic size_t sum;

/* Plain data behind a wrapped blob: the release must happen after all readers. */
static void release(void *hint)
{
    *(uint8_t *) hint = 0;
    free(hint); /* NOLINT: made with malloc below, as libzmq would */
    atomic_fetch_add(&released, 1);
}

static void reader(void *arg)
{
    struct race *race = arg;
    size_t seen = 0;

    (void) uv_barrier_wait(&race->barrier);
    for (size_t i = 0; i < BLOBS; i++) {
        for (int k = 0; k < SHARES; k++) {
            struct cnv_blob *mine = cnv_blob_ref(race->blobs[i]);

            seen += cnv_blob_data(mine)[0];
            cnv_blob_unref(mine);
        }
        seen += cnv_blob_data(race->blobs[i])[0];
        cnv_blob_unref(race->blobs[i]); /* this thread's share; the last one frees */
    }
    atomic_fetch_add(&sum, seen);
}

int main(void)
{
    static struct race race;
    uv_thread_t threads[THREADS];

    (void) uv_barrier_init(&race.barrier, THREADS);
    for (size_t i = 0; i < BLOBS; i++) {
        uint8_t *bytes = malloc(1); /* NOLINT: not ours, as libzmq's frames */

        *bytes = 1;
        race.blobs[i] = cnv_blob_wrap(bytes, 1, release, bytes);
        for (int t = 1; t < THREADS; t++) {
            (void) cnv_blob_ref(race.blobs[i]);
        }
    }
    for (int t = 0; t < THREADS; t++) {
        if (uv_thread_create(&threads[t], reader, &race) != 0) {
            return EXIT_FAILURE;
        }
    }
    for (int t = 0; t < THREADS; t++) {
        (void) uv_thread_join(&threads[t]);
    }
    uv_barrier_destroy(&race.barrier);
    if (released != BLOBS || cnv_blob_alive() != 0 ||
        sum != (size_t) THREADS * BLOBS * (SHARES + 1)) {
        (void) fprintf(
            stderr, "%d released, %zu alive, sum %zu\n", released, cnv_blob_alive(), (size_t) sum);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
