/*
 * problem.h - how a problem is written: what is minimised, on one shard of the data.
 *
 * Every local objective is f_k(w) = (1/s_k) * sum of the losses of its rows + (l2/2) |w|^2 with
 * the *global* l2, so that the mean of the f_k weighted by s_k is the global objective. The
 * coordinates of the intercept, if there is one, are not regularised.
 *
 * To add one: copy ridge.c, add it to registry.c and to problem/kind in lib/config/keys.c.
 * Reductions over rows run in fixed blocks of CNV_ROW_BLOCK rows, added in block order, so that
 * the same shard gives the same bits on any number of threads.
 */
#ifndef CNV_AGENT_PROBLEM_PROBLEM_H
#define CNV_AGENT_PROBLEM_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/param.h"
#include "base/plugin.h"
#include "base/status.h"
#include "data/shard.h"

enum { CNV_ROW_BLOCK = 2048 };

/* What all members agreed on. Borrowed for the life of the problem. */
struct cnv_problem_setup {
    const struct cnv_config *config;
    const struct cnv_shard *shard; /* rows, labels as in the file */
    size_t features;               /* of the whole run, >= the shard's own */
    const double *labels; /* [classes] the run's label map, ascending; NULL: real targets */
    size_t classes;
    uint64_t total_rows; /* of the whole run: what "1/n" means */
    uint32_t stream;     /* what tells this agent from all others: for what is made from the seed */
};

/* Rows to sum over: all of the shard when rows is NULL, else the count listed ones. */
struct cnv_batch {
    const size_t *rows;
    size_t count;
    uint64_t draw; /* names a local step, from 1: for gradients with noise of their own; 0: none */
};

/* Of what L is asked for. */
enum cnv_smoothness {
    CNV_SMOOTHNESS_NONE,
    CNV_SMOOTHNESS_SHARD, /* of f_k */
    CNV_SMOOTHNESS_ROWS,  /* of the objective of every single row, regulariser included */
};

struct cnv_problem_ops {
    const char *name;
    const char *text;
    const char *paper;      /* NULL: none of its own */
    const char *keys;       /* settings that init reads, a space between two; NULL: none */
    bool is_classification; /* labels are a finite set; a run needs their union */
    bool is_synthetic;      /* made from run/seed: agents read no data, and weigh one row each */
    size_t state_size;
    enum cnv_status (*init)(void *state,
                            const struct cnv_problem_setup *setup,
                            struct cnv_error *err);
    void (*fini)(void *state);
    /* Number of coordinates of the model. */
    size_t (*dimension)(const void *state);
    /* f_k at w[dimension], over the batch, regulariser included. */
    double (*loss)(void *state, const double *w, const struct cnv_batch *batch);
    /* The same, and its gradient into gradient[dimension]. */
    double (*gradient)(void *state,
                       const double *w,
                       const struct cnv_batch *batch,
                       double *gradient);
    /* Fixes the point and the rows for hessian and hessian_times: caches what they need of w; the
     * list of the batch stays borrowed until the next call. The cache is made on first use, so that
     * solvers without curvature do not pay for it: CNV_E_NOMEM. This and hessian_times are both
     * there, or neither: solvers that need them say so. */
    enum cnv_status (*curvature_at)(void *state,
                                    const double *w,
                                    const struct cnv_batch *batch,
                                    struct cnv_error *err);
    /* Dense Hessian of f_k, row-major [dimension x dimension], both triangles; only where the batch
     * was the whole shard. NULL where it does not exist in closed form. */
    void (*hessian)(void *state, double *hessian);
    /* out = Hessian * v over the batch, without forming it. */
    void (*hessian_times)(void *state, const double *v, double *out);
    /* How many rows of data the model predicts right (classification), or the sum of squared
     * errors (regression); rows that only this data set has features for count as usual. */
    double (*score)(const void *state, const double *w, const struct cnv_shard *data);
    /* L of this shard: no eigenvalue of any Hessian is larger. NULL: not known, so that step sizes
     * that follow from it need solver/smoothness. CNV_E_NOMEM, CNV_E_NUMERIC. */
    enum cnv_status (*smoothness)(void *state,
                                  enum cnv_smoothness of,
                                  double *ret_smoothness,
                                  struct cnv_error *err);
};

const struct cnv_problem_ops *cnv_problem_find(const char *name);
const struct cnv_problem_ops *cnv_problem_at(size_t i);

/* --- From a shared object; see base/plugin.h and examples/plugins ------------------------- */

#define CNV_PROBLEM_STRUCTS(X)                                                                     \
    X(cnv_problem_ops) X(cnv_problem_setup) X(cnv_batch) X(cnv_shard) X(cnv_param)

/* The last line of a plug-in. paper, keys, fini, curvature_at with hessian_times, hessian and
 * smoothness may be NULL. */
#define CNV_PROBLEM_PLUGIN(ops, options)                                                           \
    CNV_PLUGIN_TABLE(CNV_PLUGIN_PROBLEM, CNV_PROBLEM_STRUCTS, ops, options)

/* From now on cnv_problem_find knows it as plugin:NAME. plugin is borrowed for ever. CNV_E_INPUT:
 * see cnv_plugin_check; or there is one of that name already. Not while others read. */
CNV_MUST_CHECK enum cnv_status
cnv_problem_adopt(const struct cnv_plugin *plugin, const char *file, struct cnv_error *err);

/* The i-th problem that came from a plug-in, or NULL past the last. */
const struct cnv_problem_ops *cnv_problem_adopted(size_t i);

/* --- A problem in use ---------------------------------------------------------------------- */

/* A problem together with its state: what solvers are given. */
struct cnv_problem {
    const struct cnv_problem_ops *ops;
    void *state;
    size_t dimension;
    size_t rows; /* of the shard */
};

enum cnv_status cnv_problem_new(const char *name,
                                const struct cnv_problem_setup *setup,
                                struct cnv_problem **ret_problem,
                                struct cnv_error *err);
/* NULL is fine. */
void cnv_problem_destroy(struct cnv_problem *problem);

#endif
