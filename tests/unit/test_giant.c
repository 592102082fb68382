/* GIANT against a serial reference written from Wang et al. 2018. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cluster.h"
#include "num/vector.h"
#include "synthetic.h"

enum { D = 20, AGENTS = 4, ROWS = 4 * 10 * D };

/* Dense rows and targets of all agents, with plain loops only. */
struct reference {
    struct cnv_shard *parts[AGENTS];
    double w[D];
};

/* Elimination with partial pivoting: a[D x D] x = b, both overwritten. */
static void eliminate(double a[D][D], double *b)
{
    for (size_t c = 0; c < D; c++) {
        size_t best = c;

        for (size_t r = c + 1; r < D; r++) {
            best = fabs(a[r][c]) > fabs(a[best][c]) ? r : best;
        }
        for (size_t j = 0; j < D; j++) {
            double kept = a[c][j];

            a[c][j] = a[best][j];
            a[best][j] = kept;
        }
        double kept = b[c];
        b[c] = b[best];
        b[best] = kept;
        for (size_t r = 0; r < D; r++) {
            double factor = r == c ? 0.0 : a[r][c] / a[c][c];

            for (size_t j = c; j < D; j++) {
                a[r][j] -= factor * a[c][j];
            }
            b[r] -= factor * b[c];
        }
    }
    for (size_t c = 0; c < D; c++) {
        b[c] /= a[c][c];
    }
}

/* X'X and X'(X w - y) of one shard, as sums. */
static void sums(const struct cnv_shard *part, const double *w, double gram[D][D], double *gradient)
{
    for (size_t i = 0; i < part->rows; i++) {
        const double *row = part->values + i * D;
        double residual = cnv_vector_dot(D, row, w) - part->labels[i];

        for (size_t a = 0; a < D; a++) {
            gradient[a] += residual * row[a];
            for (size_t b = 0; b < D; b++) {
                gram[a][b] += row[a] * row[b];
            }
        }
    }
}

static double reference_loss(const struct reference *reference, const double *w)
{
    double sum = 0.0;

    for (size_t k = 0; k < AGENTS; k++) {
        const struct cnv_shard *part = reference->parts[k];

        for (size_t i = 0; i < part->rows; i++) {
            double residual = cnv_vector_dot(D, part->values + i * D, w) - part->labels[i];

            sum += 0.5 * residual * residual / ROWS;
        }
    }
    return sum;
}

/* q steps of conjugate gradients from 0 on a x = b, as the authors write them; x replaces b. */
static void conjugate(double a[D][D], double *b, int q)
{
    double x[D] = { 0.0 };
    double r[D];
    double p[D];
    double ap[D];

    cnv_vector_copy(D, b, r);
    cnv_vector_copy(D, b, p);
    for (int k = 0; k < q; k++) {
        double rr = cnv_vector_dot(D, r, r);

        for (size_t i = 0; i < D; i++) {
            ap[i] = cnv_vector_dot(D, a[i], p);
        }
        double alpha = rr / cnv_vector_dot(D, p, ap);
        cnv_vector_add(D, alpha, p, x);
        cnv_vector_add(D, -alpha, ap, r);
        cnv_vector_move(D, r, cnv_vector_dot(D, r, r) / rr, p, p);
    }
    cnv_vector_copy(D, x, b);
}

/* One iteration with the constants of the authors' code: steps 4^-i, c = 0.01. The local systems
 * are solved by q steps of conjugate gradients; 0: to the end. */
static void reference_step(struct reference *reference, int q)
{
    double g[D] = { 0.0 };
    double p[D] = { 0.0 };
    double trial[D];
    double eta = 1.0;

    for (size_t k = 0; k < AGENTS; k++) {
        double gram[D][D] = { { 0.0 } };

        sums(reference->parts[k], reference->w, gram, g);
    }
    cnv_vector_scale(D, 1.0 / ROWS, g);
    for (size_t k = 0; k < AGENTS; k++) {
        double s = (double) reference->parts[k]->rows;
        double gram[D][D] = { { 0.0 } };
        double ignored[D] = { 0.0 };
        double pk[D];

        sums(reference->parts[k], reference->w, gram, ignored);
        cnv_vector_copy(D, g, pk);
        if (q == 0) {
            eliminate(gram, pk);
        } else {
            conjugate(gram, pk, q);
        }
        cnv_vector_add(D, s * s / ROWS, pk, p); /* s_k p_k / n with H_k = gram / s_k */
    }
    double before = reference_loss(reference, reference->w);
    double slope = cnv_vector_dot(D, p, g);
    for (int i = 0; i < 10; i++) {
        cnv_vector_move(D, reference->w, -eta, p, trial);
        if (reference_loss(reference, trial) <= before - 0.01 * eta * slope) {
            break;
        }
        eta *= i < 9 ? 0.25 : 1.0;
    }
    cnv_vector_add(D, -eta, p, reference->w);
}

