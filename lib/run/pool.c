/*
 * pool.c - jobs on threads.
 *
 * Happy path: submit puts the job into the queue, a worker takes it, runs it and appends it to the
 * finished list; one uv_async wakes the loop, which calls done. The queue and the finished list are
 * all that threads share, under one mutex that is never held while a job runs or done is called.
 * What can fail: nothing after new; a pool that could not start all its threads is not made.
 * Invariant: outstanding = queued + running + finished; only the loop's thread counts.
 */
#include "run/pool.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>

#include "base/mem.h"

struct job_list {
    struct cnv_job *first;
    struct cnv_job **end; /* where the next one goes; NULL stands for &first */
};

struct cnv_pool {
    uv_loop_t *loop; /* NULL: inline */
    uv_async_t wake;
    size_t inline_cost;
    size_t outstanding;
    void (*done)(void *self, struct cnv_job *job);
    void *self;
    void (*closed)(void *hint);
    void *hint;
    uv_mutex_t mutex; /* guards what follows */
    uv_cond_t work;
    struct job_list queue;
    struct job_list finished;
    bool stop;
    unsigned threads;
    uv_thread_t thread[CNV_POOL_THREADS_MAX];
};

static void job_list_put(struct job_list *list, struct cnv_job *job)
{
    job->next = NULL;
    *(list->end == NULL ? &list->first : list->end) = job;
    list->end = &job->next;
}

static struct cnv_job *job_list_take(struct job_list *list)
{
    struct cnv_job *job = list->first;

    if (job != NULL) {
        list->first = job->next;
        if (list->first == NULL) {
            list->end = NULL;
        }
        job->next = NULL;
    }
    return job;
}

/* The next job, or NULL when the pool stops and nothing is left to do. */
static struct cnv_job *pool_next(struct cnv_pool *pool)
{
    uv_mutex_lock(&pool->mutex);
    while (pool->queue.first == NULL && !pool->stop) {
        uv_cond_wait(&pool->work, &pool->mutex);
    }
    struct cnv_job *job = job_list_take(&pool->queue);
    uv_mutex_unlock(&pool->mutex);
    return job;
}

static void pool_finish(struct cnv_pool *pool, struct cnv_job *job)
{
    uv_mutex_lock(&pool->mutex);
    job_list_put(&pool->finished, job);
    uv_mutex_unlock(&pool->mutex);
    if (pool->loop != NULL) {
        (void) uv_async_send(&pool->wake);
    }
}

static void pool_worker(void *arg)
{
    struct cnv_pool *pool = arg;
    struct cnv_job *job = NULL;
    sigset_t all;

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_BLOCK, &all, NULL); /* they are for the loop's thread */
    while ((job = pool_next(pool)) != NULL) {
        job->run(job);
        pool_finish(pool, job);
    }
}

static void pool_woken(uv_async_t *wake)
{
    struct cnv_pool *pool = wake->data;

    if (cnv_pool_deliver(pool, CNV_POOL_DELIVER_MAX) == CNV_POOL_DELIVER_MAX) {
        (void) uv_async_send(&pool->wake);
    }
}

static void pool_join(struct cnv_pool *pool)
{
    uv_mutex_lock(&pool->mutex);
    pool->stop = true;
    uv_cond_broadcast(&pool->work);
    uv_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->threads; i++) {
        (void) uv_thread_join(&pool->thread[i]);
    }
    pool->threads = 0;
}

static void pool_free(struct cnv_pool *pool)
{
    uv_cond_destroy(&pool->work);
    uv_mutex_destroy(&pool->mutex);
    cnv_free(pool);
}

static void pool_wake_closed(uv_handle_t *handle)
{
    struct cnv_pool *pool = handle->data;
    void (*closed)(void *hint) = pool->closed;
    void *hint = pool->hint;

    pool_free(pool);
    if (closed != NULL) {
        closed(hint);
    }
}

/* An inline pool, or NULL with the reason in err. */
static struct cnv_pool *pool_make(struct cnv_error *err)
{
    struct cnv_pool *pool = cnv_object_new(struct cnv_pool);

