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
    cr_assert_eq(direction.is_factored, cg_above[0] != '0');
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

/* What the code of GIANT's authors does: CG, at most q steps, tolerance halved where they run out.
 */
struct by_cg {
    double matrix[N * N];
    struct cnv_problem problem;
    struct cnv_config *config;
    struct cnv_direction direction;
};

static void by_cg_init(struct by_cg *by, const double *h, size_t rows, const char *const *set)
{
    static const char *const always[] = { "solver/direction=cg", "solver/cg-tighten=0.5", NULL };

    cnv_num_init();
    *by = (struct by_cg){ .matrix = { h[0], 0.0, 0.0, 0.0, h[1], 0.0, 0.0, 0.0, h[2] } };
    by->problem = (struct cnv_problem){ &ops, by->matrix, N, rows };
    by->config = cnv_config_new();
    for (size_t i = 0; always[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(by->config, always[i], "test", NULL), CNV_OK);
    }
    for (size_t i = 0; set[i] != NULL; i++) {
        cr_assert_eq(cnv_config_assign(by->config, set[i], "test", NULL), CNV_OK);
    }
    cr_assert_eq(cnv_direction_init(&by->direction, by->config, &by->problem, NULL), CNV_OK);
    cr_assert_not(by->direction.is_factored);
}

static void by_cg_solve(struct by_cg *by, const double *g, double *p)
{
    cr_assert_eq(cnv_direction_at(&by->direction, p, NULL), CNV_OK);
    cr_assert_eq(cnv_direction_solve(&by->direction, g, p, NULL), CNV_OK);
}

static void by_cg_drop(struct by_cg *by)
{
    cnv_direction_fini(&by->direction);
    cnv_config_destroy(by->config);
}

/* (s + q) d <= 4 q s for d = 3 and q = 1: from three rows on. Either way one step is
 * alpha = g'g / g'Hg = 21 / 72.5 along g. */
Test(direction, by_cg_forms_the_hessian_where_that_is_cheaper, .timeout = 20)
{
    const char *const set[] = { "solver/cg-iterations=1", NULL };
    const double h[N] = { 2.0, 4.0, 0.5 };
    const double g[N] = { 2.0, -4.0, 1.0 };

    for (size_t rows = 2; rows <= 3; rows++) {
        struct by_cg by;
        double p[N] = { 0.0 };

        by_cg_init(&by, h, rows, set);
        cr_assert_eq(by.direction.hessian != NULL, rows == 3);
        by_cg_solve(&by, g, p);
        for (size_t i = 0; i < N; i++) {
            cr_assert_float_eq(p[i], 21.0 / 72.5 * g[i], 1e-15);
        }
        by_cg_drop(&by);
    }
}

/* Three steps solve in three coordinates; the residual that recursion knows passes 1e-20. */
Test(direction, by_cg_is_exact_after_as_many_steps_as_coordinates, .timeout = 20)
{
    const char *const set[] = { "solver/cg-iterations=9", "solver/cg-tolerance=1e-20", NULL };
    const double h[N] = { 2.0, 4.0, 0.5 };
    const double g[N] = { 2.0, -4.0, 1.0 };
    struct by_cg by;
    double p[N] = { 0.0 };

    by_cg_init(&by, h, 100, set);
    by_cg_solve(&by, g, p);
    cr_assert_float_eq(p[0], 1.0, 1e-14);
    cr_assert_float_eq(p[1], -1.0, 1e-14);
    cr_assert_float_eq(p[2], 2.0, 1e-14);
    by_cg_drop(&by);
}

Test(direction, by_cg_halves_its_tolerance_whenever_its_steps_run_out, .timeout = 20)
{
    const char *const set[] = { "solver/cg-iterations=2", "solver/cg-tolerance=1e-20", NULL };
    const double h[N] = { 2.0, 4.0, 0.5 };
    const double g[N] = { 2.0, -4.0, 1.0 };
    const double easy[N] = { 1.0, 0.0, 0.0 }; /* an eigenvector: one step */
    struct by_cg by;
    double p[N] = { 0.0 };

    by_cg_init(&by, h, 100, set);
    cnv_direction_begin(&by.direction);
    by_cg_solve(&by, easy, p);
    cr_assert_eq(by.direction.tolerance, 1e-20);
    by_cg_solve(&by, g, p);
    cr_assert_eq(by.direction.tolerance, 0.5e-20);
    cnv_direction_concluded(&by.direction, false); /* did not count */
    cnv_direction_begin(&by.direction);
    cr_assert_eq(by.direction.tolerance, 1e-20);
    by_cg_solve(&by, g, p);
    cnv_direction_concluded(&by.direction, true);
    cnv_direction_begin(&by.direction);
    by_cg_solve(&by, g, p);
    cr_assert_eq(by.direction.tolerance, 0.25e-20);
    by_cg_drop(&by);
}
