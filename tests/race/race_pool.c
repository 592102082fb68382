/*
 * race_pool.c - the worker pool under ThreadSanitizer: several loops' worth of jobs, submitted
 * from done, with outputs that are read on the loop. Exits 0 when the sums are right; TSan ends it
 * when two threads touch the same thing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/blob.h"
#include "base/mem.h"
#include "run/pool.h"

enum { SLICES = 64, SLICE = 512, ROUNDS = 200 };

struct race;

struct slice_job {
    struct cnv_job job;
    struct race *race;
    struct cnv_blob *input; /* shared by all jobs of a round, let go of on the loop */
    double out[SLICE];
};

struct race {
    struct cnv_pool *pool;
    struct slice_job jobs[SLICES];
    int rounds;
    int pending;
    double total;
};

static void slice_run(struct cnv_job *job)
{
    struct slice_job *slice = (struct slice_job *) job;
    const uint8_t *bytes = cnv_blob_data(slice->input);

    for (size_t i = 0; i < SLICE; i++) {
        slice->out[i] += bytes[i % cnv_blob_len(slice->input)];
    }
    /* As a merge does with a chunk: the job has a share of its own and lets go of it. */
    cnv_blob_unref(cnv_blob_ref(slice->input));
}

static void round_begin(struct race *race);

static void slice_done(struct cnv_job *job)
{
    struct slice_job *slice = (struct slice_job *) job;
    struct race *race = slice->race;

    cnv_blob_unref(slice->input);
    for (size_t i = 0; i < SLICE; i++) {
        race->total += slice->out[i];
        slice->out[i] = 0;
    }
    if (--race->pending == 0 && --race->rounds > 0) {
        round_begin(race);
    }
}

static void round_begin(struct race *race)
{
    struct cnv_blob *input = cnv_blob_new(SLICE);

    for (size_t i = 0; i < SLICE; i++) {
        cnv_blob_edit(input)[i] = 1;
    }
    race->pending = SLICES;
    for (size_t s = 0; s < SLICES; s++) {
        race->jobs[s].race = race;
        race->jobs[s].input = cnv_blob_ref(input);
        race->jobs[s].job = (struct cnv_job){ .run = slice_run, .done = slice_done, .cost = s };
        cnv_pool_submit(race->pool, &race->jobs[s].job);
    }
    cnv_blob_unref(input);
}

int main(void)
{
    struct race *race = cnv_object_new(struct race);
    uv_loop_t loop;

    if (race == NULL || uv_loop_init(&loop) != 0 ||
        cnv_pool_new(&loop, 4, SLICES / 4, &race->pool, NULL) != CNV_OK) {
        return EXIT_FAILURE;
    }
    race->rounds = ROUNDS;
    round_begin(race);
    while (cnv_pool_outstanding(race->pool) > 0) {
        (void) uv_run(&loop, UV_RUN_ONCE);
    }
    /* Jobs in hand when the pool is closed. */
    race->rounds = 1;
    round_begin(race);
    cnv_pool_close(race->pool, NULL, NULL);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&loop);
    double expected = (double) (ROUNDS + 1) * SLICES * SLICE;
    if (failed != 0 || race->total != expected || cnv_blob_alive() != 0) {
        (void) fprintf(stderr,
                       "total %g, expected %g; %zu blobs left\n",
                       race->total,
                       expected,
                       cnv_blob_alive());
        return EXIT_FAILURE;
    }
    cnv_free(race);
    return EXIT_SUCCESS;
}
