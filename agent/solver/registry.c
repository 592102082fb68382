/* registry.c - the solvers there are, by name. */
#include <string.h>

#include "solver/solver.h"

extern const struct cnv_solver_ops cnv_solver_newton;
extern const struct cnv_solver_ops cnv_solver_giant;
extern const struct cnv_solver_ops cnv_solver_sgd;
extern const struct cnv_solver_ops cnv_solver_adam;
extern const struct cnv_solver_ops cnv_solver_sgd_batch;
extern const struct cnv_solver_ops cnv_solver_adam_batch;
extern const struct cnv_solver_ops cnv_solver_bfgs;
extern const struct cnv_solver_ops cnv_solver_fedac;
extern const struct cnv_solver_ops cnv_solver_savic;
extern const struct cnv_solver_ops cnv_solver_savic_local;
extern const struct cnv_solver_ops cnv_solver_blocks;
extern const struct cnv_solver_ops cnv_solver_ibgd;
extern const struct cnv_solver_ops cnv_solver_isega;
extern const struct cnv_solver_ops cnv_solver_isega_raw;
extern const struct cnv_solver_ops cnv_solver_isgd;
extern const struct cnv_solver_ops cnv_solver_isaga;
extern const struct cnv_solver_ops cnv_solver_isaga_shared;

static const struct cnv_solver_ops *const solvers[] = {
    &cnv_solver_newton,       &cnv_solver_giant,     &cnv_solver_bfgs,
    &cnv_solver_sgd,          &cnv_solver_sgd_batch, &cnv_solver_adam,
    &cnv_solver_adam_batch,   &cnv_solver_fedac,     &cnv_solver_savic,
    &cnv_solver_savic_local,  &cnv_solver_blocks,    &cnv_solver_ibgd,
    &cnv_solver_isega,        &cnv_solver_isega_raw, &cnv_solver_isaga,
    &cnv_solver_isaga_shared, &cnv_solver_isgd,
};

enum { BUILT_IN = sizeof(solvers) / sizeof(solvers[0]) };

const struct cnv_solver_ops *cnv_solver_at(size_t i)
{
    return i < BUILT_IN ? solvers[i] : cnv_solver_adopted(i - BUILT_IN);
}

const struct cnv_solver_ops *cnv_solver_find(const char *name)
{
    for (size_t i = 0; cnv_solver_at(i) != NULL; i++) {
        if (strcmp(cnv_solver_at(i)->name, name) == 0) {
            return cnv_solver_at(i);
        }
    }
    return NULL;
}
