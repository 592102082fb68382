/*
 * cg.h - conjugate gradients for H x = b when H is known by its products only.
 *
 *   cnv_cg_begin(&cg, n, b, x, scratch, tolerance);
 *   while (!cnv_cg_is_done(&cg) && iterations < limit) { product(cg.p, cg.hp); cnv_cg_step(&cg); }
 *
 * The caller owns the loop and takes the products. Starting from x = 0, every iterate has
 * x'b > 0, however early the loop ends: with b = g, -x is a descent direction.
 * Source: Hestenes and Stiefel 1952.
 */
#ifndef CNV_NUM_CG_H
#define CNV_NUM_CG_H

#include <stdbool.h>
#include <stddef.h>

struct cnv_cg {
    size_t n;
    double *x;     /* the solution so far */
    double *r;     /* b - H x */
    double *p;     /* where the product is wanted next */
    double *hp;    /* H p, filled in by the caller before each step */
    double rr;     /* r'r */
    double target; /* of rr */
    bool is_done;
};

enum { CNV_CG_SCRATCH = 3 }; /* vectors of n */

/* x[n] becomes 0. Ends when |r| <= tolerance * |b|. Borrows x and scratch[3 n] until the end. */
void cnv_cg_begin(
    struct cnv_cg *cg, size_t n, const double *b, double *x, double *scratch, double tolerance);

/* Also true when p'Hp <= 0 has shown that H is not positive definite: x stays as it was. */
bool cnv_cg_is_done(const struct cnv_cg *cg);

/* One iteration with hp = H p. Cost: five sums over n. */
void cnv_cg_step(struct cnv_cg *cg);

#endif
