/* Newton directions on Hessians given as they are: indefinite, singular, and almost no gradient. */
#include <criterion/criterion.h>

#include <math.h>

#include "config/config.h"
#include "num/num.h"
#include "num/vector.h"
#include "solver/direction.h"

enum { N = 3 };

/* A problem that is nothing but its Hessian. */
static enum cnv_status
curvature_at(void *state, const double *w, const struct cnv_batch *batch, struct cnv_error *err)
{
    (void) state;
    (void) w;
    (void) batch;
    (void) err;
    return CNV_OK;
}

static void hessian(void *state, double *out)
{
    cnv_vector_copy((size_t) N * N, state, out);
}

static void hessian_times(void *state, const double *v, double *out)
{
    const double *h = state;

    for (size_t i = 0; i < N; i++) {
        out[i] = cnv_vector_dot(N, h + i * N, v);
    }
}

static const struct cnv_problem_ops ops = { .name = "hessian",
                                            .curvature_at = curvature_at,
                                            .hessian = hessian,
                                            .hessian_times = hessian_times };

/* p for H = diag(h) and g; returns the damping. */
static double direction_for(const double *h, const double *g, const char *cg_above, double *p)
{
    double matrix[N * N] = { h[0], 0.0, 0.0, 0.0, h[1], 0.0, 0.0, 0.0, h[2] };
    struct cnv_problem problem = { &ops, matrix, N, 1 };
    struct cnv_config *config = cnv_config_new();
    struct cnv_direction direction;

    cnv_num_init();
    cr_assert_eq(cnv_config_set(config, "solver/cg-above", cg_above, "test", NULL), CNV_OK);
    cr_assert_eq(cnv_direction_init(&direction, config, &problem, NULL), CNV_OK);
    cr_assert_eq(direction.is_dense, cg_above[0] != '0');
    cr_assert_eq(cnv_direction_at(&direction, p, NULL), CNV_OK);
    cr_assert_eq(cnv_direction_solve(&direction, g, p, NULL), CNV_OK);
    double damping = direction.damping;
    cnv_direction_fini(&direction);
    cnv_config_destroy(config);
    return damping;
}

static const char *const both[] = { "3", "0" };

Test(direction, is_newtons_where_the_hessian_is_definite, .timeout = 20)
{
    const double h[N] = { 2.0, 4.0, 0.5 };
    const double g[N] = { 2.0, -4.0, 1.0 };

    for (int i = 0; i < 2; i++) {
        double p[N] = { 0.0 };

        cr_assert_eq(direction_for(h, g, both[i], p), 0.0);
        cr_assert_float_eq(p[0], 1.0, 1e-12);
        cr_assert_float_eq(p[1], -1.0, 1e-12);
        cr_assert_float_eq(p[2], 2.0, 1e-12);
    }
}

Test(direction, leads_down_where_the_hessian_is_not_definite, .timeout = 20)
{
    const double hessians[][N] = { { 1.0, -1.0, 1.0 }, { 0.0, 0.0, 1.0 }, { -1.0, -2.0, -3.0 } };
    const double g[N] = { 1.0, 2.0, 3.0 };

    for (size_t h = 0; h < 3; h++) {
        for (int i = 0; i < 2; i++) {
            double p[N] = { 0.0 };
            double damping = direction_for(hessians[h], g, both[i], p);

            cr_assert_eq(damping > 0.0, i == 0);
            cr_assert_gt(cnv_vector_dot(N, p, g), 0.0);
            cr_assert(isfinite(cnv_vector_norm(N, p)));
        }
    }
}

/* g'g and p'g underflow to 0, or nearly: that is an optimum, not a failed factorisation. */
Test(direction, of_almost_no_gradient_is_no_failure, .timeout = 20)
{
    const double h[N] = { 1e3, 1e3, 1e3 };
    const double sizes[] = { 0.0, 1e-300, 1e-162, 3e-161 };

    for (size_t s = 0; s < 4; s++) {
        for (int i = 0; i < 2; i++) {
            const double g[N] = { sizes[s], 0.0, 0.0 };
            double p[N] = { 0.0 };

            (void) direction_for(h, g, both[i], p);
            cr_assert_leq(p[0], sizes[s]);
            cr_assert_eq(p[1], 0.0);
        }
    }
}
