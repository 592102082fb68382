/*
 * fit.h - what the conformance suites ask of an entry of a registry, so that a new one is covered
 * without a word about it there.
 *
 * A solver that a problem is not meant for says so: its init refuses the pair with CNV_E_INPUT.
 * What an entry needs that is not the default is a row of the table in fit.c.
 */
#ifndef CNV_TESTS_FIT_H
#define CNV_TESTS_FIT_H

#include "problem/problem.h"
#include "solver/solver.h"

/* Label values of the data a problem gets: 0 (real targets), 4, or 2 where it takes no more. */
size_t fit_classes(const struct cnv_problem_ops *problem);

/* Sets what the entry of that name needs beside its kind. */
void fit_settings(struct cnv_config *config, const char *name);

/* Whether the solver takes the problem. Any other refusal than CNV_E_INPUT ends the test. */
bool fit_is_meant_for(const struct cnv_solver_ops *solver,
                      const struct cnv_config *config,
                      struct cnv_problem *problem);

#endif
