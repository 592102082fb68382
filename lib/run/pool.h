/*
 * pool.h - worker threads for jobs: one queue in, one list of finished jobs back to the loop.
 *
 * submit never calls done: a job that is small or has no thread to go to is run at once, but its
 * done is called by cnv_pool_deliver, which the loop does in its next turn. So a caller is never
 * re-entered. Threads: everything here belongs to the loop's thread; only job->run leaves it.
 */
#ifndef CNV_RUN_POOL_H
#define CNV_RUN_POOL_H

#include <uv.h>

#include "base/status.h"
#include "run/job.h"

enum {
    CNV_POOL_INLINE_COST =
        8192,                  /* jobs below run on the loop: a hand-over costs more than they do */
    CNV_POOL_DELIVER_MAX = 32, /* done calls in one turn of the loop */
    CNV_POOL_THREADS_MAX = 256,
};

struct cnv_pool;

/*
 * A pool of threads (1..CNV_POOL_THREADS_MAX) whose jobs are done on loop (borrowed). Jobs cheaper
 * than inline_cost are run by submit. CNV_E_NOMEM, CNV_E_SYSTEM.
 */
CNV_MUST_CHECK enum cnv_status cnv_pool_new(uv_loop_t *loop,
                                            unsigned threads,
                                            size_t inline_cost,
                                            struct cnv_pool **ret_pool,
                                            struct cnv_error *err);

/* A pool without threads and loop: submit runs every job, the owner calls cnv_pool_deliver. */
CNV_MUST_CHECK enum cnv_status cnv_pool_new_inline(struct cnv_pool **ret_pool,
                                                   struct cnv_error *err);

/* What is called for jobs whose done is NULL. */
void cnv_pool_on_done(struct cnv_pool *pool,
                      void (*done)(void *self, struct cnv_job *job),
                      void *self);

/* Takes the job until its done is called. Cannot fail. Allowed from within done. */
void cnv_pool_submit(struct cnv_pool *pool, struct cnv_job *job);

/* Calls done of at most max finished jobs, in the order they finished; returns how many. */
size_t cnv_pool_deliver(struct cnv_pool *pool, size_t max);

/* Jobs submitted whose done was not called yet. */
size_t cnv_pool_outstanding(const struct cnv_pool *pool);

/*
 * Waits for the jobs in hand, calls done of all, then frees the pool; done may not submit. closed
 * (may be NULL) is called on a later turn of the loop; without a loop, at once. NULL is fine, and
 * then closed is not called.
 */
void cnv_pool_close(struct cnv_pool *pool, void (*closed)(void *hint), void *hint);

#endif
