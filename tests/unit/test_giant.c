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

/* One iteration with the constants of the authors' code: steps 4^-i, c = 0.01. */
static void reference_step(struct reference *reference)
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
        eliminate(gram, pk);
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

/* Error ratio per step <= 0.35 on least squares with s/d = 10. */
Test(giant, agrees_with_a_serial_reference_on_least_squares, .timeout = 20)
{
    for (int uneven = 0; uneven < 2; uneven++) {
        struct reference reference = { .w = { 0.0 } };
        struct cluster *cluster = cluster_of(uneven == 1, NULL, &reference);
        struct reference optimum = reference;
        double errors[9];

        for (int i = 0; i < 60; i++) {
            reference_step(&optimum);
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
            reference_step(&reference);
            for (size_t i = 0; i < D; i++) {
                cr_assert_float_eq(cluster->model[i], reference.w[i], 1e-9);
            }
        }
        for (size_t k = 0; k < AGENTS; k++) {
            synthetic_destroy(reference.parts[k]);
        }
        cluster_destroy(cluster);
    }
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
    for (size_t k = 0; k < AGENTS; k++) {
        synthetic_destroy(reference.parts[k]);
    }
    cluster_destroy(cluster);
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
    for (size_t k = 0; k < AGENTS; k++) {
        synthetic_destroy(reference.parts[k]);
    }
    cluster_destroy(cluster);
    return -part.factor;
}

Test(giant, takes_the_longest_step_with_a_fifth_of_the_predicted_decrease, .timeout = 20)
{
    const double unit[10] = { 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 };
    const double half[10] = { 0.801, 0.899, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 };
    const double eighth[10] = { NAN, INFINITY, 0.951, 0.974, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0 };
    const double none[10] = { 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0 };

    cr_assert_eq(eta_for(unit, 10), 1.0);
    cr_assert_eq(eta_for(half, 10), 0.5);
    cr_assert_eq(eta_for(eighth, 10), 0.125);
    cr_assert_eq(eta_for(none, 10), 0x1p-18);
}
