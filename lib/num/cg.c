/* cg.c - the plain method, without preconditioner. */
#include "num/cg.h"

#include "num/vector.h"

void cnv_cg_begin(
    struct cnv_cg *cg, size_t n, const double *b, double *x, double *scratch, double tolerance)
{
    *cg = (struct cnv_cg){ .n = n, .x = x };
    cg->r = scratch;
    cg->p = scratch + n;
    cg->hp = scratch + 2 * n;
    cnv_vector_zero(n, x);
    cnv_vector_copy(n, b, cg->r);
    cnv_vector_copy(n, b, cg->p);
    cg->rr = cnv_vector_dot(n, b, b);
    cg->target = tolerance * tolerance * cg->rr;
    cg->is_done = !(cg->rr > 0.0);
}

bool cnv_cg_is_done(const struct cnv_cg *cg)
{
    return cg->is_done;
}

void cnv_cg_step(struct cnv_cg *cg)
{
    double curvature = cnv_vector_dot(cg->n, cg->p, cg->hp);
    double alpha = cg->rr / curvature;

    if (!(curvature > 0.0)) {
        cg->is_done = true;
        return;
    }
    cnv_vector_add(cg->n, alpha, cg->p, cg->x);
    cnv_vector_add(cg->n, -alpha, cg->hp, cg->r);
    double rr = cnv_vector_dot(cg->n, cg->r, cg->r);
    double beta = rr / cg->rr;

    cnv_vector_move(cg->n, cg->r, beta, cg->p, cg->p);
    cg->rr = rr;
    cg->is_done = !(rr > cg->target);
}
