/* BFGS against the textbook's product form, and what happens when one has lost the matrix. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "cluster.h"
#include "config/config.h"
#include "num/vector.h"
#include "synthetic.h"

enum { N = 5, ROWS = 90, AGENTS = 3 };

static struct cluster *cluster_of(const char *problem, size_t classes)
{
    static const char *const set[] = { "problem/l2=0.05", "solver/search-from=4", NULL };
    struct synthetic how = {
        .rows = ROWS, .features = N, .density = 0.8, .classes = classes, .noise = 0.5, .seed = 3
    };
    struct cnv_shard *whole = synthetic_shard(&how);
    struct cnv_shard *parts[AGENTS];

    for (size_t k = 0; k < AGENTS; k++) {
        parts[k] = synthetic_part(whole, k * ROWS / AGENTS, (k + 1) * ROWS / AGENTS);
    }
    synthetic_destroy(whole);
    return cluster_new(problem, set, parts, AGENTS);
}

/* B := (I - rho s y') B (I - rho y s') + rho s s'. */
static void textbook_update(double b[N][N], const double *s, const double *y)
{
    double rho = 1.0 / cnv_vector_dot(N, y, s);
    double left[N][N] = { { 0 } };
    double next[N][N] = { { 0 } };

    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            for (int k = 0; k < N; k++) {
                left[i][j] += ((i == k) - rho * s[i] * y[k]) * b[k][j];
            }
        }
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            for (int k = 0; k < N; k++) {
                next[i][j] += left[i][k] * ((k == j) - rho * y[k] * s[j]);
            }
            next[i][j] += rho * s[i] * s[j];
        }
    }
    memcpy(b, next, sizeof(next));
}

static void identity(double b[N][N], double factor)
{
    memset(b, 0, sizeof(double[N][N]));
    for (int i = 0; i < N; i++) {
        b[i][i] = factor;
    }
}

/* w := w - eta B g with the first eta of 4, 2, 1, ... that Armijo's rule takes. */
static void textbook_step(struct cluster *cluster, double b[N][N], const double *g, double *w)
{
    double p[N];
    double trial[N];
    double eta = 8.0;
    double loss = cluster_loss(cluster, w);

    for (int i = 0; i < N; i++) {
        p[i] = cnv_vector_dot(N, b[i], g);
    }
    double slope = cnv_vector_dot(N, p, g);
    do {
        eta *= 0.5;
        cnv_vector_move(N, w, -eta, p, trial);
    } while (cluster_loss(cluster, trial) > loss - 0.1 * eta * slope);
    memcpy(w, trial, sizeof(trial));
}

Test(bfgs, is_the_textbook_method_on_the_global_objective, .timeout = 20)
{
    struct cluster *cluster = cluster_of("logistic", 2);
    double b[N][N];
    double w[N] = { 0 };
    double old_w[N];
    double g[N];
    double old_g[N];

    identity(b, 1.0);
    for (int r = 0; r < 8; r++) {
        (void) cluster_round(cluster, "bfgs", 1);
        cluster_gradient(cluster, w, g);
        if (r > 0) {
            double s[N];
            double y[N];

            cnv_vector_move(N, w, -1.0, old_w, s);
            cnv_vector_move(N, g, -1.0, old_g, y);
            if (r == 1) {
                identity(b, cnv_vector_dot(N, y, s) / cnv_vector_dot(N, y, y));
            }
            textbook_update(b, s, y);
        }
        memcpy(old_w, w, sizeof(w));
        memcpy(old_g, g, sizeof(g));
        textbook_step(cluster, b, g, w);
        for (int i = 0; i < N; i++) {
            cr_assert_float_eq(cluster->model[i], w[i], 1e-9, "round %d", r + 1);
        }
    }
    cluster_destroy(cluster);
}

Test(bfgs, finds_the_optimum_of_least_squares, .timeout = 20)
{
    struct cluster *cluster = cluster_of("ridge", 0);
    double g[N];

    for (int r = 0; r < 25; r++) {
        (void) cluster_round(cluster, "bfgs", 1);
    }
    cluster_gradient(cluster, cluster->model, g);
    cr_assert_lt(cnv_vector_norm(N, g), 1e-9);
    cluster_destroy(cluster);
}

/* As a new process in one seat: nobody's matrix is used, and the round is a gradient step. */
Test(bfgs, all_begin_again_when_one_has_lost_the_matrix, .timeout = 20)
{
    struct cluster *cluster = cluster_of("logistic", 2);
    double g[N];
    double before[N];
    double moved[N];

    for (int r = 0; r < 4; r++) {
        (void) cluster_round(cluster, "bfgs", 1);
    }
    struct cnv_solver_setup setup = {
        .config = cluster->config, .problem = cluster->problems[1], .seed = 1, .shard = 2
    };
    cluster->solver->fini(cluster->solvers[1]);
    cr_assert_eq(cluster->solver->init(cluster->solvers[1], &setup, NULL), CNV_OK);
    memcpy(before, cluster->model, sizeof(before));
    cluster_gradient(cluster, before, g);
    (void) cluster_round(cluster, "bfgs", 1);
    cnv_vector_move(N, cluster->model, -1.0, before, moved);
    double cosine =
        -cnv_vector_dot(N, moved, g) / (cnv_vector_norm(N, moved) * cnv_vector_norm(N, g));
    cr_assert_float_eq(cosine, 1.0, 1e-12);
    (void) cluster_round(cluster, "bfgs", 1);
    cluster_destroy(cluster);
}