static struct cluster *cluster_of(bool uneven, const char *const *set, struct reference *reference)
{
    struct synthetic how = {
        .rows = ROWS, .features = D, .density = 1.0, .classes = 0, .noise = 1.0, .seed = 21
    };
    static const size_t even_ends[] = { 0, 200, 400, 600, 800 };
    static const size_t uneven_ends[] = { 0, 150, 330, 540, 800 };
    const size_t *ends = uneven ? uneven_ends : even_ends;
    struct cnv_shard *whole = synthetic_shard(&how);
    struct cnv_shard *parts[AGENTS];

    for (size_t k = 0; k < AGENTS; k++) {
        parts[k] = synthetic_part(whole, ends[k], ends[k + 1]);
        reference->parts[k] = synthetic_dense(parts[k]);
    }
    synthetic_destroy(whole);
    return cluster_new("ridge", set, parts, AGENTS);
}

static void drop(struct cluster *cluster, struct reference *reference)
{
    for (size_t k = 0; k < AGENTS; k++) {
        synthetic_destroy(reference->parts[k]);
    }
    cluster_destroy(cluster);
}

/* Error ratio per step <= 0.35 on least squares with s/d = 10. */
Test(giant, agrees_with_a_serial_reference_on_least_squares, .timeout = 20)
{
    for (int uneven = 0; uneven < 2; uneven++) {
        struct reference reference = { .w = { 0.0 } };
        struct cluster *cluster = cluster_of(uneven == 1, NULL, &reference);
        struct reference optimum = reference;
        double errors[9];

        for (int i = 0; i < 60; i++) {
            reference_step(&optimum, 0);
        }
        for (int r = 0; r < 9; r++) {
            double error[D];

            cnv_vector_move(D, cluster->model, -1.0, optimum.w, error);
            errors[r] = cnv_vector_norm(D, error);
            cr_assert(r == 0 || errors[r] <= 0.35 * errors[r - 1],
                      "step %d: %g to %g",
                      r,
                      errors[r - 1],
                      errors[r]);
            double sent = cluster_round(cluster, "giant", 1);
            cr_assert_float_eq(sent, reference_loss(&reference, reference.w), 1e-9);
            reference_step(&reference, 0);
            for (size_t i = 0; i < D; i++) {
                cr_assert_float_eq(cluster->model[i], reference.w[i], 1e-9);
            }
        }
        drop(cluster, &reference);
    }
}

/* q in which the Hessian is formed (d <= 4 q s / (s + q)), and in which products are taken. */
Test(giant, stops_its_local_solves_after_q_steps_of_conjugate_gradients, .timeout = 20)
{
    static const char *const settings[][5] = {
        { "solver/direction=cg", "solver/cg-iterations=4", "solver/cg-tolerance=1e-20", NULL },
        { "solver/direction=cg",
          "solver/cg-iterations=8",
          "solver/cg-tolerance=1e-20",
          "solver/cg-tighten=0.5",
          NULL },
    };
    static const int steps[] = { 4, 8 };

    for (int v = 0; v < 2; v++) {
        struct reference reference = { .w = { 0.0 } };
        struct cluster *cluster = cluster_of(true, settings[v], &reference);

        for (int r = 0; r < 6; r++) {
            (void) cluster_round(cluster, "giant", 1);
            reference_step(&reference, steps[v]);
            for (size_t i = 0; i < D; i++) {
                cr_assert_float_eq(cluster->model[i], reference.w[i], 1e-9, "q = %d", steps[v]);
            }
        }
        drop(cluster, &reference);
    }
}

