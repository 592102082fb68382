/* smoothness.c - how steep the gradient of a mean over rows can get; see design.h. */
#include <math.h>

#include "base/mem.h"
#include "num/lanczos.h"
#include "num/vector.h"
#include "problem/design.h"

static const double tolerance = 5e-4; /* of the eigenvalue */

struct pass {
    struct cnv_design *design;
    const double *v;
};

static double times_block(void *ctx, const struct cnv_span *span, size_t slot, double *sum)
{
    const struct pass *pass = ctx;
    struct cnv_design *design = pass->design;
    double *z = cnv_design_scores(design, slot);

    cnv_rows_times(&design->x, span, design->outputs, pass->v, z);
    cnv_rows_add_transposed(&design->x, span, design->outputs, z, sum);
    return 0.0;
}

/* Of X'X, for each output by itself: with several every eigenvalue is there so many times. */
static enum cnv_status
largest_eigenvalue(struct cnv_design *design, double *ret_largest, struct cnv_error *err)
{
    size_t n = design->dimension;
    struct cnv_lanczos lanczos;
    double *scratch = n <= SIZE_MAX / CNV_LANCZOS_SCRATCH
                          ? cnv_array_new(CNV_LANCZOS_SCRATCH * n, sizeof(*scratch))
                          : NULL;

    if (scratch == NULL) {
        return cnv_fail(err, CNV_E_NOMEM, "smoothness in %zu coordinates", n);
    }
    cnv_lanczos_begin(&lanczos, n, scratch, tolerance);
    while (!cnv_lanczos_is_done(&lanczos)) {
        struct pass pass = { design, lanczos.v };

        (void) cnv_reduce(design->reducer, NULL, design->x.count, times_block, &pass, lanczos.av);
        cnv_lanczos_step(&lanczos);
    }
    *ret_largest = cnv_lanczos_bound(&lanczos);
    cnv_free(scratch);
    return CNV_OK;
}

enum cnv_status cnv_design_smoothness(struct cnv_design *design,
                                      enum cnv_smoothness of,
                                      double curvature,
                                      double *ret_smoothness,
                                      struct cnv_error *err)
{
    double largest = 0.0;

    if (of == CNV_SMOOTHNESS_ROWS) {
        largest = cnv_rows_largest(&design->x);
    } else {
        enum cnv_status status = largest_eigenvalue(design, &largest, err);

        if (status != CNV_OK) {
            return status;
        }
        largest /= (double) design->x.count;
    }
    *ret_smoothness = curvature * largest + design->l2;
    if (!isfinite(*ret_smoothness)) {
        return cnv_fail(
            err, CNV_E_NUMERIC, "the data is too large or not finite: no smoothness, data/scale");
    }
    return CNV_OK;
}
