#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "run/pool.h"

enum { SLICES = 37, SLICE = 1000, MEMBERS = 5 };

/* Sums members' values over one slice, in rank order: the shape of the server's merge. */
struct merge_job {
    struct cnv_job job;
    const double *inputs; /* [MEMBERS][SLICES * SLICE] */
    double *out;          /* [SLICE] */
    size_t first;
    size_t *done_count;
};

static void merge_run(struct cnv_job *job)
{
    struct merge_job *merge = (struct merge_job *) job;

    for (size_t i = 0; i < SLICE; i++) {
        double sum = 0;
        for (size_t m = 0; m < MEMBERS; m++) {
            sum += merge->inputs[m * SLICES * SLICE + merge->first + i] / 3;
        }
        merge->out[i] = sum;
    }
}

static void merge_done(struct cnv_job *job)
{
    ++*((struct merge_job *) job)->done_count;
}

static void merge_all(unsigned threads, size_t inline_cost, const double *inputs, double *out)
{
    struct merge_job jobs[SLICES];
    struct cnv_pool *pool = NULL;
    size_t done_count = 0;
    uv_loop_t loop;

    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(cnv_pool_new(&loop, threads, inline_cost, &pool, NULL), CNV_OK);
    for (size_t s = 0; s < SLICES; s++) {
        jobs[s] = (struct merge_job){
            .job = { .run = merge_run, .done = merge_done, .cost = SLICE * (s % 3) },
            .inputs = inputs,
            .out = out + s * SLICE,
            .first = s * SLICE,
            .done_count = &done_count,
        };
        cnv_pool_submit(pool, &jobs[s].job);
    }
    cr_assert_eq(done_count, 0, "submit must not call done");
    while (cnv_pool_outstanding(pool) > 0) {
        (void) uv_run(&loop, UV_RUN_ONCE);
    }
    cr_assert_eq(done_count, SLICES);
    cnv_pool_close(pool, NULL, NULL);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

Test(pool, gives_the_same_bits_on_any_number_of_threads, .timeout = 20)
{
    const size_t n = (size_t) SLICES * SLICE;
    double *inputs = cnv_array_new(MEMBERS * n, sizeof(*inputs));
    double *expected = cnv_array_new(n, sizeof(*expected));
    double *out = cnv_array_new(n, sizeof(*out));
    static const struct {
        unsigned threads;
        size_t inline_cost;
    } setups[] = { { 1, 0 }, { 2, 0 }, { 8, 0 }, { 2, 1500 }, { 1, SIZE_MAX } };

    for (size_t i = 0; i < MEMBERS * n; i++) {
        inputs[i] = 1.0 / (double) (i % 1009 + 1) - 0.3 * (double) (i % 7);
    }
    merge_all(1, SIZE_MAX, inputs, expected);
    for (size_t s = 0; s < sizeof(setups) / sizeof(setups[0]); s++) {
        memset(out, 0, n * sizeof(*out));
        merge_all(setups[s].threads, setups[s].inline_cost, inputs, out);
        cr_assert_eq(memcmp(out, expected, n * sizeof(*out)), 0, "setup %zu", s);
    }
    cnv_free(out);
    cnv_free(expected);
    cnv_free(inputs);
}

struct count_job {
    struct cnv_job job;
    struct cnv_pool *pool;
    int runs;
    int dones;
    int again; /* how often done submits it once more */
};

static void count_run(struct cnv_job *job)
{
    ((struct count_job *) job)->runs++;
}

static void count_done(struct cnv_job *job)
{
    struct count_job *count = (struct count_job *) job;

    count->dones++;
    if (count->again > 0) {
        count->again--;
        cnv_pool_submit(count->pool, job);
    }
}

Test(pool, inline_runs_at_once_and_is_done_when_asked, .timeout = 5)
{
    struct count_job count = { .job = { .run = count_run, .done = count_done, .cost = 1 << 20 } };

    cr_assert_eq(cnv_pool_new_inline(&count.pool, NULL), CNV_OK);
    cnv_pool_submit(count.pool, &count.job);
    cr_assert_eq(count.runs, 1);
    cr_assert_eq(count.dones, 0);
    cr_assert_eq(cnv_pool_outstanding(count.pool), 1);
    cr_assert_eq(cnv_pool_deliver(count.pool, 8), 1);
    cr_assert_eq(count.dones, 1);
    cr_assert_eq(cnv_pool_outstanding(count.pool), 0);
    cnv_pool_close(count.pool, NULL, NULL);
}

Test(pool, done_may_submit_again, .timeout = 20)
{
    for (size_t cost = 0; cost < 2; cost++) {
        struct count_job count = {
            .job = { .run = count_run, .done = count_done, .cost = cost },
            .again = 100,
        };
        uv_loop_t loop;

        cr_assert_eq(uv_loop_init(&loop), 0);
        cr_assert_eq(cnv_pool_new(&loop, 2, 1, &count.pool, NULL), CNV_OK);
        cnv_pool_submit(count.pool, &count.job);
        while (cnv_pool_outstanding(count.pool) > 0) {
            (void) uv_run(&loop, UV_RUN_ONCE);
        }
        cr_assert_eq(count.runs, 101);
        cr_assert_eq(count.dones, 101);
        cnv_pool_close(count.pool, NULL, NULL);
        (void) uv_run(&loop, UV_RUN_DEFAULT);
        cr_assert_eq(uv_loop_close(&loop), 0);
    }
}

static void count_done_for(void *self, struct cnv_job *job)
{
    *(struct cnv_job **) self = job;
}

Test(pool, job_without_done_goes_to_the_pools, .timeout = 5)
{
    struct count_job count = { .job = { .run = count_run } };
    struct cnv_job *seen = NULL;

    cr_assert_eq(cnv_pool_new_inline(&count.pool, NULL), CNV_OK);
    cnv_pool_on_done(count.pool, count_done_for, &seen);
    cnv_pool_submit(count.pool, &count.job);
    cr_assert_eq(cnv_pool_deliver(count.pool, 1), 1);
    cr_assert_eq(seen, &count.job);
    cnv_pool_close(count.pool, NULL, NULL);
}

static void note_closed(void *hint)
{
    *(bool *) hint = true;
}

Test(pool, close_finishes_what_was_submitted, .timeout = 20)
{
    struct count_job counts[100];
    struct cnv_pool *pool = NULL;
    bool closed = false;
    uv_loop_t loop;

    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(cnv_pool_new(&loop, 3, 0, &pool, NULL), CNV_OK);
    for (size_t i = 0; i < 100; i++) {
        counts[i] = (struct count_job){ .job = { .run = count_run, .done = count_done } };
        cnv_pool_submit(pool, &counts[i].job);
    }
    cnv_pool_close(pool, note_closed, &closed);
    for (size_t i = 0; i < 100; i++) {
        cr_assert_eq(counts[i].dones, 1);
    }
    cr_assert_not(closed);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert(closed);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

Test(pool, failed_allocation_is_an_error, .timeout = 5)
{
    struct cnv_pool *pool = NULL;
    struct cnv_error err;

    cnv_mem_fail_after(1);
    cr_assert_eq(cnv_pool_new_inline(&pool, &err), CNV_E_NOMEM);
    cnv_mem_fail_after(0);
    cr_assert_null(pool);
    cnv_pool_close(NULL, NULL, NULL);
}