/* policy/local-start=1 on least squares: the mean of s_k w_k, w_k the optimum of shard k. */
Test(giant, starts_from_the_weighted_average_of_local_solves, .timeout = 20)
{
    struct reference reference = { .w = { 0.0 } };
    struct cluster *cluster = cluster_of(true, NULL, &reference);

    (void) cluster_round(cluster, "newton", 1);
    for (size_t k = 0; k < AGENTS; k++) {
        double gram[D][D] = { { 0.0 } };
        double zero[D] = { 0.0 };
        double wk[D] = { 0.0 };

        sums(reference.parts[k], zero, gram, wk);
        eliminate(gram, wk);
        cnv_vector_add(D, -(double) reference.parts[k]->rows / ROWS, wk, reference.w);
    }
    for (int r = 0; r < 4; r++) {
        for (size_t i = 0; i < D; i++) {
            cr_assert_float_eq(cluster->model[i], reference.w[i], 1e-11, "round %d", r + 1);
        }
        (void) cluster_round(cluster, "giant", 1);
        reference_step(&reference, 0);
    }
    drop(cluster, &reference);
}

/* Feature 0 occurs on the last agent only: the others answer with g_0 / l2, far too much. */
Test(giant, line_search_copes_with_a_feature_that_most_shards_lack, .timeout = 20)
{
    static const char *const set[] = { "problem/l2=0.05", NULL };
    struct reference reference;
    struct cluster *cluster = cluster_of(false, set, &reference);
    double before = INFINITY;
    double g[D];

    for (size_t k = 0; k + 1 < AGENTS; k++) {
        for (size_t i = 0; i < cluster->shards[k]->rows; i++) {
            cluster->shards[k]->values[i * D] = 0.0;
        }
    }
    for (int r = 0; r < 40; r++) {
        double loss = cluster_round(cluster, "giant", 1);

        cr_assert_leq(loss, before * (1.0 + 1e-15), "round %d: %.17g to %.17g", r, before, loss);
        before = loss;
    }
    cluster_gradient(cluster, cluster->model, g);
    cr_assert_lt(cnv_vector_norm(D, g), 1e-8);
    drop(cluster, &reference);
}

/* Losses at the candidates as the server would settle them, for F = 1 and p'g = 1. */
static double eta_for(const double *losses, size_t count)
{
    struct reference reference;
    struct cluster *cluster = cluster_of(false, NULL, &reference);
    const struct cnv_solver_ops *ops = cnv_solver_find("giant");
    struct cnv_solver_setup setup = { .config = cluster->config, .problem = cluster->problems[0] };
    struct cnv_solver_round round = { .model = cluster->model, .local_steps = 1 };
    struct cnv_solver_contribution part;
    void *state = cnv_array_new(1, ops->state_size);
    double g[D] = { 0.5 };
    double p[D] = { 2.0 };
    double one = 1.0;

    cr_assert_eq(ops->init(state, &setup, NULL), CNV_OK);
    ops->begin(state, &round);
    ops->settled(state, "gradient", 0, &(struct cnv_solver_result){ g, D, &one, 1 });
    ops->settled(state, "direction", 1, &(struct cnv_solver_result){ p, D, NULL, 0 });
    cr_assert_eq(ops->contribute(state, "loss", 2, &part, NULL), CNV_OK);
    cr_assert_eq(part.scalar_count, count);
    ops->settled(state, "loss", 2, &(struct cnv_solver_result){ NULL, 0, losses, count });
    cr_assert_eq(ops->contribute(state, "model", 3, &part, NULL), CNV_OK);
    cr_assert(part.is_scaled);
    cr_assert_eq(part.reference, 1);
    ops->fini(state);
    cnv_free(state);
    drop(cluster, &reference);
    return -part.factor;
}

Test(giant, takes_the_longest_step_with_a_fifth_of_the_predicted_decrease, .timeout = 20)
{
    const double unit[10] = { 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 };
    const double half[10] = { 0.801, 0.899, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 };
    const double eighth[10] = { NAN, INFINITY, 0.951, 0.974, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 };
    const double none[10] = { 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0 };
    const double uphill[10] = { 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.5, 1.1 };
    const double lost[10] = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };

    cr_assert_eq(eta_for(unit, 10), 1.0);
    cr_assert_eq(eta_for(half, 10), 0.5);
    cr_assert_eq(eta_for(eighth, 10), 0.125);
    cr_assert_eq(eta_for(none, 10), 0x1p-18);
    cr_assert_eq(eta_for(uphill, 10), 0.0);
    cr_assert_eq(eta_for(lost, 10), 0.0);
}