    if (pool == NULL) {
        (void) cnv_fail(err, CNV_E_NOMEM, "worker pool");
        return NULL;
    }
    if (uv_mutex_init(&pool->mutex) != 0) {
        (void) cnv_fail(err, CNV_E_SYSTEM, "worker pool: no mutex");
        cnv_free(pool);
        return NULL;
    }
    if (uv_cond_init(&pool->work) != 0) {
        (void) cnv_fail(err, CNV_E_SYSTEM, "worker pool: no condition variable");
        uv_mutex_destroy(&pool->mutex);
        cnv_free(pool);
        return NULL;
    }
    return pool;
}

enum cnv_status cnv_pool_new_inline(struct cnv_pool **ret_pool, struct cnv_error *err)
{
    struct cnv_error failure = { .status = CNV_OK };
    struct cnv_pool *pool = pool_make(&failure);

    if (pool == NULL) {
        return cnv_fail(err, failure.status, "%s", failure.text);
    }
    *ret_pool = pool;
    return CNV_OK;
}

enum cnv_status cnv_pool_new(uv_loop_t *loop,
                             unsigned threads,
                             size_t inline_cost,
                             struct cnv_pool **ret_pool,
                             struct cnv_error *err)
{
    struct cnv_error failure = { .status = CNV_OK };
    struct cnv_pool *pool = pool_make(&failure);

    assert(threads >= 1 && threads <= CNV_POOL_THREADS_MAX);
    if (pool == NULL) {
        return cnv_fail(err, failure.status, "%s", failure.text);
    }
    int failed = uv_async_init(loop, &pool->wake, pool_woken);
    if (failed != 0) {
        pool_free(pool);
        return cnv_fail(err, CNV_E_SYSTEM, "worker pool: %s", uv_strerror(failed));
    }
    pool->wake.data = pool;
    pool->loop = loop;
    pool->inline_cost = inline_cost;
    for (unsigned i = 0; i < threads; i++) {
        failed = uv_thread_create(&pool->thread[i], pool_worker, pool);
        if (failed != 0) {
            cnv_pool_close(pool, NULL, NULL);
            return cnv_fail(err, CNV_E_SYSTEM, "worker thread %u: %s", i + 1, uv_strerror(failed));
        }
        pool->threads++;
    }
    *ret_pool = pool;
    return CNV_OK;
}

void cnv_pool_on_done(struct cnv_pool *pool,
                      void (*done)(void *self, struct cnv_job *job),
                      void *self)
{
    pool->done = done;
    pool->self = self;
}

void cnv_pool_submit(struct cnv_pool *pool, struct cnv_job *job)
{
    pool->outstanding++;
    if (pool->loop == NULL || job->cost < pool->inline_cost) {
        job->run(job);
        pool_finish(pool, job);
        return;
    }
    uv_mutex_lock(&pool->mutex);
    assert(!pool->stop);
    job_list_put(&pool->queue, job);
    uv_cond_signal(&pool->work);
    uv_mutex_unlock(&pool->mutex);
}

size_t cnv_pool_deliver(struct cnv_pool *pool, size_t max)
{
    size_t n = 0;

    while (n < max) {
        uv_mutex_lock(&pool->mutex);
        struct cnv_job *job = job_list_take(&pool->finished);
        uv_mutex_unlock(&pool->mutex);
        if (job == NULL) {
            break;
        }
        pool->outstanding--;
        n++;
        if (job->done != NULL) {
            job->done(job);
        } else {
            pool->done(pool->self, job);
        }
    }
    return n;
}

size_t cnv_pool_outstanding(const struct cnv_pool *pool)
{
    return pool->outstanding;
}

void cnv_pool_close(struct cnv_pool *pool, void (*closed)(void *hint), void *hint)
{
    if (pool == NULL) {
        return;
    }
    pool_join(pool);
    (void) cnv_pool_deliver(pool, SIZE_MAX);
    assert(pool->outstanding == 0);
    if (pool->loop == NULL) {
        pool_free(pool);
        if (closed != NULL) {
            closed(hint);
        }
        return;
    }
    pool->closed = closed;
    pool->hint = hint;
    uv_close((uv_handle_t *) &pool->wake, pool_wake_closed);
}
